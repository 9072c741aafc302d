//! Makes each call of the handlers to AWS and to the paid services fail once, in every way, and compares the final
//! state with that of an undisturbed run. An undisturbed run finds the calls, so a new call needs no registration here.
//!
//! `CRASH_STRIDE=n` tries every n-th call (default 8; 1 is the complete sweep). Each sweep starts at another offset, so
//! that the sweeps sample different calls.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "the output reports how many calls were tried")]

mod final_state;
mod panics;
mod scenario;
mod stalled;

use std::time::Duration;

use aws::queues::Queue;
use balancer_tests::stack::actor;
use balancer_tests::world::{Delivery, Fault, Trace, World, is_plain_write};
use domain::plan::PlanState;
use futures::{StreamExt, stream};
use handlers::heartbeat::Heartbeat;
use serde_json::json;

use final_state::FinalState;
use scenario::Scenario;

const MAX_CONCURRENT_RUNS: usize = 4;

/// Runs in which each message is delivered three times, in different orders.
const SHUFFLED_RUNS: u64 = 12;

const DEFAULT_STRIDE: usize = 8;

/// Frequent heartbeats multiply the calls of a run, so fewer of them are tried.
const HEARTBEAT_STRIDE: usize = 8;

/// Every n-th call is tried.
fn stride() -> usize {
    let Ok(text) = std::env::var("CRASH_STRIDE") else { return DEFAULT_STRIDE };
    text.parse()
        .ok()
        .filter(|stride| *stride > 0)
        .unwrap_or_else(|| panic!("CRASH_STRIDE={text} is no positive number"))
}

/// One way to disturb a scenario.
#[derive(Debug, Clone, Copy)]
struct Disturbance {
    scenario: Scenario,
    fault: Fault,
    /// Whether a crashed worker's messages are delivered again only after all others.
    redelivered_last: bool,
    heartbeat: Heartbeat,
}

impl Disturbance {
    /// The indices of the calls to try: every n-th of those that the fault can affect.
    fn sample(self, calls: &[String]) -> Vec<usize> {
        let is_frequent = self.heartbeat.interval() < Duration::from_secs(1);
        let stride = if is_frequent { stride() * HEARTBEAT_STRIDE } else { stride() };
        // Coprime to 8, so that at the default stride neighbouring sweeps start at different calls.
        let offset = self.scenario as usize * 5 + self.fault as usize * 3 + usize::from(self.redelivered_last);
        let can_fail = |call: &String| self.fault != Fault::Conflict || is_plain_write(call);
        let affected = calls.iter().enumerate().filter(|(_, call)| can_fail(call)).map(|(index, _)| index);
        affected.skip(offset % stride).step_by(stride).collect()
    }

    /// One run in which the call with this index fails. Returns `false` if the run made fewer calls: messages that are
    /// processed concurrently make a varying number.
    async fn run(self, call: usize, expected: &FinalState) -> Result<bool, String> {
        let mut world = self.scenario.start().await;
        world.heartbeat = self.heartbeat;
        world.network.fail_at(call, self.fault);
        let delivery = Delivery { redelivered_last: self.redelivered_last, ..Delivery::default() };
        let trace = world.drive_with(delivery).await;
        let has_failed = world.network.has_failed();
        let crashes = has_failed && matches!(self.fault, Fault::CrashBefore | Fault::CrashAfter);
        // A worker may end while its last heartbeat crashes.
        let is_exact = self.heartbeat.interval() >= Duration::from_secs(1);
        assert!(trace.crashes == usize::from(crashes) || !is_exact, "call {call} {self:?}");
        let state = FinalState::of(&world, &actor("hero")).await;
        let calls = world.network.calls();
        match state.compare(expected) {
            Ok(()) => Ok(has_failed),
            Err(difference) => {
                let around = &calls[call.saturating_sub(3)..(call + 3).min(calls.len())];
                Err(format!("{self:?}, call {call}, among {around:#?}\n{difference}"))
            }
        }
    }

    async fn sweep(self) {
        let (expected, calls) = self.scenario.undisturbed_with(self.heartbeat).await;
        match self.scenario {
            Scenario::IsSuspended | Scenario::IsSuspendedAfterRequest => expected.assert_suspended(1, 1),
            Scenario::IsSuspendedAfterGeneration => expected.assert_suspended(2, 2),
            Scenario::IsSuspendedAfterDeletion => expected.assert_suspended(0, 1),
            balances => expected.assert_balanced(balances.is_charged()),
        }
        let sample = self.sample(&calls);
        let tried = sample.len();
        let results: Vec<_> = stream::iter(sample)
            .map(|call| self.run(call, &expected))
            .buffer_unordered(MAX_CONCURRENT_RUNS)
            .collect()
            .await;
        let survived = results.iter().filter(|result| **result == Ok(true)).count();
        let failures: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        eprintln!("{self:?}: {survived} of {tried} tried calls survived; a run has {} calls", calls.len());
        assert!(failures.is_empty(), "{} failures; the first: {}", failures.len(), failures[0]);
        assert!(survived > 0, "none of {tried} tried calls was reached");
        // The last calls of a run may not be reached. The number of heartbeats varies.
        let share = if self.heartbeat.interval() < Duration::from_secs(1) { 5 } else { 9 };
        assert!(
            survived + 1 >= tried || survived * 10 >= tried * share,
            "only {survived} of {tried} calls were reached"
        );
    }
}

