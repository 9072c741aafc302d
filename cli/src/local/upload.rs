//! From the folder into the bucket.

use std::path::Path;

use aws::bucket::Bucket;
use aws::exchange;
use aws::store::Store;
use domain::actor::ActorId;
use domain::files::{IMAGE_EXTENSIONS, content_type};
use domain::keys::Keys;

use super::actor_files::{ActorFiles, BaseImage};
use super::data_folder::{ACTOR_FILE, ActorFolder, lossy_name};
use crate::outcome::remark;

/// Where a folder's actors go.
pub struct Destination {
    pub bucket: Bucket,
    pub store: Store,
    pub keys: Keys,
}

impl Destination {
    /// Looks at an actor's folder, and changes nothing.
    ///
    /// # Errors
    /// The outer one if the stack can't be asked; the inner one, a sentence for people, if the actor is to be left
    /// alone.
    pub async fn examine(&self, folder: &ActorFolder) -> anyhow::Result<Result<ActorFiles, String>> {
        let actor = &folder.actor;
        let examined = ActorFiles::of(folder);
        let has_manifest = examined.as_ref().is_ok_and(|belongings| belongings.manifest.is_some());
        if has_manifest && self.store.actor(actor).await?.is_some() {
            // What the stack knows would be written over it in the end.
            let manifest = folder.manifest();
            return Ok(Err(format!(
                "{} comes too late, since the stack knows {actor} already. End this run and begin another.",
                manifest.display()
            )));
        }
        Ok(examined)
    }

    /// Takes the manifest in and uploads everything of an actor, the images last: their arrival sets the evaluation
    /// going. What can't be read is named. Returns how many images there are.
    pub async fn upload(&self, folder: &ActorFolder, belongings: ActorFiles) -> anyhow::Result<usize> {
        let actor = &folder.actor;
        if let Some(manifest) = belongings.manifest {
            exchange::import(&self.store, actor, manifest).await?;
        }
        self.store.raise_last_number(actor, belongings.last_number).await?;
        if let Some(bytes) = belongings.actor_file {
            self.upload_actor_file(actor, bytes).await?;
        }
        if let Some(base_image) = belongings.base_image {
            self.upload_base_image(actor, base_image).await?;
        }
        let mut uploaded = 0;
        for image in &belongings.contents.images {
            match std::fs::read(&image.path) {
                Ok(bytes) => {
                    self.upload_image(actor, &image.name, bytes).await?;
                    uploaded += 1;
                }
                Err(error) => report_unreadable(&image.path, &error),
            }
        }
        Ok(uploaded)
    }

    /// Uploads one image.
    pub async fn upload_image(&self, actor: &ActorId, filename: &str, bytes: Vec<u8>) -> anyhow::Result<()> {
        self.bucket.put(&self.keys.image(actor, filename), bytes, content_type(filename)).await?;
        Ok(())
    }

    /// Uploads what says who the actor is.
    pub async fn upload_actor_file(&self, actor: &ActorId, bytes: Vec<u8>) -> anyhow::Result<()> {
        self.bucket.put(&self.keys.image(actor, ACTOR_FILE), bytes, content_type(ACTOR_FILE)).await?;
        Ok(())
    }

    /// Uploads the base image. One of another ending would be found first, or by whoever doesn't see the folder.
    pub async fn upload_base_image(&self, actor: &ActorId, image: BaseImage) -> anyhow::Result<()> {
        let ending = image.ending();
        self.bucket
            .put(&self.base_image_key(actor, &ending), image.bytes, content_type(&lossy_name(&image.path)))
            .await?;
        for other in IMAGE_EXTENSIONS.into_iter().filter(|other| *other != ending) {
            self.bucket.delete(&self.base_image_key(actor, other)).await?;
        }
        Ok(())
    }

    /// Where a base image lies whose name ends so.
    pub fn base_image_key(&self, actor: &ActorId, ending: &str) -> String {
        format!("{}{ending}", self.keys.base_image_stem(actor))
    }
}

/// Says that a file can't be read, and goes on.
pub fn report_unreadable(path: &Path, problem: impl std::fmt::Display) {
    remark(format!("left alone {}: it can't be read: {problem}", path.display()));
}
