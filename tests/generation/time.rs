//! No function works longer than it may, and no image is waited for for ever.

use std::time::{Duration, Instant};

use balancer_tests::replicate::Outcome;
use jiff::SignedDuration;

use crate::support::{Wanted, always, first};

#[tokio::test]
async fn an_image_that_takes_long_is_left_to_a_later_delivery() {
    let mut wanted = Wanted::image(always(Outcome::SucceedsAfter(Duration::from_secs(3)))).await;
    wanted.world.time_budget = Some(Duration::from_secs(1));
    for _ in 0..2 {
        let began = Instant::now();
        wanted.work_once().await;
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 1);
}

#[tokio::test]
async fn a_worker_without_time_begins_nothing() {
    let mut wanted = Wanted::image(always(Outcome::Succeeds)).await;
    wanted.world.time_budget = Some(Duration::ZERO);
    wanted.work_once().await;
    assert_eq!((wanted.world.replicate.creations(), wanted.plan().await.committed.0), (0, 0));
    wanted.world.time_budget = None;
    wanted.work().await;
    wanted.assert_all_made().await;
}

#[tokio::test]
async fn an_image_that_never_ends_is_counted_as_paid_after_three_quarters_of_an_hour() {
    for status in ["processing", "a_status_that_nobody_knows"] {
        let mut wanted = Wanted::image(first(Outcome::Stays(status))).await;
        wanted.world.time_budget = Some(Duration::from_secs(1));
        wanted.work_once().await;
        wanted.world.advance_clock(SignedDuration::from_mins(46));
        wanted.work().await;
        wanted.assert_all_made_for(2).await;
    }
}
