//! An actor with a manual request for images.

use aws::queues::Queue;
use aws::store::slots::SlotName;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{World, any_picture};
use domain::actor::ActorId;
use domain::files::is_image_name;
use domain::lifecycle::slot::{SlotProgress, SlotState};
use domain::plan::Plan;
use domain::status::Status;
use serde_json::json;

/// A world with a manual request for images, and a generator with scripted outcomes.
pub struct Scenario {
    pub world: World,
    pub actor: ActorId,
}

impl Scenario {
    /// A request for `images` images, whose creations have the outcomes of `script`.
    pub async fn images(images: u32, script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static) -> Self {
        let scenario = Self::nothing(script).await;
        scenario.request(images).await;
        scenario
    }

    /// A request for images of a model.
    pub async fn images_of(
        model: &str,
        images: u32,
        script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        let mut scenario = Self::nothing(script).await;
        scenario.world.set("REPLICATE_MODEL", model);
        scenario.request(images).await;
        scenario
    }

    /// No request yet.
    pub async fn nothing(script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static) -> Self {
        // Of any model.
        let price = [("GENERATOR_USD_PER_IMAGE", "0.04")];
        let (world, actor) = (World::with(&price, script, any_picture).await, actor("hero"));
        world.upload_base_image(&actor).await;
        Self { world, actor }
    }

    pub async fn request(&self, images: u32) {
        let message = json!({ "actor_id": self.actor, "generate": { "photorealistic": images } });
        self.world.send(Queue::Generation, message).await;
    }

    /// A request for one image.
    pub async fn image(script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static) -> Self {
        Self::images(1, script).await
    }

    /// Handles the request, which creates the plan, and then the first message of the plan.
    pub async fn deliver_first(&self) {
        self.world.generate_one().await;
        self.world.generate_one().await;
    }

    /// Handles messages until the queue is empty.
    pub async fn run(&self) {
        self.world.generate_with(1).await;
    }

    pub async fn plan(&self) -> Plan {
        self.world.store.plans(&self.actor).await.unwrap().remove(0)
    }

    /// The progress of the first slot.
    pub async fn slot(&self) -> SlotProgress {
        let plan = self.plan().await;
        let name = SlotName { actor: &self.actor, plan_id: &plan.plan_id, slot_id: &plan.slots[0].slot_id };
        self.world.store.slot(name).await.unwrap().progress
    }

    /// The names of the actor's images in the bucket.
    pub async fn files(&self) -> Vec<String> {
        let mut files = self.world.keys_below(&format!("training_data/{}/", self.actor)).await;
        files.retain(|file| is_image_name(file));
        files
    }

    /// Asserts that every image exists, and is paid and booked once.
    pub async fn assert_all_generated(&self) {
        self.assert_all_generated_for(self.plan().await.slots.len()).await;
    }

    /// Asserts that every image exists, and that this number of images is paid and booked.
    pub async fn assert_all_generated_for(&self, images_paid: usize) {
        let plan = self.plan().await;
        assert_eq!((plan.remaining, plan.generated as usize), (0, plan.slots.len()));
        assert_eq!(self.files().await.len(), plan.slots.len());
        assert_eq!(self.world.charged(), images_paid);
        assert_eq!((plan.spent.0, plan.committed.0), (40_000 * images_paid as u64, 40_000 * images_paid as u64));
        assert_eq!(self.world.dead_letters().await, 0);
    }

    /// Asserts that the message is a dead letter, that the actor's reason contains these words, and that nothing is
    /// paid.
    pub async fn assert_dead_letter(&self, words: &[&str]) {
        assert_eq!(self.world.dead_letters().await, 1);
        let record = self.world.store.actor(&self.actor).await.unwrap().unwrap();
        assert_eq!(record.status, Status::NeedsAttention);
        let reason = record.reason.unwrap();
        assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
        assert_eq!(self.plan().await.spent.0, 0);
    }

    /// Asserts that no prediction was requested, and no price is reserved.
    pub async fn assert_nothing_requested(&self) {
        assert_eq!(self.world.replicate.creations(), 0);
        assert_eq!(self.plan().await.committed.0, 0);
    }

    /// Asserts that the slot is abandoned for this reason, and that this number of images is paid.
    pub async fn assert_abandoned(&self, words: &str, images_paid: u64) {
        let (plan, slot) = (self.plan().await, self.slot().await);
        assert_eq!((plan.remaining, plan.generated), (0, 0));
        let SlotState::Failed { reason } = slot.state else { panic!("{slot:?}") };
        assert!(reason.contains(words), "{reason}");
        assert!(self.files().await.is_empty());
        assert_eq!((plan.spent.0, plan.committed.0), (40_000 * images_paid, 40_000 * images_paid));
        assert_eq!(self.world.dead_letters().await, 0);
    }
}

/// The first creation has this outcome; all others succeed.
pub fn first(outcome: Outcome) -> impl Fn(usize, &str) -> Outcome + Send + Sync + 'static {
    move |index, _| if index == 0 { outcome.clone() } else { Outcome::Succeeds }
}

pub fn always(outcome: Outcome) -> impl Fn(usize, &str) -> Outcome + Send + Sync + 'static {
    move |_, _| outcome.clone()
}

/// An error response to the creation, in Replicate's format.
pub fn rejection(status: u16, detail: &str) -> Outcome {
    Outcome::Responds(status, json!({ "detail": detail, "status": status }))
}
