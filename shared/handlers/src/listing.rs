//! The files of an actor in the bucket.

use std::collections::BTreeMap;

use aws::AwsError;
use aws::bucket::Bucket;
use domain::actor::ActorId;
use domain::files::{Inventory, images_in_words, is_image_name, visible};
use domain::keys::Keys;
use domain::plan::Note;
use domain::prompts::PROMPTS_FILE;
use domain::reconciliation::Listed;
use domain::sidecars::{Sidecar, leaving_with};

use super::HandlerError;

/// An actor's folder in the bucket.
pub(super) struct Listing {
    /// The image files directly in the folder.
    pub(super) images: Vec<Listed>,
    /// The `ETag` of the actor's own prompts, if it has any.
    pub(super) prompts_file: Option<String>,
    /// Its location, without a slash at its end.
    place: String,
    inventory: Inventory,
    /// A folder with the actor's name in the spelling of macOS, and the number of its images.
    decomposed: Option<(String, usize)>,
}

impl Listing {
    /// Why the balancer must not change the set: it can't interpret some of its images. A sentence with the remedy.
    pub(super) fn obstacle(&self) -> Option<String> {
        let decomposed = self.decomposed.as_ref().map(|(folder, count)| {
            format!(
                "found {} below {folder}. Its name has combining marks, as macOS writes them, so it is not the folder {}/: move them there",
                images_in_words(*count),
                self.place
            )
        });
        let in_place = || self.inventory.obstacle(&self.place).map(|obstacle| obstacle.to_string());
        let obstacle = decomposed.or_else(in_place)?;
        Some(format!(
            "Not all images of the set can be understood: {obstacle}. Until then nothing is deleted and nothing generated."
        ))
    }

    /// The ignored files, in one remark for each class.
    pub(super) fn notes(&self) -> Vec<Note> {
        let formats = self.inventory.unreadable_in_words();
        let formats = formats.map(|(images, remedy)| Note { filename: images, remark: format!("ignored ({remedy})") });
        let bad_names = self.inventory.bad_names_in_words().map(|filename| Note {
            filename,
            remark: "ignored, for a name that is too long or holds control characters (rename it)".to_owned(),
        });
        formats.chain(bad_names).collect()
    }

    /// Images that trainers and file systems may confuse.
    pub(super) fn twins(&self) -> Vec<Vec<&str>> {
        self.inventory.twins()
    }
}

/// Lists the actor's folder.
pub(super) async fn list_folder(bucket: &Bucket, keys: &Keys, actor: &ActorId) -> Result<Listing, HandlerError> {
    let folder = keys.training_data(actor);
    let objects = bucket.list(&folder).await?;
    let inventory = Inventory::of(objects.iter().filter_map(|object| object.key.strip_prefix(&folder)));
    let prompts_file = objects.iter().find(|object| object.key.strip_prefix(&folder) == Some(PROMPTS_FILE));
    let prompts_file = prompts_file.map(|object| object.etag.clone());
    let images = objects
        .into_iter()
        .filter_map(|object| {
            let filename = object.key.strip_prefix(&folder)?.to_owned();
            let is_image = !filename.contains('/') && is_image_name(&filename);
            is_image.then_some(Listed { filename, etag: object.etag })
        })
        .collect();
    let decomposed = match keys.decomposed_training_data(actor) {
        Some(folder) => Some((visible(&folder), images_below(bucket, &folder).await?)).filter(|(_, count)| *count > 0),
        None => None,
    };
    Ok(Listing { images, prompts_file, place: folder.trim_end_matches('/').to_owned(), inventory, decomposed })
}

/// Lists the actor's image files only.
pub(super) async fn list_images(bucket: &Bucket, keys: &Keys, actor: &ActorId) -> Result<Vec<Listed>, HandlerError> {
    Ok(list_folder(bucket, keys, actor).await?.images)
}

async fn images_below(bucket: &Bucket, folder: &str) -> Result<usize, HandlerError> {
    let objects = bucket.list(folder).await?;
    let names = objects.iter().filter_map(|object| object.key.strip_prefix(folder));
    Ok(names.filter(|name| Inventory::of([*name]).concerns_images()).count())
}

/// Files in an actor's folder of the bucket, images or not, at one moment.
pub(super) struct FolderSnapshot {
    etags: BTreeMap<String, String>,
}

impl FolderSnapshot {
    /// Lists the files whose names start with this prefix.
    pub(super) async fn list(bucket: &Bucket, keys: &Keys, actor: &ActorId, start: &str) -> Result<Self, AwsError> {
        let folder = keys.training_data(actor);
        let objects = bucket.list(&(folder.clone() + start)).await?.into_iter();
        let files = objects.filter_map(|object| Some((object.key.strip_prefix(&folder)?.to_owned(), object.etag)));
        Ok(Self { etags: files.filter(|(filename, _)| !filename.contains('/')).collect() })
    }

    pub(super) fn contains(&self, filename: &str) -> bool {
        self.etags.contains_key(filename)
    }

    /// The sidecars that leave the folder with an image.
    pub(super) fn sidecars_of(&self, filename: &str) -> Vec<Sidecar> {
        let names: Vec<&str> = self.etags.keys().map(String::as_str).collect();
        let sidecars = leaving_with(filename, &names).into_iter();
        sidecars.map(|name| Sidecar { filename: name.to_owned(), etag: self.etags[name].clone() }).collect()
    }

    /// Records that an image has left the folder.
    pub(super) fn remove(&mut self, filename: &str) {
        self.etags.remove(filename);
    }
}
