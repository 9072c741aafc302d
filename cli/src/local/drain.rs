//! The orderly end of a stopped run: evaluations end, images that are being generated, and may be charged, are placed, and
//! deletions that have begun are completed.

use std::time::Duration;

use aws::store::slots::SlotRecord;
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::plan::Plan;
use handlers::Clock;
use jiff::SignedDuration;

use crate::outcome::remark;

/// The interval at which the table is polled.
const POLL: Duration = Duration::from_millis(200);

/// How long to wait for images: longer than most take, and shorter than the grace period of a system shutdown.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long evaluations may begin no further plan.
const CLOSED: SignedDuration = SignedDuration::from_secs(300);

/// The holder of the evaluation leases meanwhile.
const CLOSER: &str = "the end of the run";

/// Starts no further plan, evaluation or image, and waits until evaluations have ended, generated images are in place, and no
/// deletion is half done.
pub async fn drain(store: &Store, actors: &[ActorId]) -> Result<(), StoreError> {
    let mut draining = Draining { store, open: actors.iter().collect(), plans: Vec::new() };
    tokio::time::timeout(PATIENCE, draining.finish(actors)).await.unwrap_or(Ok(()))
}

struct Draining<'a> {
    store: &'a Store,
    /// The actors that an evaluation may still give a plan.
    open: Vec<&'a ActorId>,
    /// The superseded plans.
    plans: Vec<(&'a ActorId, String)>,
}

impl<'a> Draining<'a> {
    async fn finish(&mut self, actors: &[ActorId]) -> Result<(), StoreError> {
        let mut is_reported = false;
        // A message in delivery holds no lease yet, so two polls in a row must find nothing in progress.
        let mut idle_polls = 0;
        while idle_polls < 2 {
            for actor in std::mem::take(&mut self.open) {
                if !self.close(actor).await? {
                    self.open.push(actor);
                }
            }
            let in_progress = self.images_in_progress().await?;
            let is_idle = in_progress + self.open.len() + self.deletions(actors).await? == 0;
            idle_polls = if is_idle { idle_polls + 1 } else { 0 };
            if in_progress > 0 && !is_reported {
                remark(format!(
                    "stopping when the images in progress are done ({in_progress}); press Ctrl-C again to stop at once"
                ));
                is_reported = true;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Supersedes the actor's plans and holds its lease, so that no evaluation starts another. Returns `false` while an
    /// evaluation holds the lease.
    async fn close(&mut self, actor: &'a ActorId) -> Result<bool, StoreError> {
        self.supersede_plans(actor).await?;
        if self.store.actor(actor).await?.is_none() {
            return Ok(true);
        }
        let is_closed = self.store.take_lease(actor, CLOSER, Clock::system().now(), CLOSED).await?.is_some();
        if is_closed {
            // The evaluation may have adopted a plan just before.
            self.supersede_plans(actor).await?;
        }
        Ok(is_closed)
    }

    async fn supersede_plans(&mut self, actor: &'a ActorId) -> Result<(), StoreError> {
        for plan in self.store.plans(actor).await?.into_iter().filter(Plan::is_under_way) {
            self.store.supersede_plan(actor, &plan.plan_id).await?;
            self.plans.push((actor, plan.plan_id));
        }
        Ok(())
    }

    async fn images_in_progress(&self) -> Result<usize, StoreError> {
        let mut images = 0;
        for (actor, plan_id) in &self.plans {
            images += self.store.slots(actor, plan_id).await?.values().filter(|slot| is_in_progress(slot)).count();
        }
        Ok(images)
    }

    async fn deletions(&self, actors: &[ActorId]) -> Result<usize, StoreError> {
        let mut deletions = 0;
        for actor in actors {
            deletions += self.store.images(actor).await?.values().filter(|image| image.deleting.is_some()).count();
        }
        Ok(deletions)
    }
}

fn is_in_progress(slot: &SlotRecord) -> bool {
    let state = &slot.progress.state;
    state.is_under_way() || !state.is_final() && slot.lease_token.is_some()
}
