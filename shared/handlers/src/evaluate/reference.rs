//! The base image as the reference with which the vision model compares.

use std::sync::Arc;

use domain::content::{Content, NotCompared};
use domain::manifest::ReferenceId;
use domain::plan::Note;
use image::RgbImage;
use imaging::{DecodeError, PREVIEW_SIDE, decode, reference_id, shrink};

use super::Evaluation;
use super::context::EvaluationContext;
use crate::HandlerError;
use crate::base_image::Found;

/// The base image of an evaluation. Empty if there is none, or if the vision model doesn't compare.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) id: Option<ReferenceId>,
    /// A small copy.
    pub(super) picture: Option<Arc<RgbImage>>,
    /// The file's name.
    pub(super) name: String,
}

impl Reference {
    /// The remarks on the images of the set, with these contents, that the model could not compare with the base image.
    /// They follow from the image records, so every evaluation makes them until the cause is removed.
    pub(super) fn remarks(&self, contents: &[&Content]) -> Vec<Note> {
        let remark = |reason: NotCompared| {
            let count = contents.iter().filter(|content| content.not_compared == Some(reason)).count();
            let images = match count {
                0 => return None,
                all if all == contents.len() => "no image was".to_owned(),
                1 => "1 image was not".to_owned(),
                some => format!("{some} images were not"),
            };
            Some(self.not_compared(&reason.to_string(), &images))
        };
        // Without a base image there is nothing to compare with.
        NotCompared::ALL.into_iter().filter(|_| self.id.is_some()).filter_map(remark).collect()
    }

    fn not_compared(&self, reason: &str, images: &str) -> Note {
        let remark = format!("the base image {reason}, so {images} compared with it");
        Note { filename: self.name.clone(), remark }
    }
}

impl Evaluation {
    /// The base image to compare with; a note if it is unusable, because then the rest of the assessment still counts.
    pub(super) async fn reference(
        &self,
        context: &EvaluationContext<'_>,
    ) -> Result<(Reference, Option<Note>), HandlerError> {
        if !self.vision.compares() {
            return Ok(Default::default());
        }
        let _permit = self.read_permits.acquire().await;
        let found = self.base_images().find(&context.command.actor_id, &context.record.base_images).await?;
        let Some(Found { name, file }) = found else { return Ok(Default::default()) };
        let read = move || {
            let bytes = file?;
            let picture = decode(&bytes)?;
            Ok((Arc::new(shrink(&picture, PREVIEW_SIDE)), reference_id(&bytes)))
        };
        // A decoder that panics does so at each attempt.
        let damaged = |_| Err(DecodeError::Damaged("it can't be decoded".to_owned()));
        match tokio::task::spawn_blocking(read).await.unwrap_or_else(damaged) {
            Ok((picture, digits)) => {
                let is_always_shown = self.vision.always_shows_reference();
                let id = Some(ReferenceId { digits, is_always_shown });
                Ok((Reference { id, picture: Some(picture), name }, None))
            }
            Err(error) => {
                let reference = Reference { name, ..Reference::default() };
                let note = reference.not_compared(&format!("is unusable: {error}"), "no image was");
                Ok((reference, Some(note)))
            }
        }
    }
}
