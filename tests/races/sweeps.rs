//! Work whose messages were lost is resumed by a sweep, and only that.

use std::time::Duration;

use aws::queues::Queue;
use aws_lambda_events::event::sqs::SqsEvent;
use balancer_tests::coded::coded_picture;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::plan::PlanState;
use domain::status::Status;
use handlers::lambda::Worker;
use handlers::{Handler, HandlerError, Message};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::guards::{Deleting, fail_delivery};

const STALLED_AFTER: SignedDuration = SignedDuration::from_hours(3);

/// A set with a bad image and without the others that the target wants.
async fn unbalanced() -> (World, ActorId) {
    let (world, hero) = (World::coded(&[("TARGET_TOTAL", "3")]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.upload(&hero, "hero_1.jpg", &coded_picture(Kind::Photorealistic, 2, 1)).await;
    world.wait_for_messages(1).await;
    (world, hero)
}

async fn lose_all_messages(world: &World) {
    for queue in [Queue::Evaluation, Queue::Deletion, Queue::Generation] {
        world.lose_messages(queue).await;
    }
}

/// Delivers messages until the evaluation of the upload is scheduled.
async fn schedule_evaluation(world: &World, hero: &ActorId) {
    while world.store.actor(hero).await.unwrap().is_none_or(|record| record.evaluation_scheduled_at.is_none()) {
        world.deliver_batch(Queue::Evaluation).await;
    }
}

async fn sweep(world: &World) {
    world.send(Queue::Evaluation, json!({ "sweep": "stalled" })).await;
    world.drive().await;
}

async fn status(world: &World, hero: &ActorId) -> Status {
    world.store.actor(hero).await.unwrap().unwrap().status
}

#[tokio::test]
async fn lost_evaluation_of_uploads_is_resumed() {
    let (world, hero) = unbalanced().await;
    schedule_evaluation(&world, &hero).await;
    lose_all_messages(&world).await;
    sweep(&world).await;
    assert_eq!(status(&world, &hero).await, Status::Waiting, "its message may only be late");
    world.advance_clock(STALLED_AFTER);
    sweep(&world).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

#[tokio::test]
async fn plan_is_resumed_wherever_its_messages_were_lost() {
    for state in [PlanState::Deleting, PlanState::Generating, PlanState::Completed] {
        let (world, hero) = unbalanced().await;
        let state_of_plan = async || world.store.plans(&hero).await.unwrap().first().map(|plan| plan.state);
        while state_of_plan().await.is_none() {
            world.deliver_batch(Queue::Evaluation).await;
        }
        if state != PlanState::Deleting {
            assert!(world.deliver_batch(Queue::Deletion).await);
        }
        while state == PlanState::Completed && world.deliver_batch(Queue::Generation).await {}
        assert_eq!(state_of_plan().await, Some(state));
        lose_all_messages(&world).await;
        world.drive().await;
        assert_eq!(status(&world, &hero).await, Status::Balancing, "{state:?}");
        world.advance_clock(STALLED_AFTER);
        sweep(&world).await;
        assert_eq!(status(&world, &hero).await, Status::Balanced, "{state:?}");
        assert_eq!(world.store.plans(&hero).await.unwrap().len(), 1, "{state:?}");
        assert_eq!(world.replicate.charged(), 3, "{state:?}");
    }
}

#[tokio::test]
async fn message_in_back_off_is_not_repeated() {
    let (world, hero) = unbalanced().await;
    while world.store.plans(&hero).await.unwrap().is_empty() {
        world.deliver_batch(Queue::Evaluation).await;
    }
    lose_all_messages(&world).await;
    world.advance_clock(STALLED_AFTER);
    let plan_id = world.store.plans(&hero).await.unwrap().remove(0).plan_id;
    let body = json!({ "actor_id": hero, "plan_id": plan_id });
    fail_delivery(&world, Deleting, &body, world.clock.now(), 2).await;
    sweep(&world).await;
    assert_eq!(status(&world, &hero).await, Status::Balancing);
    world.advance_clock(STALLED_AFTER + SignedDuration::from_secs(5));
    sweep(&world).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

/// Defers every message by this time.
struct Deferring(Duration);

impl Handler for Deferring {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, _: Message<'_>) -> Result<(), HandlerError> {
        Err(HandlerError::Deferred { reason: "the service is unavailable".to_owned(), after: self.0 })
    }
}

async fn defer(world: &World, body: &Value, after: Duration) {
    let Worker { store, queues, heartbeat, clock, .. } = world.deletion();
    let record = json!({ "messageId": "m", "receiptHandle": "r", "body": body.to_string() });
    let batch: SqsEvent = serde_json::from_value(json!({ "Records": [record] })).unwrap();
    let worker = Worker { handler: Deferring(after), store, queues, heartbeat, clock };
    assert!(worker.process_batch(batch).await.batch_item_failures.is_empty());
}

#[tokio::test]
async fn long_deferred_message_is_not_repeated() {
    let (world, hero) = unbalanced().await;
    while world.store.plans(&hero).await.unwrap().is_empty() {
        world.deliver_batch(Queue::Evaluation).await;
    }
    world.advance_clock(STALLED_AFTER);
    let plan_id = world.store.plans(&hero).await.unwrap().remove(0).plan_id;
    let body = json!({ "actor_id": hero, "plan_id": plan_id });
    let redelivery_at = async || world.store.actor(&hero).await.unwrap().unwrap().redelivery_at;
    defer(&world, &body, Duration::from_secs(30)).await;
    assert_eq!(redelivery_at().await, None, "a short deferral costs no write");
    let long = Duration::from_secs(900);
    let expected = world.clock.now() + long;
    defer(&world, &body, long).await;
    assert!(redelivery_at().await.unwrap() >= expected);
    // The copies would bring the plan to its end.
    lose_all_messages(&world).await;
    sweep(&world).await;
    assert_eq!(status(&world, &hero).await, Status::Balancing);
    world.advance_clock(STALLED_AFTER);
    sweep(&world).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

#[tokio::test]
async fn actor_at_rest_is_left_alone() {
    let (world, hero) = unbalanced().await;
    world.drive().await;
    let before = world.store.actor(&hero).await.unwrap();
    world.advance_clock(STALLED_AFTER * 100);
    sweep(&world).await;
    assert_eq!(world.store.actor(&hero).await.unwrap(), before);
}

#[tokio::test]
async fn upload_after_a_lost_message_is_evaluated() {
    let (world, hero) = unbalanced().await;
    schedule_evaluation(&world, &hero).await;
    lose_all_messages(&world).await;
    world.advance_clock(SignedDuration::from_hours(2));
    world.upload(&hero, "hero_2.jpg", &coded_picture(Kind::BwStylized, 9, 78)).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

#[tokio::test]
async fn late_mark_of_a_schedule_hides_no_upload() {
    let (world, hero) = unbalanced().await;
    let raised = world.store.raise_revision(&hero, world.clock.now()).await.unwrap();
    world.drive().await;
    // The worker that raised the revision stalled before it recorded the message that it had sent.
    world.store.mark_evaluation_scheduled(&hero, &raised, world.clock.now()).await.unwrap();
    world.upload(&hero, "hero_100.jpg", &coded_picture(Kind::BwStylized, 9, 78)).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    assert!(world.store.image(&hero, "hero_100.jpg").await.unwrap().is_some());
}
