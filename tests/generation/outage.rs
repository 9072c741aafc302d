//! Outages of Replicate.

use balancer_tests::replicate::Outcome;
use domain::lifecycle::slot::SlotState;
use jiff::SignedDuration;
use serde_json::json;

use crate::generation::support::{Scenario, always, rejection};

#[tokio::test]
async fn outage_of_half_an_hour_causes_no_failure() {
    let scenario = Scenario::image(|index, _| if index < 8 { rejection(503, "busy") } else { Outcome::Succeeds }).await;
    let began = scenario.world.clock.now();
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert!(scenario.world.clock.now().duration_since(began) > SignedDuration::from_mins(30));
    let failures = scenario.world.network.calls().into_iter().filter(|call| call.ends_with("ChangeMessageVisibility"));
    assert_eq!(failures.count(), 0, "deferrals use up no delivery");
}

#[tokio::test]
async fn outage_of_an_hour_dead_letters_the_message() {
    for outcome in [rejection(503, "busy"), Outcome::Responds(201, json!({ "message": "hello" }))] {
        let scenario = Scenario::image(always(outcome)).await;
        let began = scenario.world.clock.now();
        scenario.run().await;
        scenario.assert_dead_letter(&["Replicate", "dead-letter"]).await;
        let waited = scenario.world.clock.now().duration_since(began).as_mins();
        assert!((60..80).contains(&waited), "{waited} minutes");
        assert!(scenario.world.replicate.creations() < 30, "{}", scenario.world.replicate.creations());
    }
}

#[tokio::test]
async fn unsent_creation_is_known_to_have_begun_nothing() {
    let mut scenario = Scenario::image(always(Outcome::Succeeds)).await;
    scenario.world.set("REPLICATE_BASE_URL", "http://127.0.0.1:1");
    scenario.deliver_first().await;
    let slot = scenario.slot().await;
    assert!(matches!(slot.state, SlotState::Reserved { .. }) && slot.outage_since.is_some(), "{slot:#?}");
    let reachable = format!("{}/replicate", scenario.world.network.address());
    scenario.world.set("REPLICATE_BASE_URL", &reachable);
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!(scenario.slot().await.outage_since, None);
}
