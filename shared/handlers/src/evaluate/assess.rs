//! Has the new images of a set assessed by the vision provider, and stores each observation as it arrives.

use std::sync::Arc;

use aws::bucket::Bucket;
use aws::metrics::Metric;
use aws::store::Store;
use aws::store::spending::{AssessmentCost, Reservation};
use domain::actor::ActorId;
use domain::assessment::{Assessment, Observed, assess, void_ambiguous_comparisons};
use domain::budget::{Budget, Charge, Limit};
use domain::keys::Keys;
use domain::manifest::Observer;
use domain::money::MicroUsd;
use domain::plan::Note;
use domain::settings::Settings;
use image::RgbImage;
use imaging::encode_jpeg;
use imaging::grid::{draw_page, lay_out, lay_out_with_reference};
use jiff::civil::Date;
use providers::vision::{AssessmentBatch, AssessmentEvent, OpenAiError, Pictures, VisionError, VisionModel};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::compare::Comparer;
use super::inventory::{Inventory, InventoryImage};
use super::reference::Reference;
use crate::{Clock, HandlerError, report_payment};

pub(super) struct SetAssessment {
    pub(super) assessments: Vec<Assessment>,
    /// The images without an observation, with the reasons.
    pub(super) unassessed: Vec<Note>,
    /// Whether this evaluation added an observation.
    pub(super) is_any_new: bool,
    pub(super) cost: MicroUsd,
}

/// Why a set was not assessed.
pub(super) enum AssessmentError {
    /// The observations so far are stored; a later evaluation continues.
    Blocked(AssessmentBlocked),
    Failed(HandlerError),
}

impl<E: Into<HandlerError>> From<E> for AssessmentError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) enum AssessmentBlocked {
    ServiceFailed {
        error: VisionError,
        /// Whether the service had assessed any image before.
        is_any_new: bool,
    },
    OverBudget(BudgetShortage),
}

/// A reservation that a budget didn't cover.
pub(super) struct BudgetShortage {
    pub(super) limit: Limit,
    pub(super) needed: MicroUsd,
    pub(super) day: Date,
    /// Why a request was to be repeated, if the reservation was for a repeated one.
    pub(super) retry_of: Option<String>,
    /// Whether the service has assessed images before.
    pub(super) is_any_new: bool,
}

/// Assesses one actor's set.
pub(super) struct Assessor<'a> {
    pub(super) vision: &'a VisionModel,
    pub(super) observer: Observer<'a>,
    pub(super) settings: &'a Settings,
    pub(super) reference: &'a Reference,
    pub(super) budget: &'a Budget,
    pub(super) store: &'a Store,
    pub(super) bucket: &'a Bucket,
    pub(super) keys: &'a Keys,
    pub(super) read_permits: &'a Semaphore,
    pub(super) clock: &'a Clock,
    pub(super) actor: &'a ActorId,
    /// The plan of this evaluation: part of the grid's key, and the seed of the order of the images.
    pub(super) plan_id: &'a str,
}

