//! Work that no longer concerns an actor or a slot does not change its record.

use aws::queues::Queue;
use aws::store::deletions::{Claim, Remains};
use aws::store::leases::Leased;
use aws::store::plans::Adoption;
use aws::store::slots::{SlotName, SlotRecord};
use aws::store::verdicts::{Answers, Verdict};
use aws_lambda_events::event::sqs::SqsEvent;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::budget::{Budget, Charge};
use domain::lifecycle::deletion::Version;
use domain::lifecycle::slot::SlotEvent;
use domain::manifest::Image;
use domain::money::MicroUsd;
use domain::plan::{Origin, Plan, PlanState, PlannedDeletion};
use domain::status::Status;
use domain::trash::TrashRecord;
use handlers::heartbeat::Heartbeat;
use handlers::lambda::{MAX_DELIVERIES, Worker};
use handlers::{Handler, HandlerError, Message};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Handlers that always fail, one for each queue.
struct Generating;
pub(super) struct Deleting;
pub(crate) struct Evaluating;

fn failure(message: Message<'_>) -> HandlerError {
    HandlerError::Encoding(image::ImageError::IoError(std::io::Error::other(message.request_id.to_owned())))
}

impl Handler for Generating {
    const QUEUE: Queue = Queue::Generation;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        Err(failure(message))
    }
}

impl Handler for Deleting {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        Err(failure(message))
    }
}

impl Handler for Evaluating {
    const QUEUE: Queue = Queue::Evaluation;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        Err(failure(message))
    }
}

/// Delivers a message for the last time to a handler that fails.
pub(crate) async fn fail_last_delivery(world: &World, handler: impl Handler, body: &Value, sent: Timestamp) {
    fail_delivery(world, handler, body, sent, MAX_DELIVERIES).await;
}

pub(super) async fn fail_delivery(world: &World, handler: impl Handler, body: &Value, sent: Timestamp, delivery: u32) {
    let attributes = json!({
        "ApproximateReceiveCount": delivery.to_string(),
        "SentTimestamp": sent.as_millisecond().to_string(),
    });
    let record = json!({ "messageId": "m", "receiptHandle": "r", "body": body.to_string(), "attributes": attributes });
    let batch: SqsEvent = serde_json::from_value(json!({ "Records": [record] })).unwrap();
    let (store, queues, clock) = (world.store.clone(), world.queues.clone(), world.clock.clone());
    let answer = Worker { handler, store, queues, heartbeat: Heartbeat::default(), clock }.process_batch(batch).await;
    assert_eq!(answer.batch_item_failures.len(), 1);
}

pub(super) async fn status(world: &World, actor: &ActorId) -> Status {
    world.store.actor(actor).await.unwrap().unwrap().status
}

fn verdict(status: Status, revision: u64) -> Verdict<'static> {
    let answers = Answers::Revision(revision);
    Verdict { status, reason: "verdict of a test", round: 1, answers, suspension: None }
}

fn plan(name: &str, origin: Origin, now: Timestamp) -> Plan {
    Plan { remaining: 1, ..Plan::empty(name.to_owned(), now, origin) }
}

/// An actor whose plan `p` is running. The evaluation that adopted it has answered the request `m`.
pub(super) async fn balancing() -> (World, ActorId) {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let now = world.clock.now();
    world.store.raise_revision_once(&hero, "m", now).await.unwrap();
    world.store.lease_actor(&hero, "token", now).await.unwrap().unwrap();
    let plan = plan("p", Origin::Evaluation, now);
    let verdict = verdict(Status::Balancing, 1);
    let adoption = Adoption { plan: &plan, generation: None, verdict: &verdict, must_be_unchanged: true };
    assert!(world.store.adopt_plan(&hero, "token", &adoption, now).await.unwrap());
    (world, hero)
}

/// Ends an evaluation with the verdict balanced.
async fn balance(world: &World, hero: &ActorId) {
    let now = world.clock.now();
    let record = world.store.lease_actor(hero, "later", now).await.unwrap().unwrap();
    let verdict = verdict(Status::Balanced, record.desired_revision);
    world.store.settle(hero, "later", &verdict, now).await.unwrap();
    assert_eq!(status(world, hero).await, Status::Balanced);
}

