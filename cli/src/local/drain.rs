//! The orderly end of a stopped run: it waits until evaluations have ended, images that are being generated (and may be
//! charged) are placed, and deletions that have begun are completed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws::queues::{Queue, Queues};
use aws::stack::Services;
use aws::store::leases::Leased;
use aws::store::slots::{SlotName, SlotRecord};
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::plan::Plan;
use handlers::Clock;
use handlers::heartbeat::Heartbeat;

use crate::outcome::remark;

/// The interval at which the table is polled.
const POLL: Duration = Duration::from_millis(200);

/// How long to wait for images: longer than most take, and shorter than the grace period of a system shutdown.
const PATIENCE: Duration = Duration::from_secs(60);

/// The token of these leases.
const LEASE_TOKEN: &str = "the end of the run";

/// The number of busy polls after which the run reports that it waits, if no image is in progress.
const SILENT_POLLS: u32 = 5;

/// Starts no further plan, evaluation or image, and waits until evaluations have ended, generated images are in place,
/// and no deletion is half done.
pub async fn drain(services: &Services, actors: &[ActorId]) -> anyhow::Result<()> {
    let Services { store, queues, .. } = services;
    let mut draining =
        Draining { store, queues, unleased: actors.iter().collect(), plans: Vec::new(), held: BTreeSet::new() };
    tokio::time::timeout(PATIENCE, draining.finish(actors)).await.unwrap_or(Ok(()))
}

struct Draining<'a> {
    store: &'a Store,
    queues: &'a Queues,
    /// The actors whose evaluation lease another worker holds. That worker's evaluation may still start a plan.
    unleased: Vec<&'a ActorId>,
    /// The plans that were under way.
    plans: Vec<(&'a ActorId, Plan)>,
    /// The slots, by actor, plan and id, on which no work begins because this run holds their leases.
    held: BTreeSet<(&'a ActorId, String, String)>,
}

impl<'a> Draining<'a> {
    async fn finish(&mut self, actors: &[ActorId]) -> anyhow::Result<()> {
        let (mut busy_polls, mut is_announced) = (0, false);
        // A message in delivery holds no lease yet, so two polls in a row must find nothing in progress.
        let mut idle_polls = 0;
        let mut extended_at = Instant::now();
        while idle_polls < 2 {
            if extended_at.elapsed() >= Heartbeat::default().interval() {
                self.extend_leases(actors).await?;
                extended_at = Instant::now();
            }
            for actor in std::mem::take(&mut self.unleased) {
                if !self.lease(actor).await? {
                    self.unleased.push(actor);
                }
            }
            let images = self.images_in_progress().await?;
            if images + self.unleased.len() + self.deletions(actors).await? == 0 {
                idle_polls += 1;
            } else {
                (idle_polls, busy_polls) = (0, busy_polls + 1);
                if !is_announced && images > 0 {
                    announce(&format!("the images in progress are done ({images})"));
                    is_announced = true;
                } else if !is_announced && busy_polls >= SILENT_POLLS {
                    announce("the work in progress is done");
                    is_announced = true;
                }
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Stops the actor's plans and holds its lease, so that no evaluation starts another. Returns `false` while an
    /// evaluation holds the lease.
    async fn lease(&mut self, actor: &'a ActorId) -> Result<bool, StoreError> {
        self.stop_plans(actor).await?;
        if self.store.actor(actor).await?.is_none() {
            return Ok(true);
        }
        let is_leased = self.store.lease_actor(actor, LEASE_TOKEN, Clock::system().now()).await?.is_some();
        if is_leased {
            // The evaluation may have adopted a plan just before.
            self.stop_plans(actor).await?;
        }
        Ok(is_leased)
    }

    async fn extend_leases(&self, actors: &[ActorId]) -> Result<(), StoreError> {
        let now = Clock::system().now();
        for actor in actors.iter().filter(|actor| !self.unleased.contains(actor)) {
            self.store.extend_lease(Leased::Actor(actor), LEASE_TOKEN, now).await?;
        }
        for (actor, plan_id, slot_id) in &self.held {
            let slot = SlotName { actor, plan_id, slot_id };
            self.store.extend_lease(Leased::Slot(slot), LEASE_TOKEN, now).await?;
        }
        Ok(())
    }

    /// Supersedes the plans that have not begun an image. The others stay: their images in progress would be void, and if
    /// the run were killed now, the next one would pay for them again.
    async fn stop_plans(&mut self, actor: &'a ActorId) -> Result<(), StoreError> {
        for plan in self.store.plans(actor).await?.into_iter().filter(Plan::is_under_way) {
            if self.plans.iter().any(|(of, stopped)| *of == actor && stopped.plan_id == plan.plan_id) {
                continue;
            }
            if self.store.slots(actor, &plan.plan_id).await?.is_empty() {
                self.store.supersede_plan(actor, &plan.plan_id).await?;
            }
            self.plans.push((actor, plan));
        }
        Ok(())
    }

    /// The number of images in progress. Prevents that work on any other begins.
    async fn images_in_progress(&mut self) -> Result<usize, StoreError> {
        let mut images = 0;
        for &(actor, ref plan) in &self.plans {
            let begun = self.store.slots(actor, &plan.plan_id).await?;
            for slot in plan.slots.iter().map(|slot| &slot.slot_id) {
                let held = (actor, plan.plan_id.clone(), slot.clone());
                if begun.get(slot).is_some_and(is_in_progress) {
                    images += 1;
                } else if !begun.get(slot).is_some_and(is_ended) && !self.held.contains(&held) {
                    let name = SlotName { actor, plan_id: &plan.plan_id, slot_id: slot };
                    let leased = self.store.lease_slot(name, LEASE_TOKEN, Clock::system().now()).await?;
                    // Otherwise work on it has just begun.
                    images += usize::from(leased.is_none());
                    if leased.is_some() {
                        self.held.insert(held);
                    }
                }
            }
        }
        Ok(images)
    }

    /// The images with a deletion that a message in the queue completes. A dead letter completes none.
    async fn deletions(&self, actors: &[ActorId]) -> anyhow::Result<usize> {
        let mut deletions = 0;
        if self.queues.depth_of(Queue::Deletion).await? == 0 {
            return Ok(deletions);
        }
        for actor in actors {
            deletions += self.store.images(actor).await?.values().filter(|image| image.deleting.is_some()).count();
        }
        Ok(deletions)
    }
}

fn announce(condition: &str) {
    remark(format!("stopping when {condition}; press Ctrl-C again to stop at once"));
}

fn is_in_progress(slot: &SlotRecord) -> bool {
    let is_leased = slot.lease_token.as_deref().is_some_and(|token| token != LEASE_TOKEN);
    slot.progress.state.is_under_way() || !is_ended(slot) && is_leased
}

fn is_ended(slot: &SlotRecord) -> bool {
    slot.progress.state.is_final()
}
