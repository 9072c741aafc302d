//! A suspended set gets no new rounds until its input changes or the operator requests another attempt.

use aws::queues::Queue;
use aws::store::actors::ActorRecord;
use balancer_tests::coded::coded_picture;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::plan::PlanState;
use domain::status::Status;
use domain::suspension::Suspension;
use serde_json::{Value, json};

use crate::races::guards::{Evaluating, fail_last_delivery};

/// An actor whose set was suspended after two rounds, because no generated image is good enough.
struct SuspendedSet {
    world: World,
    hero: ActorId,
    suspension: Suspension,
}

impl SuspendedSet {
    async fn new() -> Self {
        let bad = |kind, index| coded_picture(kind, 2, 1_000 + index as u32);
        let variables = [("TARGET_TOTAL", "3"), ("MAX_ROUNDS", "2")];
        let (world, hero) = (World::with(&variables, |_, _| Outcome::Succeeds, bad).await, actor("hero"));
        world.upload_base_image(&hero).await;
        upload_image(&world, &hero).await;
        let suspension = world.store.actor(&hero).await.unwrap().unwrap().suspension.unwrap();
        let set = Self { world, hero, suspension };
        assert_eq!(set.rounds().await, 2);
        set
    }

    async fn record(&self) -> ActorRecord {
        self.world.store.actor(&self.hero).await.unwrap().unwrap()
    }

    /// The number of plans, without dry runs.
    async fn rounds(&self) -> usize {
        let plans = self.world.store.plans(&self.hero).await.unwrap();
        plans.iter().filter(|plan| plan.state != PlanState::DryRun).count()
    }

    async fn evaluate(&self, message: Value) {
        self.world.send(Queue::Evaluation, message).await;
        self.world.drive().await;
    }

    /// Asserts that the suspension is recorded, and that an upload of an image that the set has leads to no round.
    async fn assert_still_suspended(&self) {
        assert_eq!(self.record().await.suspension.as_ref(), Some(&self.suspension));
        upload_image(&self.world, &self.hero).await;
        assert_eq!(self.rounds().await, 2, "the set is the same");
        let record = self.record().await;
        assert_eq!((record.status, record.reason.as_ref()), (Status::NeedsAttention, Some(&self.suspension.reason)));
        assert_eq!(record.suspension.as_ref(), Some(&self.suspension));
        assert!(!record.is_evaluation_pending(), "{record:?}");
    }
}

/// Uploads a good image, always the same.
async fn upload_image(world: &World, hero: &ActorId) {
    world.upload(hero, "hero_100.jpg", &coded_picture(Kind::Photorealistic, 9, 1)).await;
    world.wait_for_messages(1).await;
    world.drive().await;
}

#[tokio::test]
async fn repeated_upload_leaves_a_suspended_set() {
    let set = SuspendedSet::new().await;
    set.assert_still_suspended().await;
    set.evaluate(json!({ "actor_id": "hero" })).await;
    assert_eq!(set.rounds().await, 4, "a manual request starts another attempt");
}

#[tokio::test]
async fn missing_base_image_leaves_a_set_suspended() {
    let set = SuspendedSet::new().await;
    let base_image = format!("{}jpg", set.world.keys.base_image_stem(&set.hero));
    set.world.bucket.delete(&base_image).await.unwrap();
    set.evaluate(json!({ "actor_id": "hero" })).await;
    let record = set.record().await;
    assert!(record.reason.as_deref().is_some_and(|reason| reason.contains("base image of hero")), "{record:?}");
    set.world.upload_base_image(&set.hero).await;
    set.assert_still_suspended().await;
}

#[tokio::test]
async fn dry_run_leaves_a_set_suspended() {
    let set = SuspendedSet::new().await;
    set.evaluate(json!({ "actor_id": "hero", "mode": "dry_run" })).await;
    assert_eq!(set.world.store.plans(&set.hero).await.unwrap().len(), 3, "the dry run has a plan");
    set.assert_still_suspended().await;
}

#[tokio::test]
async fn failed_message_leaves_a_set_suspended() {
    let set = SuspendedSet::new().await;
    fail_last_delivery(&set.world, Evaluating, &json!({ "actor_id": "hero" }), set.world.clock.now()).await;
    let record = set.record().await;
    assert!(record.reason.as_deref().is_some_and(|reason| reason.contains("dead-letter queue")), "{record:?}");
    set.assert_still_suspended().await;
}
