//! The base image as the reference with which the vision model compares.

use std::sync::Arc;

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
    /// See [`reference_id`].
    pub(super) id: Option<String>,
    /// A small copy.
    pub(super) picture: Option<Arc<RgbImage>>,
    /// The file's name.
    pub(super) name: String,
}

impl Reference {
    /// The remark that images were not compared with the base image, for this reason.
    pub(super) fn not_compared(&self, reason: &str) -> Note {
        not_compared(&self.name, reason)
    }
}

fn not_compared(name: &str, reason: &str) -> Note {
    let remark = format!("the base image {reason}, so no image was compared with it");
    Note { filename: name.to_owned(), remark }
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
            Ok((picture, id)) => Ok((Reference { id: Some(id), picture: Some(picture), name }, None)),
            Err(error) => {
                let note = not_compared(&name, &format!("is unusable: {error}"));
                Ok((Reference::default(), Some(note)))
            }
        }
    }
}
