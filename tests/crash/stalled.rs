//! A worker stalls before each of its calls, longer than its lease lasts, and then goes on. Other workers have finished its
//! work by then, and the late worker changes nothing any more.

use aws::queues::Queue;
use balancer_tests::stack::actor;
use balancer_tests::world::{Fault, World};

use super::final_state::FinalState;
use super::{MAX_CONCURRENT_RUNS, Scenario, stride};
use futures::{StreamExt, stream};

/// The records of all actors, and the objects of the set and the trash with their versions.
#[derive(Debug, PartialEq)]
struct Contents {
    records: Vec<(String, u64)>,
    objects: Vec<(String, String)>,
}

async fn contents(world: &World) -> Contents {
    let revisions = world.store.revisions().await.unwrap();
    let mut objects = Vec::new();
    for folder in ["training_data/", "trash/"] {
        let listed = world.bucket.list(&format!("system_actors/{folder}")).await.unwrap();
        objects.extend(listed.into_iter().map(|object| (object.key, object.etag)));
    }
    Contents { records: revisions.into_iter().map(|(actor, hash)| (actor.to_string(), hash)).collect(), objects }
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
    compared.map_err(|difference| format!("{scenario:?}, stalled at call {call}, {stalled_at}\n{difference}"))?;
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

/// The queues in which a stalled worker may leave a message; they are delivered again.
#[tokio::test]
async fn released_lease_of_a_stalled_worker_stays_released() {
    let world = Scenario::Balances.start().await;
    let stalling = world.another_network().await;
    stalling.fail_on("TransactWriteItems", Fault::Stall);
    let before = world.drive_with_stall(&stalling, async || contents(&world).await).await;
    assert_eq!(before, Some(contents(&world).await));
    let record = world.store.actor(&actor("hero")).await.unwrap().unwrap();
    assert_eq!((record.lease_token, record.lease_until), (None, None));
    assert_eq!(world.queues.depth_of(Queue::Deletion).await.unwrap(), 0);
}
