//! Having images judged: on a numbered grid, in an order of its own for each evaluation.

use std::sync::Arc;

use image::RgbImage;

use super::Evaluation;
use super::survey::{Survey, Surveyed};
use crate::adapters::store::spending::{Charge, Reservation};
use crate::adapters::vision::{Seen, VisionError};
use crate::domain::actor::ActorId;
use crate::domain::assessment::{Assessment, Observed, assess};
use crate::domain::money::MicroUsd;
use crate::domain::plan::Note;
use crate::grid::{draw_page, lay_out};
use crate::imaging::encode_jpeg;
use crate::metrics::Metric;
use crate::stages::{StageError, park_over_budget, tell_of_payment};

/// What is known of a set.
pub(super) struct Judged {
    /// Of each image that could be judged.
    pub(super) assessments: Vec<Assessment>,
    /// The images that could not, and why.
    pub(super) unassessed: Vec<Note>,
    /// What judging cost.
    pub(super) cost: MicroUsd,
}

impl Evaluation {
    /// Has every image judged that isn't yet, and joins the judgements with what is measured across the set.
    ///
    /// # Errors
    /// The inner one if the model can't be asked. What it has said until then is kept.
    pub(super) async fn judge(
        &self,
        actor: &ActorId,
        plan_id: &str,
        survey: &mut Survey,
    ) -> Result<Result<Judged, VisionError>, StageError> {
        let previews: Vec<_> =
            survey.images.iter_mut().enumerate().filter_map(|(at, image)| Some((at, image.preview.take()?))).collect();
        let (places, previews): (Vec<usize>, Vec<_>) = previews.into_iter().unzip();
        let seen = match previews.len() {
            0 => Seen::default(),
            _ => self.ask(actor, plan_id, previews.clone()).await?,
        };
        Metric::ImagesJudged(seen.images.iter().flatten().count()).emit();
        let is_any_judged = seen.images.iter().any(Result::is_ok);
        let mut unassessed = Vec::new();
        for (at, observation) in places.into_iter().zip(seen.images) {
            let Surveyed { filename, image, .. } = &mut survey.images[at];
            match observation {
                Ok(observation) => {
                    image.observe(observation, self.vision.name());
                    self.store.save_image(actor, filename, image).await?;
                }
                Err(reason) => unassessed.push(Note::unassessed(filename, &reason)),
            }
        }
        // What was judged was paid, so it is kept before anything else can fail.
        if is_any_judged {
            self.keep_grid(actor, plan_id, previews).await?;
        }
        if let Some(error) = seen.interrupted {
            return Ok(Err(error));
        }
        let observed: Vec<_> = survey.images.iter().filter_map(|surveyed| self.observed(surveyed)).collect();
        Ok(Ok(Judged { assessments: assess(&observed), unassessed, cost: seen.cost }))
    }

    /// Asks the model, with what that may cost set aside before.
    async fn ask(&self, actor: &ActorId, plan_id: &str, previews: Vec<Arc<RgbImage>>) -> Result<Seen, StageError> {
        let day = self.clock.today();
        let charge = Charge { day, amount: self.vision.estimate(previews.len()) };
        if charge.amount == MicroUsd::ZERO {
            return Ok(self.vision.observe(previews, plan_id).await);
        }
        if let Reservation::UsedUp(limit) = self.store.reserve_question(actor, charge, &self.budget).await? {
            return Err(park_over_budget(&self.store, &self.clock, &self.budget, actor, limit).await?);
        }
        let seen = self.vision.observe(previews, plan_id).await;
        self.store.settle_question(actor, charge, seen.cost).await?;
        tell_of_payment(&self.store, &self.budget, Charge { amount: seen.cost, ..charge }).await;
        Ok(seen)
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
