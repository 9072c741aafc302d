//! The orderly end of a stopped run: images that are being generated, and may be charged, are placed first, and deletions
//! that have begun are completed.

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

/// Begins no further image of any plan, and waits until the images that are being generated are in place and no deletion is
/// half done.
pub async fn drain(store: &Store, actors: &[ActorId]) -> Result<(), StoreError> {
    let mut plans = Vec::new();
    for actor in actors {
        for plan in store.plans(actor).await?.into_iter().filter(Plan::is_under_way) {
            let now = Clock::system().now();
            store.take_lease(actor, CLOSER, now, CLOSED).await?;
            store.supersede_plan(actor, &plan.plan_id).await?;
            plans.push((actor, plan.plan_id));
        }
    }
    let finished = wait_for_work(store, actors, &plans);
    tokio::time::timeout(PATIENCE, finished).await.unwrap_or(Ok(()))
}

async fn wait_for_work(store: &Store, actors: &[ActorId], plans: &[(&ActorId, String)]) -> Result<(), StoreError> {
    let mut is_reported = false;
    // A message in delivery holds no lease yet, so two polls in a row must find nothing in progress.
    let mut idle_polls = 0;
    while idle_polls < 2 {
        let (mut generated, mut deleted) = (0, 0);
        for (actor, plan_id) in plans {
            generated += store.slots(actor, plan_id).await?.values().filter(|slot| is_in_progress(slot)).count();
        }
        for actor in actors {
            deleted += store.images(actor).await?.values().filter(|image| image.deleting.is_some()).count();
        }
        idle_polls = if generated + deleted == 0 { idle_polls + 1 } else { 0 };
        if generated > 0 && !is_reported {
            remark(format!(
                "stopping when the images in progress are done ({generated}); press Ctrl-C again to stop at once"
            ));
            is_reported = true;
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

fn is_in_progress(slot: &SlotRecord) -> bool {
    let state = &slot.progress.state;
    state.is_under_way() || !state.is_final() && slot.lease_token.is_some()
}