/// Finishes the only piece of a plan's work, and reviews it.
async fn review(world: &World, hero: &ActorId, plan_id: &str) {
    let plan = world.store.plan(hero, plan_id).await.unwrap().unwrap();
    world.store.finish_deletions(hero, &plan, 0).await.unwrap();
    world.store.review_plan(hero, plan_id).await.unwrap();
    assert_eq!(world.store.plan(hero, plan_id).await.unwrap().unwrap().state, PlanState::Reviewed);
}

fn slot_of(plan: &str) -> Value {
    json!({ "actor_id": "hero", "plan_id": plan, "slot_id": "001" })
}

#[tokio::test]
async fn dead_letter_of_active_plan_is_reported() {
    for (queue, body) in [
        (Queue::Generation, slot_of("p")),
        (Queue::Deletion, json!({ "actor_id": "hero", "plan_id": "p" })),
        (Queue::Evaluation, json!({ "actor_id": "hero", "cause": { "plan_done": "p" } })),
    ] {
        let (world, hero) = balancing().await;
        let now = world.clock.now();
        match queue {
            Queue::Generation => fail_last_delivery(&world, Generating, &body, now).await,
            Queue::Deletion => fail_last_delivery(&world, Deleting, &body, now).await,
            Queue::Evaluation => fail_last_delivery(&world, Evaluating, &body, now).await,
        }
        assert_eq!(status(&world, &hero).await, Status::NeedsAttention, "{body}");
    }
}

#[tokio::test]
async fn dead_evaluation_of_undispatched_plan_is_reported() {
    for body in [
        json!({ "actor_id": "hero" }),
        json!({ "actor_id": "hero", "cause": "uploads" }),
        json!({ "actor_id": "hero", "cause": { "plan_done": "earlier" } }),
    ] {
        let (world, hero) = balancing().await;
        // The evaluation that adopted the plan began later, so the message concerns the actor only through the plan.
        let before = world.clock.now() - SignedDuration::from_secs(5);
        fail_last_delivery(&world, Deleting, &json!({ "actor_id": "hero", "plan_id": "earlier" }), before).await;
        assert_eq!(status(&world, &hero).await, Status::Balancing, "no deletion resumes the dispatch");
        fail_last_delivery(&world, Evaluating, &body, before).await;
        assert_eq!(status(&world, &hero).await, Status::NeedsAttention, "{body}");
    }
}

#[tokio::test]
async fn dead_evaluation_beside_dispatched_plan_is_silent() {
    let (world, hero) = balancing().await;
    let before = world.clock.now() - SignedDuration::from_secs(5);
    let plan = world.store.plan(&hero, "p").await.unwrap().unwrap();
    world.store.mark_dispatched(&hero, &plan).await.unwrap();
    for body in [json!({ "actor_id": "hero" }), json!({ "actor_id": "hero", "cause": { "plan_done": "earlier" } })] {
        fail_last_delivery(&world, Evaluating, &body, before).await;
        assert_eq!(status(&world, &hero).await, Status::Balancing, "{body}");
    }
}

