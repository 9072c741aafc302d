//! Images that are missing from a folder, and that nobody has deleted: the folder itself has gone, as with a disk that was
//! taken off, or holds images that are not understood.

use balancer::keys::is_image_name;

use super::data_folder::ActorFolder;
use super::upload::Destination;
use crate::folder::Contents;

/// What the folder of an actor's images holds, unless nothing may be concluded from that. The inner error is a sentence that
/// says why.
///
/// # Errors
/// If the stack can't be asked.
pub async fn why_held(destination: &Destination, folder: &ActorFolder) -> anyhow::Result<Result<Contents, String>> {
    let actor = &folder.actor;
    let vanished = vanished(destination, folder).await?.map(|reason| {
        format!(
            "{reason}: nothing is deleted for that; waiting until it is back (to delete images all the same, call `balancer send deletion {actor} FILE…`)"
        )
    });
    if let Some(reason) = vanished.clone().filter(|_| !folder.training_data().is_dir()) {
        return Ok(Err(reason));
    }
    let looked_at = folder.contents().and_then(|contents| Ok((folder.obstacle(&contents)?, contents)));
    Ok(match looked_at {
        Ok((None, contents)) => vanished.map_or(Ok(contents), Err),
        Ok((Some(obstacle), _)) => Err(format!("{obstacle}. Until then nothing of {actor} is touched.")),
        Err(problem) => Err(format!("{problem:#}. Until then nothing of {actor} is touched.")),
    })
}

/// Says so if an actor's folder has lost every image at once that the bucket has.
///
/// # Errors
/// If the stack can't be asked.
pub async fn vanished(destination: &Destination, folder: &ActorFolder) -> anyhow::Result<Option<String>> {
    let training_data = folder.training_data();
    if training_data.is_dir() && !folder.images().is_ok_and(|images| images.is_empty()) {
        return Ok(None);
    }
    let key = destination.keys.training_data(&folder.actor);
    let listed = destination.bucket.list(&key).await?;
    let has_images = listed.iter().filter_map(|object| object.key.strip_prefix(&key)).any(is_image_name);
    let what = if training_data.is_dir() { "holds none of its images any more" } else { "is gone" };
    Ok(has_images.then(|| format!("{} {what}", training_data.display())))
}