async fn sweep(scenario: Scenario, fault: Fault) {
    let heartbeat = Heartbeat::default();
    Disturbance { scenario, fault, redelivered_last: false, heartbeat }.sweep().await;
}

#[tokio::test]
async fn crash_before_any_call_leaves_nothing_undone() {
    sweep(Scenario::Balances, Fault::CrashBefore).await;
}

#[tokio::test]
async fn crash_after_any_call_repeats_nothing() {
    sweep(Scenario::Balances, Fault::CrashAfter).await;
}

#[tokio::test]
async fn image_of_a_lost_answer_is_booked_and_redone() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::ResponseLost, Fault::Unavailable] {
        sweep(Scenario::BalancesWithImageEdits, fault).await;
    }
}

#[tokio::test]
async fn image_of_comfyui_is_made_once() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::ResponseLost, Fault::Unavailable] {
        sweep(Scenario::BalancesWithComfyUi, fault).await;
    }
}

#[tokio::test]
async fn embedded_image_is_placed_once() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        sweep(Scenario::BalancesWithEmbedded, fault).await;
    }
}

#[tokio::test]
async fn crash_at_any_heartbeat_repeats_nothing() {
    // So frequent that most steps of a worker coincide with one.
    let heartbeat = Heartbeat::every(Duration::from_millis(4));
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        Disturbance { scenario: Scenario::Balances, fault, redelivered_last: false, heartbeat }.sweep().await;
    }
}

#[tokio::test]
async fn lost_response_of_any_call_changes_nothing() {
    sweep(Scenario::Balances, Fault::ResponseLost).await;
}

#[tokio::test]
async fn unavailable_service_is_retried() {
    sweep(Scenario::Balances, Fault::Unavailable).await;
}

#[tokio::test]
async fn conflicting_write_is_retried() {
    sweep(Scenario::Balances, Fault::Conflict).await;
}

#[tokio::test]
async fn suspended_set_gets_no_new_rounds_after_a_crash() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        sweep(Scenario::IsSuspended, fault).await;
    }
}

#[tokio::test]
async fn late_redelivery_gives_a_suspended_set_no_rounds() {
    for scenario in [
        Scenario::IsSuspended,
        Scenario::IsSuspendedAfterRequest,
        Scenario::IsSuspendedAfterGeneration,
        Scenario::IsSuspendedAfterDeletion,
    ] {
        let heartbeat = Heartbeat::default();
        Disturbance { scenario, fault: Fault::CrashAfter, redelivered_last: true, heartbeat }.sweep().await;
    }
}

/// A plan is running when a forced evaluation finds that the base image is gone. The evaluation's worker crashes after
/// this many calls. Returns `false` if it made fewer.
async fn supersede_with_crash(calls: usize) -> bool {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    world.deliver_once(1, None, &mut Trace::default()).await;
    assert!(world.store.plans(&hero).await.unwrap()[0].is_under_way());
    world.bucket.delete(&format!("{}jpg", world.keys.base_image_stem(&hero))).await.unwrap();
    world.send(Queue::Evaluation, json!({ "actor_id": "hero", "force": true })).await;
    world.network.fail_after(calls, Fault::CrashAfter);
    world.drive().await;

    let plan = world.store.plans(&hero).await.unwrap().remove(0);
    assert_eq!(plan.state, PlanState::Superseded, "after {calls} calls");
    assert!((plan.generated as usize) < plan.slots.len() - 1, "after {calls} calls: {plan:?}");
    assert_eq!(world.replicate.charged(), plan.generated as usize, "after {calls} calls");
    world.network.has_failed()
}

#[tokio::test]
async fn superseded_plan_stops_wherever_the_worker_crashes() {
    let mut calls = 0;
    while supersede_with_crash(calls).await {
        calls += stride();
    }
    eprintln!("superseding: crashes after up to {calls} calls, every {}", stride());
    assert!(calls >= 20, "only {calls} calls were tried");
}

#[tokio::test]
async fn repeated_reordered_deliveries_change_nothing() {
    let (expected, _) = Scenario::Balances.undisturbed().await;
    for seed in 0..SHUFFLED_RUNS {
        let world = Scenario::Balances.start().await;
        world.drive_with(Delivery { times: 3, shuffled_by: Some(seed), ..Delivery::default() }).await;
        let state = FinalState::of(&world, &actor("hero")).await;
        state.compare(&expected).unwrap_or_else(|difference| panic!("shuffled by {seed}\n{difference}"));
    }
}