#[tokio::test]
async fn dead_letter_of_superseded_plan_is_not_reported() {
    let (world, hero) = balancing().await;
    let now = world.clock.now();
    world.store.supersede_plan(&hero, "p").await.unwrap();
    fail_last_delivery(&world, Generating, &slot_of("p"), now).await;
    assert_eq!(status(&world, &hero).await, Status::Balancing, "the evaluation that superseded it is under way");
    balance(&world, &hero).await;
    fail_last_delivery(&world, Generating, &slot_of("p"), now).await;
    fail_last_delivery(&world, Deleting, &json!({ "actor_id": "hero", "plan_id": "p" }), now).await;
    fail_last_delivery(&world, Evaluating, &json!({ "actor_id": "hero", "cause": { "plan_done": "p" } }), now).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

/// A superseded plan with a deletion that was interrupted after the claim.
async fn superseded_while_it_deletes() -> (World, ActorId) {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let now = world.clock.now();
    let filename = "hero_1.jpg".to_owned();
    let image = Image { etag: Some("1".to_owned()), ..Image::default() };
    world.store.import_image(&hero, &filename, &image).await.unwrap();
    world.store.lease_actor(&hero, "token", now).await.unwrap().unwrap();
    let deletion = PlannedDeletion { filename: filename.clone(), etag: "1".to_owned(), reason: "blurred".to_owned() };
    let plan = Plan { delete: vec![deletion], ..plan("p", Origin::Evaluation, now) };
    let verdict = verdict(Status::Balancing, 0);
    let adoption = Adoption { plan: &plan, generation: None, verdict: &verdict, must_be_unchanged: true };
    assert!(world.store.adopt_plan(&hero, "token", &adoption, now).await.unwrap());
    let wanted = TrashRecord {
        plan_id: "p".to_owned(),
        deleted_at: now,
        reason: "blurred".to_owned(),
        image,
        sidecars: Vec::new(),
    };
    let claim = world.store.claim_deletion(&hero, &filename, &wanted, Version::Assessed, "t").await.unwrap();
    assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    world.store.supersede_plan(&hero, "p").await.unwrap();
    (world, hero)
}

#[tokio::test]
async fn dead_letter_of_claimed_deletion_is_reported() {
    let (world, hero) = superseded_while_it_deletes().await;
    balance(&world, &hero).await;
    let message = json!({ "actor_id": "hero", "plan_id": "p" });
    fail_last_delivery(&world, Deleting, &message, world.clock.now()).await;
    assert_eq!(status(&world, &hero).await, Status::NeedsAttention);

    world.store.end_deletion(&hero, "hero_1.jpg", "p", Remains::Trashed).await.unwrap();
    balance(&world, &hero).await;
    fail_last_delivery(&world, Deleting, &message, world.clock.now()).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

#[tokio::test]
async fn dead_letter_of_reviewed_plan_is_not_reported() {
    let (world, hero) = balancing().await;
    balance(&world, &hero).await;
    review(&world, &hero, "p").await;
    fail_last_delivery(&world, Generating, &slot_of("p"), world.clock.now()).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

#[tokio::test]
async fn dead_letter_of_running_manual_plan_is_reported() {
    let (world, hero) = balancing().await;
    balance(&world, &hero).await;
    let now = world.clock.now();
    world.store.record_plan(&hero, &plan("manual-1", Origin::Manual, now)).await.unwrap();
    fail_last_delivery(&world, Generating, &slot_of("manual-1"), now).await;
    assert_eq!(status(&world, &hero).await, Status::NeedsAttention);
    balance(&world, &hero).await;
    review(&world, &hero, "manual-1").await;
    fail_last_delivery(&world, Generating, &slot_of("manual-1"), now).await;
    assert_eq!(status(&world, &hero).await, Status::Balanced);
}

#[tokio::test]
async fn dead_request_is_reported_unless_answered() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let now = world.clock.now();
    let uploads = json!({ "actor_id": "hero", "cause": "uploads" });
    for (body, is_request) in [(json!({ "actor_id": "hero" }), true), (uploads, false)] {
        if is_request {
            world.store.raise_revision_once(&hero, "m", now).await.unwrap();
        } else {
            world.store.raise_revision(&hero, now).await.unwrap();
        }
        fail_last_delivery(&world, Evaluating, &body, now).await;
        assert_eq!(status(&world, &hero).await, Status::NeedsAttention, "{body}");
        balance(&world, &hero).await;
        fail_last_delivery(&world, Evaluating, &body, now).await;
        assert_eq!(status(&world, &hero).await, Status::Balanced, "{body}");
    }
    // No evaluation carries out a manual request.
    fail_last_delivery(&world, Deleting, &json!({ "actor_id": "hero", "filenames": ["hero_1.jpg"] }), now).await;
    assert_eq!(status(&world, &hero).await, Status::NeedsAttention);
}

#[tokio::test]
async fn only_running_and_held_plans_are_superseded() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    for (at, (before, remaining, after)) in [
        (PlanState::Adopted, 2, PlanState::Superseded),
        (PlanState::Deleting, 2, PlanState::Superseded),
        (PlanState::Generating, 2, PlanState::Superseded),
        (PlanState::AwaitingApproval, 2, PlanState::Superseded),
        (PlanState::Adopted, 0, PlanState::Completed),
        (PlanState::Generating, 0, PlanState::Completed),
        (PlanState::Reviewed, 0, PlanState::Reviewed),
        (PlanState::DryRun, 2, PlanState::DryRun),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("p{at}");
        let plan = Plan { state: before, remaining, ..plan(&name, Origin::Evaluation, world.clock.now()) };
        world.store.record_plan(&hero, &plan).await.unwrap();
        world.store.supersede_plan(&hero, &name).await.unwrap();
        let found = world.store.plan(&hero, &name).await.unwrap().unwrap();
        assert_eq!(found.state, after, "{before:?} with {remaining} left");
    }
    world.store.supersede_plan(&hero, "nothing").await.unwrap();
    assert!(world.store.plan(&hero, "nothing").await.unwrap().is_none());
}

#[tokio::test]
async fn dry_run_replaces_no_other_plan() {
    let (world, hero) = balancing().await;
    let dry = Plan { state: PlanState::DryRun, ..plan("p", Origin::Evaluation, world.clock.now()) };
    world.store.record_plan(&hero, &dry).await.unwrap();
    assert_eq!(world.store.plan(&hero, "p").await.unwrap().unwrap().state, PlanState::Adopted);
}

#[tokio::test]
async fn worker_without_its_lease_requests_nothing() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let slot = SlotName { actor: &hero, plan_id: "p", slot_id: "001" };
    let now = world.clock.now();
    let everything = MicroUsd(1_000_000);
    let budget = &Budget {
        daily: everything,
        daily_per_actor: everything,
        per_plan: everything,
        poll: std::time::Duration::ZERO,
    };
    let charge = Charge { day: world.clock.today(), amount: MicroUsd(1) };
    let pending = world.store.lease_slot(slot, "one", now).await.unwrap().unwrap();
    world.store.reserve_image(slot, &pending, charge, budget).await.unwrap();
    let reserved = world.store.slot(slot).await.unwrap();
    let advance = async |record: &SlotRecord, event| world.store.advance_slot(slot, record, &event).await.unwrap();
    let begin = SlotEvent::RequestBegun { at: now, service: "Replicate" };
    let requested = advance(&reserved, begin.clone()).await.unwrap();
    let repeated = advance(&reserved, begin.clone()).await;
    assert_eq!(repeated.as_ref(), Some(&requested), "a repeated write finds its own result");
    let later = SlotEvent::RequestBegun { at: now + SignedDuration::from_secs(1), service: "Replicate" };
    assert_eq!(advance(&reserved, later.clone()).await, None, "the image is requested already");

    let found = |id: &str| SlotEvent::PredictionFound { id: id.to_owned(), at: now };
    let predicting = advance(&requested, found("prediction")).await.unwrap();
    assert_eq!(advance(&requested, later.clone()).await, None, "the prediction exists");
    assert_eq!(advance(&requested, found("another")).await, None);
    assert_eq!(world.store.slot(slot).await.unwrap(), predicting);

    let interrupted = advance(&predicting, SlotEvent::Interrupted { since: now }).await.unwrap();
    assert_eq!(advance(&predicting, SlotEvent::FetchFailed).await, None, "another prediction follows");
    assert_eq!((interrupted.progress.interruptions, interrupted.progress.fetches), (1, 0));
    let staged = advance(&interrupted, SlotEvent::ImageStaged).await.unwrap();
    assert_eq!(advance(&interrupted, later).await, None, "the image is staged");
    world.store.release_lease(Leased::Slot(slot), "another").await.unwrap();
    assert_eq!(world.store.slot(slot).await.unwrap(), staged, "a lease ends with its own token");
}
