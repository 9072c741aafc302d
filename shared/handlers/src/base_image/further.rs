//! Further images of a character beside its base image, for generators that take several.

use std::sync::Arc;

use domain::actor::ActorId;
use domain::files::is_image_name;
use domain::manifest::BaseImage;
use image::RgbImage;
use imaging::decode;
use tracing::warn;

use super::{BaseImages, Place, named_files};
use crate::HandlerError;

impl BaseImages<'_> {
    /// Up to `most` images beside the base image: those of the actor's record, then those of its `base_image` folder,
    /// then the objects `{actor}_base_2.png` and so on, in the order of their names. An unusable one is left out: the
    /// base image alone suffices.
    ///
    /// # Errors
    /// If the bucket or the folder can't be read.
    pub(crate) async fn further(
        &self,
        actor: &ActorId,
        noted: &[BaseImage],
        most: usize,
    ) -> Result<Vec<Arc<RgbImage>>, HandlerError> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let main = self.find(actor, noted).await?.and_then(|found| found.file.ok());
        let (mut seen, mut images) = (Vec::from_iter(main), Vec::new());
        for place in self.further_places(actor, noted).await? {
            if images.len() == most {
                break;
            }
            let Some((name, Ok(bytes))) = self.fetch(&place).await? else { continue };
            if seen.contains(&bytes) {
                continue;
            }
            seen.push(bytes.clone());
            match tokio::task::spawn_blocking(move || decode(&bytes)).await? {
                Ok(image) => images.push(Arc::new(image)),
                Err(error) => warn!(%actor, name, %error, "further base image left out"),
            }
        }
        Ok(images)
    }

    async fn further_places(&self, actor: &ActorId, noted: &[BaseImage]) -> Result<Vec<Place>, HandlerError> {
        let dir = self.local.actor_dir(actor);
        let noted = noted.iter().skip(1).flat_map(|image| self.noted_places(dir.as_deref(), image));
        let files = dir.iter().flat_map(|dir| named_files(&dir.join("base_image"), actor));
        let prefix = self.keys.further_base_images(actor);
        let mut listed: Vec<String> = self
            .bucket
            .list(&prefix)
            .await?
            .into_iter()
            .map(|object| object.key)
            .filter(|key| is_image_name(key) && key.strip_prefix(&prefix).is_some_and(is_numbered))
            .collect();
        listed.sort();
        Ok(noted.chain(files).chain(listed.into_iter().map(Place::Object)).collect())
    }
}

/// Whether the rest of a key is a number and an ending. The base image of the actor `hero_base_x` is none of `hero`.
fn is_numbered(rest: &str) -> bool {
    rest.split_once('.').is_some_and(|(number, _)| number.parse::<u32>().is_ok())
}
