//! Time budgets of workers and predictions.

use std::time::Duration;

use balancer_tests::replicate::Outcome;
use jiff::SignedDuration;

use crate::generation::support::{Scenario, always, first};

#[tokio::test]
async fn long_prediction_continues_in_a_later_delivery() {
    let mut scenario = Scenario::image(always(Outcome::SucceedsAfter(Duration::from_secs(6)))).await;
    scenario.world.time_budget = Some(Duration::from_secs(1));
    scenario.deliver_first().await;
    assert!(scenario.files().await.is_empty(), "the delivery ends before the image is ready");
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 1);
}

#[tokio::test]
async fn worker_without_time_begins_nothing() {
    let mut scenario = Scenario::image(always(Outcome::Succeeds)).await;
    scenario.world.time_budget = Some(Duration::ZERO);
    scenario.deliver_first().await;
    assert_eq!((scenario.world.replicate.creations(), scenario.plan().await.committed.0), (0, 0));
    scenario.world.time_budget = None;
    scenario.run().await;
    scenario.assert_all_generated().await;
}

#[tokio::test]
async fn endless_prediction_is_booked_after_45_minutes() {
    for status in ["processing", "an_unknown_status"] {
        let mut scenario = Scenario::image(first(Outcome::StaysIn(status))).await;
        scenario.world.time_budget = Some(Duration::from_secs(1));
        scenario.deliver_first().await;
        scenario.world.advance_clock(SignedDuration::from_mins(46));
        scenario.run().await;
        scenario.assert_all_generated_for(2).await;
    }
}
