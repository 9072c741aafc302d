//! A Replicate that is unavailable for a while.

use balancer_tests::replicate::Outcome;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::{Wanted, always, refusal};

#[tokio::test]
async fn half_an_hour_is_waited_out_without_a_failure() {
    let wanted = Wanted::image(|index, _| if index < 8 { refusal(503, "busy") } else { Outcome::Succeeds }).await;
    let began = wanted.world.clock.now();
    wanted.work().await;
    wanted.assert_all_made().await;
    assert!(wanted.world.clock.now().duration_since(began) > SignedDuration::from_mins(30));
    let failures = wanted.world.network.calls().into_iter().filter(|call| call.contains("ChangeMessageVisibility"));
    assert_eq!(failures.count(), 0, "waiting uses up no delivery");
}

#[tokio::test]
async fn after_an_hour_a_person_is_asked() {
    for fate in [refusal(503, "busy"), Outcome::Answers(201, json!({ "message": "hello" }))] {
        let wanted = Wanted::image(always(fate)).await;
        let began = wanted.world.clock.now();
        wanted.work().await;
        wanted.assert_dead_letter(&["Replicate", "dead-letter"]).await;
        let waited = wanted.world.clock.now().duration_since(began).as_mins();
        assert!((60..80).contains(&waited), "{waited} minutes");
        assert!(wanted.world.replicate.creations() < 30, "{}", wanted.world.replicate.creations());
    }
}

#[tokio::test]
async fn what_could_not_be_sent_at_all_is_known_not_to_have_begun() {
    let mut wanted = Wanted::image(always(Outcome::Succeeds)).await;
    wanted.world.set("REPLICATE_BASE_URL", "http://127.0.0.1:1");
    wanted.work_once().await;
    let slot = wanted.slot().await;
    assert!(slot.asked_at.is_none() && slot.outage_since.is_some(), "{slot:#?}");
    let back = format!("{}/replicate", wanted.world.network.address());
    wanted.world.set("REPLICATE_BASE_URL", &back);
    wanted.work().await;
    wanted.assert_all_made().await;
    assert_eq!(wanted.slot().await.outage_since, None);
}