impl Assessor<'_> {
    /// Requests the missing observations, and joins all observations with the facts of the set.
    pub(super) async fn assess(&self, inventory: &mut Inventory) -> Result<SetAssessment, AssessmentError> {
        let new: Vec<_> = inventory
            .images
            .iter()
            .enumerate()
            .filter(|(_, file)| file.image.observation_by(self.observer).is_none())
            .filter_map(|(index, file)| Some((index, file.preview.clone()?)))
            .collect();
        let (indices, previews): (Vec<usize>, Vec<_>) = new.into_iter().unzip();
        let (batch, shortage) = match previews.len() {
            0 => (AssessmentBatch::default(), None),
            _ => self.request(inventory, &indices, previews.clone()).await?,
        };
        Metric::ImagesAssessed(batch.images.iter().flatten().count()).emit();
        let is_any_new = batch.images.iter().any(Result::is_ok);
        let unassessed = indices.into_iter().zip(batch.images).filter_map(|(index, observation)| {
            Some(Note::unassessed(&inventory.images[index].filename, &observation.err()?))
        });
        let unassessed = unassessed.collect();
        if is_any_new {
            self.store_grid(previews).await?;
        }
        match (shortage, batch.interrupted) {
            (Some(shortage), interrupted) => {
                let retry_of = match interrupted {
                    Some(VisionError::OpenAi(OpenAiError::NoBudget { retry_of })) => retry_of,
                    _ => None,
                };
                let shortage = BudgetShortage { retry_of, is_any_new, ..shortage };
                return Err(AssessmentError::Blocked(AssessmentBlocked::OverBudget(shortage)));
            }
            (None, Some(error)) => {
                return Err(AssessmentError::Blocked(AssessmentBlocked::ServiceFailed { error, is_any_new }));
            }
            (None, None) => {}
        }
        let mut observed: Vec<_> = inventory.images.iter().filter_map(|item| self.observed(item)).collect();
        void_ambiguous_comparisons(&mut observed);
        let contents: Vec<_> = observed.iter().map(|image| &image.observation.content).collect();
        inventory.notes.extend(self.reference.remarks(&contents));
        let resemblances = self.comparer().compare(inventory, &observed).await?;
        let assessments = assess(&observed, &resemblances, self.settings);
        Ok(SetAssessment { assessments, unassessed, is_any_new, cost: batch.cost })
    }

    /// Sends the images to the vision provider while the budget lasts. Each observation is stored before the cost is
    /// booked, so that an interrupted evaluation loses no paid observation.
    async fn request(
        &self,
        inventory: &mut Inventory,
        indices: &[usize],
        previews: Vec<Arc<RgbImage>>,
    ) -> Result<(AssessmentBatch, Option<BudgetShortage>), HandlerError> {
        let (images, reference) = (previews.len() as u64, self.reference.picture.clone());
        let mut charge = Charge { day: self.clock.today(), amount: MicroUsd::ZERO };
        let (sender, events) = unbounded_channel();
        let (batch, collected) = tokio::join!(
            self.vision.assess(Pictures { images: previews, reference }, self.plan_id, sender),
            self.collect(inventory, indices, events, &mut charge)
        );
        if charge.amount > MicroUsd::ZERO {
            let spent = AssessmentCost { assessed_at: self.clock.now(), images, cost: batch.cost };
            self.store.book_assessment(self.actor, charge, self.plan_id, spent).await?;
            report_payment(self.store, self.budget, Charge { amount: batch.cost, ..charge }).await;
        }
        Ok((batch, collected?))
    }

    /// Stores each observation, and reserves the highest price of each request before the provider sends it. If one
    /// observation can't be stored, the others still are, but nothing more is reserved.
    async fn collect(
        &self,
        inventory: &mut Inventory,
        indices: &[usize],
        mut events: UnboundedReceiver<AssessmentEvent>,
        charge: &mut Charge,
    ) -> Result<Option<BudgetShortage>, HandlerError> {
        let mut collected = Ok(None);
        while let Some(event) = events.recv().await {
            match event {
                AssessmentEvent::Assessed(at, observation) => {
                    let InventoryImage { filename, image, .. } = &mut inventory.images[indices[at]];
                    let replaced = image.clone();
                    image.observe(observation, self.observer);
                    let saved = self.store.save_observation(self.actor, filename, image, &replaced);
                    if let Err(error) = saved.await {
                        collected = collected.and(Err(error.into()));
                    }
                }
                AssessmentEvent::ReservationNeeded { amount, granted } => {
                    if matches!(collected, Ok(None)) {
                        collected = self.reserve(charge, amount).await;
                    }
                    // The provider may have stopped waiting for the answer.
                    let _ = granted.send(matches!(collected, Ok(None)));
                }
            }
        }
        collected
    }

    /// Reserves this much more, unless it would exceed a budget.
    async fn reserve(&self, charge: &mut Charge, amount: MicroUsd) -> Result<Option<BudgetShortage>, HandlerError> {
        let more = Charge { amount, ..*charge };
        Ok(match self.store.reserve_assessment(self.actor, more, self.budget).await? {
            Reservation::Granted => {
                charge.amount += amount;
                None
            }
            Reservation::UsedUp(limit) => {
                Some(BudgetShortage { limit, needed: amount, day: more.day, retry_of: None, is_any_new: false })
            }
        })
    }

    /// Stores the grid that the vision model has received.
    async fn store_grid(&self, images: Vec<Arc<RgbImage>>) -> Result<(), HandlerError> {
        let reference = self.reference.picture.clone();
        let lay_out = if reference.is_some() { lay_out_with_reference } else { lay_out };
        let pages = lay_out(images.len(), self.plan_id);
        let draw = move || {
            let images: Vec<&RgbImage> = images.iter().map(Arc::as_ref).collect();
            let draw = |page| encode_jpeg(&draw_page(page, &images, reference.as_deref()));
            pages.iter().map(draw).collect::<Result<Vec<_>, _>>()
        };
        let pages = tokio::task::spawn_blocking(draw).await??;
        for (number, page) in (1..).zip(pages) {
            self.bucket.put(&self.keys.grid(self.actor, self.plan_id, number), page, "image/jpeg").await?;
        }
        Ok(())
    }

    fn comparer(&self) -> Comparer<'_> {
        Comparer {
            store: self.store,
            bucket: self.bucket,
            keys: self.keys,
            read_permits: self.read_permits,
            actor: self.actor,
        }
    }

    fn observed(&self, item: &InventoryImage) -> Option<Observed> {
        Some(Observed {
            filename: item.filename.clone(),
            observation: item.image.observation_by(self.observer)?,
            facts: item.image.facts.clone()?,
            origin: item.image.origin(),
            pinned: item.image.pinned,
        })
    }
}
