//! Images that are missing from a folder although no user deleted them: the folder itself has gone, for example with an
//! unmounted disk, or contains images in unknown formats or places.

use aws::stack::Services;
use domain::files::is_image_name;

use super::data_folder::ActorFolder;
use super::examined::Examined;
use crate::folder::Contents;
use crate::outcome::quoted;

/// The content of an actor's image folder. It is unusable if images seem to have vanished.
pub async fn contents_unless_vanished(services: &Services, folder: &ActorFolder) -> anyhow::Result<Examined<Contents>> {
    let actor = &folder.actor;
    let vanished = vanished(services, folder).await?.map(|reason| {
        format!(
            "{reason}: nothing is deleted because of that; waiting until it is back (to delete images, use `balancer send deletion {} FILE…`)",
            quoted(actor.as_str())
        )
    });
    if let Some(reason) = vanished.clone().filter(|_| !folder.training_data().is_dir()) {
        return Ok(Examined::Unusable(reason));
    }
    let read = folder.contents().and_then(|contents| Ok((folder.obstacle(&contents)?, contents)));
    Ok(match read {
        Ok((None, contents)) => vanished.map_or(Examined::Usable(contents), Examined::Unusable),
        Ok((Some(obstacle), _)) => {
            Examined::Unusable(format!("{obstacle}. Until then the run changes nothing of {actor}."))
        }
        Err(problem) => Examined::Unusable(format!("{problem:#}. Until then the run changes nothing of {actor}.")),
    })
}

/// A sentence about a folder that has lost all images of the bucket at once; `None` if it has not.
pub async fn vanished(services: &Services, folder: &ActorFolder) -> anyhow::Result<Option<String>> {
    let training_data = folder.training_data();
    if training_data.is_dir() && !folder.images().is_ok_and(|images| images.is_empty()) {
        return Ok(None);
    }
    let key = services.keys.training_data(&folder.actor);
    let listed = services.bucket.list(&key).await?;
    let has_images = listed.iter().filter_map(|object| object.key.strip_prefix(&key)).any(is_image_name);
    let what = if training_data.is_dir() { "has lost all of its images" } else { "is gone" };
    Ok(has_images.then(|| format!("{} {what}", training_data.display())))
}
