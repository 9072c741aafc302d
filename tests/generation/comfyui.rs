//! ComfyUI: what it is asked for, and how the handler responds to each of its answers.

mod configuration;
mod output;

use std::time::Duration;

use balancer_tests::comfyui::{Outcome, Resource};
use balancer_tests::replicate;
use balancer_tests::stack::actor;
use balancer_tests::world::{Fault, World};
use domain::lifecycle::slot::SlotState;
use jiff::SignedDuration;
use wiremock::ResponseTemplate;

use crate::generation::support::{Scenario, always};

/// A request for one image, whose prompts have the outcomes of `script`.
pub(super) async fn image(script: impl Fn(usize) -> Outcome + Send + Sync + 'static) -> Scenario {
    let mut scenario = Scenario::nothing(always(replicate::Outcome::Succeeds)).await;
    scenario.world.set("GENERATOR", "comfyui");
    scenario.world.comfyui.script(script);
    scenario.request(1).await;
    scenario
}

/// The first prompt has this outcome; all others succeed.
pub(super) fn first(outcome: Outcome) -> impl Fn(usize) -> Outcome + Send + Sync + 'static {
    move |index| if index == 0 { outcome.clone() } else { Outcome::Succeeds }
}

/// Asserts that one prompt was queued, and gave the image.
async fn assert_executed_once(scenario: &Scenario) {
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.comfyui.prompts().len(), 1);
}

#[tokio::test]
async fn prompt_has_the_values_of_its_image() {
    let scenario = image(|_| Outcome::Succeeds).await;
    scenario.run().await;
    assert_executed_once(&scenario).await;
    let prompt = scenario.world.comfyui.prompts().remove(0);
    let slot = &scenario.plan().await.slots[0];
    assert_eq!((prompt.seed, prompt.size), (slot.seed.into(), (1360, 768)));
    assert_eq!(prompt.references.len(), 1);
    let uploads = scenario.world.comfyui.uploads();
    assert!(uploads.len() == 1 && uploads[0].starts_with("balancer-"), "{uploads:?}");
}

#[tokio::test]
async fn killed_worker_resumes_through_the_history() {
    for call in ["POST /comfyui/prompt", "GET /comfyui/history", "GET /comfyui/view"] {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let variables = [("GENERATOR", "comfyui"), ("GENERATOR_USD_PER_IMAGE", "0.04"), ("TARGET_TOTAL", "1")];
            let scenario = Scenario { world: World::coded(&variables).await, actor: actor("hero") };
            scenario.world.upload_base_image(&scenario.actor).await;
            scenario.request(1).await;
            scenario.world.network.fail_on(call, fault);
            let trace = scenario.world.drive().await;
            assert_eq!(trace.crashes, 1, "{call} {fault:?}");
            assert_executed_once(&scenario).await;
        }
    }
}

#[tokio::test]
async fn prompt_in_the_queue_is_awaited() {
    let mut scenario = image(|_| Outcome::SucceedsAfter(Duration::from_secs(2))).await;
    scenario.world.time_budget = Some(Duration::from_secs(1));
    scenario.deliver_first().await;
    assert!(matches!(scenario.slot().await.state, SlotState::Predicting { .. }));
    scenario.run().await;
    assert_executed_once(&scenario).await;
}

#[tokio::test]
async fn long_queue_is_no_reason_to_give_up() {
    let mut scenario = image(|_| Outcome::StaysQueued).await;
    scenario.world.time_budget = Some(Duration::from_secs(1));
    scenario.deliver_first().await;
    scenario.world.advance_clock(SignedDuration::from_hours(3));
    scenario.world.generate_one().await;
    let slot = scenario.slot().await;
    assert!(matches!(slot.state, SlotState::Predicting { .. }) && slot.attempt == 0, "{slot:?}");
}

#[tokio::test]
async fn prompt_of_a_lost_response_is_found() {
    let scenario = image(first(Outcome::ResponseLost)).await;
    scenario.run().await;
    assert_executed_once(&scenario).await;
}

#[tokio::test]
async fn prompt_that_never_arrived_is_queued_again() {
    let page = "<html>Bad gateway</html>".to_owned();
    let scenario = image(first(Outcome::Responds(502, page))).await;
    scenario.run().await;
    // The stand-in counts no request that it has not queued.
    assert_executed_once(&scenario).await;
}

#[tokio::test]
async fn prompt_that_ends_between_two_requests_is_found() {
    let scenario = image(|_| Outcome::Succeeds).await;
    scenario.world.comfyui.override_next(Resource::History, ResponseTemplate::new(200).set_body_string("{}"));
    scenario.run().await;
    assert!(scenario.world.comfyui.has_used_overrides());
    assert_executed_once(&scenario).await;
}

#[tokio::test]
async fn restart_of_comfyui_uses_up_no_attempt() {
    let mut scenario = image(first(Outcome::StaysQueued)).await;
    scenario.world.time_budget = Some(Duration::from_secs(1));
    scenario.deliver_first().await;
    scenario.world.comfyui.restart();
    scenario.run().await;
    scenario.assert_all_generated().await;
    let (prompts, slot) = (scenario.world.comfyui.prompts(), scenario.slot().await);
    assert_eq!((prompts.len(), slot.attempt, slot.interruptions), (2, 0, 1));
    assert_ne!(prompts[0].id, prompts[1].id);
    assert_eq!(prompts[0].text, prompts[1].text);
}

#[tokio::test]
async fn cancelled_prompt_is_queued_again() {
    let scenario = image(first(Outcome::Cancelled)).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    assert_eq!((scenario.world.comfyui.prompts().len(), scenario.slot().await.attempt), (2, 0));
}

#[tokio::test]
async fn failing_node_is_named_after_three_attempts() {
    let error = Outcome::Fails("torch.OutOfMemoryError", "Allocation on device 0 would exceed memory");
    let scenario = image(move |_| error.clone()).await;
    scenario.run().await;
    scenario.assert_abandoned("node 12 (KSampler) failed: torch.OutOfMemoryError: Allocation on device", 0).await;
    let prompts = scenario.world.comfyui.prompts();
    assert_eq!(prompts.len(), 3);
    assert_ne!(prompts[0].seed, prompts[1].seed);
}

#[tokio::test]
async fn workflow_without_an_image_is_named() {
    let scenario = image(|_| Outcome::SavesNothing).await;
    scenario.run().await;
    scenario.assert_abandoned("node 14, whose image counts, has saved none", 0).await;
}

#[tokio::test]
async fn rejected_content_gets_another_prompt() {
    let scenario = image(first(Outcome::Fails("Exception", "NSFW content detected"))).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    let prompts = scenario.world.comfyui.prompts();
    assert_ne!(prompts[0].text, prompts[1].text);
}

#[tokio::test]
async fn slot_begun_at_replicate_ends_at_comfyui() {
    for outcome in [replicate::Outcome::StaysIn("processing"), replicate::Outcome::ResponseLost] {
        let mut scenario = Scenario::image(always(outcome)).await;
        scenario.world.time_budget = Some(Duration::from_secs(1));
        scenario.deliver_first().await;
        scenario.world.set("GENERATOR", "comfyui");
        scenario.world.set("GENERATOR_USD_PER_IMAGE", "0");
        scenario.run().await;
        let plan = scenario.plan().await;
        assert_eq!((plan.generated, scenario.world.comfyui.executed()), (1, 1));
        // Replicate may have charged its image.
        assert_eq!((plan.spent.0, plan.committed.0), (40_000, 40_000));
    }
}
