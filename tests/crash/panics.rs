//! A panic in a handler: it releases its lease, so that the next delivery can resume, and after the last delivery the
//! actor needs attention.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lambda_events::event::sqs::SqsEvent;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::plan::Plan;
use domain::status::Status;
use handlers::Clock;
use handlers::lambda::MAX_DELIVERIES;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Scenario;

/// A clock that returns the time this often, and then panics.
fn failing_after(times: usize) -> Clock {
    let reads = AtomicUsize::new(0);
    Clock::telling(move || {
        assert!(reads.fetch_add(1, Ordering::SeqCst) < times, "the clock has stopped");
        Timestamp::now()
    })
}

fn delivered(body: &Value, times: u32) -> SqsEvent {
    let attributes = json!({ "ApproximateReceiveCount": times.to_string() });
    let record = json!({ "messageId": "m", "receiptHandle": "r", "body": body.to_string(), "attributes": attributes });
    serde_json::from_value(json!({ "Records": [record] })).unwrap()
}

#[tokio::test]
async fn panicking_evaluation_releases_its_lease() {
    let (world, hero) = (Scenario::Balances.start().await, actor("hero"));
    let command = json!({ "actor_id": "hero" });
    for delivery in 1..=MAX_DELIVERIES {
        let mut worker = world.evaluation().await;
        // The first two reads determine the turn and take the lease; the third one would create the plan id.
        worker.handler.clock = failing_after(2);
        let answer = worker.process_batch(delivered(&command, delivery)).await;
        assert_eq!(answer.batch_item_failures[0].item_identifier, "m", "delivery {delivery}");
        assert_eq!(world.store.actor(&hero).await.unwrap().unwrap().lease_token, None, "delivery {delivery}");
    }
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.reason.unwrap().contains("the clock has stopped"));
}

#[tokio::test]
async fn generation_recovers_from_a_panic() {
    let (world, hero) = (Scenario::Balances.start().await, actor("hero"));
    let plan = new_plan(&world).await;
    let message = json!({ "actor_id": "hero", "plan_id": plan.plan_id, "slot_id": plan.slots[0].slot_id });
    let mut worker = world.generation().await;
    // The first read takes the slot's lease; the second one would reserve the price.
    worker.handler.clock = failing_after(1);
    assert_eq!(worker.process_batch(delivered(&message, 1)).await.batch_item_failures.len(), 1);
    assert!(world.generation().await.process_batch(delivered(&message, 2)).await.batch_item_failures.is_empty());
    assert_eq!(world.manifest(&hero).await.images.len(), 1);
}

/// A plan with one slot, before any work on it.
async fn new_plan(world: &World) -> Plan {
    let request = json!({ "actor_id": "hero", "generate": { "bw_stylized": 1 } });
    assert!(world.generation().await.process_batch(delivered(&request, 1)).await.batch_item_failures.is_empty());
    world.store.plans(&actor("hero")).await.unwrap().remove(0)
}
