//! Having images judged: on a numbered grid, in an order of its own for each evaluation.

use std::sync::Arc;

use image::RgbImage;

use super::Evaluation;
use super::survey::{Survey, Surveyed};
use crate::domain::actor::ActorId;
use crate::domain::assessment::{Assessment, Observed, assess};
use crate::grid::{draw_page, lay_out};
use crate::imaging::encode_jpeg;
use crate::stages::StageError;

impl Evaluation {
    /// Has every image judged that isn't yet, and joins the judgements with what is measured across the set.
    pub(super) async fn judge(
        &self,
        actor: &ActorId,
        plan_id: &str,
        survey: &mut Survey,
    ) -> Result<Vec<Assessment>, StageError> {
        let mut unseen: Vec<(&mut Surveyed, Arc<RgbImage>)> = survey
            .images
            .iter_mut()
            .filter_map(|surveyed| {
                let preview = surveyed.preview.take()?;
                Some((surveyed, preview))
            })
            .collect();
        let previews: Vec<_> = unseen.iter().map(|(_, preview)| Arc::clone(preview)).collect();
        if !previews.is_empty() {
            self.keep_grid(actor, plan_id, previews.clone()).await?;
            let observations = self.vision.observe(previews).await?;
            for ((surveyed, _), observation) in unseen.iter_mut().zip(observations) {
                surveyed.image.observe(observation, self.vision.name());
                self.store.save_image(actor, &surveyed.filename, &surveyed.image).await?;
            }
        }
        let observed: Vec<_> = survey.images.iter().filter_map(|surveyed| self.observed(surveyed)).collect();
        Ok(assess(&observed))
    }

    /// Draws what is judged as a grid and keeps it, so that people see what the model saw.
    async fn keep_grid(&self, actor: &ActorId, plan_id: &str, images: Vec<Arc<RgbImage>>) -> Result<(), StageError> {
        let pages = lay_out(images.len(), plan_id);
        let draw = move || {
            let images: Vec<&RgbImage> = images.iter().map(Arc::as_ref).collect();
            pages.iter().map(|page| encode_jpeg(&draw_page(page, &images))).collect::<Result<Vec<_>, _>>()
        };
        let pages = tokio::task::spawn_blocking(draw).await??;
        for (number, page) in (1..).zip(pages) {
            self.bucket.put(&self.keys.grid(actor, plan_id, number), page, "image/jpeg").await?;
        }
        Ok(())
    }

    fn observed(&self, surveyed: &Surveyed) -> Option<Observed> {
        Some(Observed {
            filename: surveyed.filename.clone(),
            observation: surveyed.image.observation_by(self.vision.name())?,
            facts: surveyed.image.facts.clone()?,
        })
    }
}
