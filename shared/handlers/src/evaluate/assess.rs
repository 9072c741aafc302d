//! Having images judged: on a numbered grid, in an order of its own for each evaluation.

use std::sync::Arc;

use aws::metrics::Metric;
use aws::store::spending::{Charge, Judging, Reservation};
use domain::actor::ActorId;
use domain::assessment::{Assessment, Observed, assess};
use domain::budget::Limit;
use domain::money::MicroUsd;
use domain::plan::Note;
use image::RgbImage;
use imaging::encode_jpeg;
use imaging::grid::{draw_page, lay_out};
use jiff::civil::Date;
use providers::vision::{AssessmentBatch, AssessmentEvent, OpenAiError, VisionError};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Evaluation;
use super::inventory::{Inventory, InventoryImage};
use crate::{HandlerError, report_payment};

/// What is known of a set.
pub(super) struct SetAssessment {
    /// Of each image that could be judged.
    pub(super) assessments: Vec<Assessment>,
    /// The images that could not, and why.
    pub(super) unassessed: Vec<Note>,
    /// Whether any was judged only now.
    pub(super) is_any_new: bool,
    /// What judging cost.
    pub(super) cost: MicroUsd,
}

/// Why a set can't be judged now. What was said of it until then is kept.
pub(super) enum AssessmentBlocked {
    /// The model can't be asked.
    ServiceFailed {
        /// The reason.
        error: VisionError,
        /// Whether the model had assessed any image before.
        is_any_new: bool,
    },
    /// There is no money to ask it.
    OverBudget(BudgetShortage),
}

/// Money that a budget leaves no room for.
pub(super) struct BudgetShortage {
    /// Which budget.
    pub(super) limit: Limit,
    /// How much was to be set aside.
    pub(super) needed: MicroUsd,
    /// For which day.
    pub(super) day: Date,
    /// Why a question was to be asked again, if it was.
    pub(super) because: Option<String>,
}

impl Evaluation {
    /// Has every image judged that isn't yet, and joins the judgements with what is measured across the set.
    ///
    /// # Errors
    /// If the table or the bucket can't be written.
    pub(super) async fn assess(
        &self,
        actor: &ActorId,
        plan_id: &str,
        inventory: &mut Inventory,
    ) -> Result<Result<SetAssessment, AssessmentBlocked>, HandlerError> {
        let previews: Vec<_> = inventory
            .images
            .iter_mut()
            .enumerate()
            .filter_map(|(at, image)| Some((at, image.preview.take()?)))
            .collect();
        let (places, previews): (Vec<usize>, Vec<_>) = previews.into_iter().unzip();
        let (seen, shortage) = match previews.len() {
            0 => (AssessmentBatch::default(), None),
            _ => self.ask(actor, plan_id, inventory, &places, previews.clone()).await?,
        };
        Metric::ImagesJudged(seen.images.iter().flatten().count()).emit();
        let is_any_new = seen.images.iter().any(Result::is_ok);
        let unassessed = places.into_iter().zip(seen.images).filter_map(|(at, observation)| {
            Some(Note::unassessed(&inventory.images[at].filename, &observation.err()?))
        });
        let unassessed = unassessed.collect();
        if is_any_new {
            self.keep_grid(actor, plan_id, previews).await?;
        }
        match (shortage, seen.interrupted) {
            (Some(shortage), interrupted) => {
                let because = match interrupted {
                    Some(VisionError::OpenAi(OpenAiError::NoBudget { retry_of })) => retry_of,
                    _ => None,
                };
                return Ok(Err(AssessmentBlocked::OverBudget(BudgetShortage { because, ..shortage })));
            }
            (None, Some(error)) => return Ok(Err(AssessmentBlocked::ServiceFailed { error, is_any_new })),
            (None, None) => {}
        }
        let observed: Vec<_> = inventory.images.iter().filter_map(|item| self.observed(item)).collect();
        Ok(Ok(SetAssessment {
            assessments: assess(&observed, self.frontal_images),
            unassessed,
            is_any_new,
            cost: seen.cost,
        }))
    }

    /// Asks the model, as long as there is money for it. What it says is kept as it comes in, before the money is counted,
    /// so that whoever is cut off has not paid for nothing.
    async fn ask(
        &self,
        actor: &ActorId,
        plan_id: &str,
        inventory: &mut Inventory,
        places: &[usize],
        previews: Vec<Arc<RgbImage>>,
    ) -> Result<(AssessmentBatch, Option<BudgetShortage>), HandlerError> {
        let images = previews.len() as u64;
        let mut charge = Charge { day: self.clock.today(), amount: MicroUsd::ZERO };
        let (tell, told) = unbounded_channel();
        let (seen, kept) = tokio::join!(
            self.vision.assess(previews, plan_id, tell),
            self.listen(actor, inventory, places, told, &mut charge)
        );
        if charge.amount > MicroUsd::ZERO {
            let judging = Judging { judged_at: self.clock.now(), images, cost: seen.cost };
            self.store.book_assessment(actor, charge, plan_id, judging).await?;
            report_payment(&self.store, &self.budget, Charge { amount: seen.cost, ..charge }).await;
        }
        Ok((seen, kept?))
    }

    /// Writes down what the model says of each image, and sets aside what its questions cost at most before it asks them.
    /// One image that can't be written keeps no other from it, but nothing more is set aside.
    async fn listen(
        &self,
        actor: &ActorId,
        inventory: &mut Inventory,
        places: &[usize],
        mut told: UnboundedReceiver<AssessmentEvent>,
        charge: &mut Charge,
    ) -> Result<Option<BudgetShortage>, HandlerError> {
        let mut kept = Ok(None);
        while let Some(word) = told.recv().await {
            match word {
                AssessmentEvent::Assessed(at, observation) => {
                    let InventoryImage { filename, image, .. } = &mut inventory.images[places[at]];
                    image.observe(observation, self.vision.name());
                    if let Err(error) = self.store.save_findings(actor, filename, image).await {
                        kept = kept.and(Err(error.into()));
                    }
                }
                AssessmentEvent::ReservationNeeded { amount, granted } => {
                    if matches!(kept, Ok(None)) {
                        kept = self.set_aside(actor, charge, amount).await;
                    }
                    // Whether it still waits for the money is its business.
                    let _ = granted.send(matches!(kept, Ok(None)));
                }
            }
        }
        kept
    }

    /// Sets so much more aside, unless a budget leaves no room for it.
    async fn set_aside(
        &self,
        actor: &ActorId,
        charge: &mut Charge,
        amount: MicroUsd,
    ) -> Result<Option<BudgetShortage>, HandlerError> {
        let more = Charge { amount, ..*charge };
        Ok(match self.store.reserve_assessment(actor, more, &self.budget).await? {
            Reservation::Granted => {
                charge.amount += amount;
                None
            }
            Reservation::UsedUp(limit) => Some(BudgetShortage { limit, needed: amount, day: more.day, because: None }),
        })
    }

    /// Draws what is judged as a grid and keeps it, so that people see what the model saw.
    async fn keep_grid(&self, actor: &ActorId, plan_id: &str, images: Vec<Arc<RgbImage>>) -> Result<(), HandlerError> {
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

    fn observed(&self, item: &InventoryImage) -> Option<Observed> {
        Some(Observed {
            filename: item.filename.clone(),
            observation: item.image.observation_by(self.vision.name())?,
            facts: item.image.facts.clone()?,
            origin: item.image.origin(),
            pinned: item.image.pinned,
        })
    }
}
