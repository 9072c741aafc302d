//! From the folder into the bucket.

use std::fs;
use std::path::Path;

use anyhow::Context;
use balancer::adapters::bucket::Bucket;
use balancer::adapters::store::Store;
use balancer::domain::manifest::Manifest;
use balancer::domain::numbering::highest;
use balancer::exchange;
use balancer::keys::{Keys, content_type, extension};

use super::data_folder::{ActorFolder, name_of};
use crate::outcome::remark;

/// Where a folder's actors go.
pub struct Destination {
    pub bucket: Bucket,
    pub store: Store,
    pub keys: Keys,
}

impl Destination {
    /// Takes the manifest in and uploads everything of an actor, the images last: their arrival sets the evaluation
    /// going. Returns how many images there are.
    pub async fn upload(&self, folder: &ActorFolder) -> anyhow::Result<usize> {
        let actor = &folder.actor;
        self.import(folder).await?;
        // A run that was killed has left no manifest of what it made and threw away; those numbers are used too.
        let thrown_away = folder.trashed_names()?;
        self.store.raise_last_number(actor, highest(thrown_away.iter().map(String::as_str))).await?;
        if let Some(path) = folder.actor_file() {
            self.put(&path, &self.keys.image(actor, "actor.json")).await?;
        }
        if let Some(path) = folder.base_image()? {
            let ending = extension(&name_of(&path)).unwrap_or_default();
            self.put(&path, &format!("{}{ending}", self.keys.base_image_stem(actor))).await?;
        }
        let images = folder.images()?;
        for path in &images {
            self.upload_image(folder, path).await?;
        }
        Ok(images.len())
    }

    /// Uploads one image.
    pub async fn upload_image(&self, folder: &ActorFolder, path: &Path) -> anyhow::Result<()> {
        self.put(path, &self.keys.image(&folder.actor, &name_of(path))).await
    }

    async fn import(&self, folder: &ActorFolder) -> anyhow::Result<()> {
        let path = folder.manifest();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
        };
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) => drop(exchange::import(&self.store, &folder.actor, manifest).await?),
            Err(error) => remark(format!("ignored {}: not a manifest: {error}", path.display())),
        }
        Ok(())
    }

    async fn put(&self, path: &Path, key: &str) -> anyhow::Result<()> {
        let bytes = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
        self.bucket.put(key, bytes, content_type(&name_of(path))).await?;
        Ok(())
    }
}
