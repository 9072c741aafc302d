//! A panic in the middle of a stage: what was taken hold of is let go, so that the next delivery finds its way free, and
//! after the last one the actor says what happened.

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

use crate::Tale;

/// A clock that tells the time so often, and then panics.
fn failing_after(times: usize) -> Clock {
    let told = AtomicUsize::new(0);
    Clock::telling(move || {
        assert!(told.fetch_add(1, Ordering::SeqCst) < times, "the clock stands still");
        Timestamp::now()
    })
}

fn delivered(body: &Value, times: u32) -> SqsEvent {
    let attributes = json!({ "ApproximateReceiveCount": times.to_string() });
    let record = json!({ "messageId": "m", "receiptHandle": "r", "body": body.to_string(), "attributes": attributes });
    serde_json::from_value(json!({ "Records": [record] })).unwrap()
}

#[tokio::test]
async fn an_evaluation_that_panics_lets_go_of_its_lease_and_fails_each_time_until_its_actor_says_so() {
    let (world, hero) = (Tale::Balances.begin().await, actor("hero"));
    let command = json!({ "actor_id": "hero" });
    for delivery in 1..=MAX_DELIVERIES {
        let mut worker = world.evaluation().await;
        // Told when the lease is taken, and not any more when the plan is named.
        worker.handler.clock = failing_after(1);
        let answer = worker.process_batch(delivered(&command, delivery)).await;
        assert_eq!(answer.batch_item_failures[0].item_identifier, "m", "delivery {delivery}");
        assert_eq!(world.store.actor(&hero).await.unwrap().unwrap().lease_token, None, "delivery {delivery}");
    }
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.reason.unwrap().contains("the clock stands still"));
}

#[tokio::test]
async fn an_image_whose_making_panics_is_made_by_the_next_delivery() {
    let (world, hero) = (Tale::Balances.begin().await, actor("hero"));
    let plan = a_plan(&world).await;
    let message = json!({ "actor_id": "hero", "plan_id": plan.plan_id, "slot_id": plan.slots[0].slot_id });
    let mut worker = world.generation().await;
    // Told when the slot is claimed, and not any more when its price is set aside.
    worker.handler.clock = failing_after(1);
    assert_eq!(worker.process_batch(delivered(&message, 1)).await.batch_item_failures.len(), 1);
    assert!(world.generation().await.process_batch(delivered(&message, 2)).await.batch_item_failures.is_empty());
    assert_eq!(world.manifest(&hero).await.images.len(), 1);
}

/// A plan that makes one image, with nothing done yet.
async fn a_plan(world: &World) -> Plan {
    let order = json!({ "actor_id": "hero", "generate": { "bw_stylized": 1 } });
    assert!(world.generation().await.process_batch(delivered(&order, 1)).await.batch_item_failures.is_empty());
    world.store.plans(&actor("hero")).await.unwrap().remove(0)
}
