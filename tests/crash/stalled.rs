//! A worker stalls before each of its calls, longer than its lease lasts, and then goes on. Other workers have finished its
//! work by then, and the late worker changes nothing any more.

use std::collections::BTreeMap;

use aws::store::actors::ActorRecord;
use aws::store::slots::SlotRecord;
use balancer_tests::harness::KEY_PREFIX;
use balancer_tests::stack::actor;
use balancer_tests::world::{Fault, World};
use domain::plan::Plan;
use futures::future::try_join_all;
use futures::{StreamExt, stream};

use super::final_state::FinalState;
use super::{MAX_CONCURRENT_RUNS, Scenario, stride};

/// Everything that the work on an actor has written. The desired revision is left out: the handler of an upload's event
/// needs no lease, and its late write requests another evaluation, which finds nothing to do.
#[derive(Debug, PartialEq)]
struct Contents {
    record: ActorRecord,
    manifest: String,
    plans: Vec<Plan>,
    slots: Vec<BTreeMap<String, SlotRecord>>,
    /// The objects of the set and the trash with their versions. A late object in the staging area expires.
    objects: Vec<(String, String)>,
}

async fn contents(world: &World) -> Contents {
    let hero = actor("hero");
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    let untouched = ActorRecord::default();
    let record = ActorRecord {
        desired_revision: untouched.desired_revision,
        observed_revision: untouched.observed_revision,
        changed_at: untouched.changed_at,
        evaluation_scheduled_at: untouched.evaluation_scheduled_at,
        ..record
    };
    let plans = world.plans(&hero).await;
    let slots = plans.iter().map(|plan| world.store.slots(&hero, &plan.plan_id));
    let slots = try_join_all(slots).await.unwrap();
    let mut objects = Vec::new();
    for folder in ["training_data/", "trash/"] {
        let listed = world.bucket.list(&format!("{KEY_PREFIX}/{folder}")).await.unwrap();
        objects.extend(listed.into_iter().map(|object| (object.key, object.etag)));
    }
    let manifest = serde_json::to_string_pretty(&world.manifest(&hero).await).unwrap();
    Contents { record, manifest, plans, slots, objects }
}

/// One run in which the worker stalls before the call with this index. Returns the call; `None` if there were fewer.
async fn run(scenario: Scenario, call: usize, expected: &FinalState) -> Result<Option<String>, String> {
    let world = scenario.start().await;
    let stalling = world.another_network().await;
    stalling.fail_at(call, Fault::Stall);
    let Some(before) = world.drive_with_stall(&stalling, async || contents(&world).await).await else {
        return Ok(None);
    };
    let stalled_at = stalling.calls()[call].clone();
    let after = contents(&world).await;
    if before != after {
        return Err(format!(
            "the worker that stalled at call {call}, {stalled_at}, changed\n{before:#?}\nto\n{after:#?}"
        ));
    }
    world.drive().await;
    let state = FinalState::of(&world, &actor("hero")).await;
    let compared = state.without_charges().compare(&expected.without_charges());
    compared.map_err(|difference| format!("call {call}, {stalled_at}, led to another end\n{difference}"))?;
    Ok(Some(stalled_at))
}

#[tokio::test]
async fn late_worker_changes_nothing_at_any_call() {
    let (expected, calls) = Scenario::Balances.undisturbed().await;
    let sample = (0..calls.len()).skip(3 % stride()).step_by(stride());
    let results: Vec<_> = stream::iter(sample)
        .map(|call| run(Scenario::Balances, call, &expected))
        .buffer_unordered(MAX_CONCURRENT_RUNS)
        .collect()
        .await;
    let stalled: Vec<&String> = results.iter().filter_map(|result| result.as_ref().ok()?.as_ref()).collect();
    let writes = stalled.iter().filter(|call| is_write(call)).count();
    let failures: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    for failure in &failures {
        eprintln!("{failure}");
    }
    eprintln!(
        "{} of {} calls stalled, {writes} of them writes; a run has {}",
        stalled.len(),
        results.len(),
        calls.len()
    );
    assert!(failures.is_empty(), "{} failures; the first: {}", failures.len(), failures[0]);
    assert!(writes > 0 && stalled.len() * 10 >= results.len() * 8, "only {} stalled", stalled.len());
}

fn is_write(call: &str) -> bool {
    ["UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems", "PUT ", "DELETE "].iter().any(|it| call.contains(it))
}

#[tokio::test]
async fn stalled_evaluation_takes_no_lease_back() {
    let world = Scenario::Balances.start().await;
    let stalling = world.another_network().await;
    // The evaluation that adopts the plan.
    stalling.fail_on("TransactWriteItems", Fault::Stall);
    let before = world.drive_with_stall(&stalling, async || contents(&world).await).await;
    assert_eq!(before, Some(contents(&world).await));
    let record = world.store.actor(&actor("hero")).await.unwrap().unwrap();
    assert_eq!((record.lease_token, record.lease_until), (None, None));
}
