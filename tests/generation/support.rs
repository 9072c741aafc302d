//! One actor who wants images.

use aws::queues::Queue;
use aws::store::slots::{SlotName, SlotRecord};
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{World, any_picture};
use domain::actor::ActorId;
use domain::plan::Plan;
use domain::status::Status;
use serde_json::json;

/// A world in which somebody has asked for so many images, and a generator treats them as it likes.
pub struct Wanted {
    pub world: World,
    pub actor: ActorId,
}

impl Wanted {
    /// `images` images, of which each creation fares as `script` says.
    pub async fn images(images: u32, script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static) -> Self {
        let (world, actor) = (World::with(&[], script, any_picture).await, actor("hero"));
        world.upload_base_image(&actor).await;
        let message = json!({ "actor_id": actor, "generate": { "photorealistic": images } });
        world.send(Queue::Generation, message).await;
        Self { world, actor }
    }

    /// One image.
    pub async fn image(script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static) -> Self {
        Self::images(1, script).await
    }

    /// Has the plan made, and works on the first image that is waiting in it, once.
    pub async fn work_once(&self) {
        self.world.generate_one().await;
        self.world.generate_one().await;
    }

    /// Works until no message is left.
    pub async fn work(&self) {
        self.world.generate_with(1).await;
    }

    pub async fn plan(&self) -> Plan {
        self.world.store.plans(&self.actor).await.unwrap().remove(0)
    }

    /// How far the only image has come.
    pub async fn slot(&self) -> SlotRecord {
        let plan = self.plan().await;
        let name = SlotName { actor: &self.actor, plan_id: &plan.plan_id, slot_id: &plan.slots[0].slot_id };
        self.world.store.slot(name).await.unwrap()
    }

    /// The names in the bucket.
    pub async fn files(&self) -> Vec<String> {
        self.world.names_below(&format!("training_data/{}/", self.actor)).await
    }

    /// Asserts that everything that was wanted is there, paid once, and booked.
    pub async fn assert_all_made(&self) {
        self.assert_all_made_for(self.plan().await.slots.len()).await;
    }

    /// Asserts that everything that was wanted is there, and so many images paid and booked.
    pub async fn assert_all_made_for(&self, images_paid: usize) {
        let plan = self.plan().await;
        assert_eq!((plan.remaining, plan.generated as usize), (0, plan.slots.len()));
        assert_eq!(self.files().await.len(), plan.slots.len());
        assert_eq!(self.world.replicate.charged(), images_paid);
        assert_eq!((plan.spent.0, plan.committed.0), (40_000 * images_paid as u64, 40_000 * images_paid as u64));
        assert_eq!(self.world.dead_letters().await, 0);
    }

    /// Asserts that the message was given up and the actor says why, in these words. Nothing was paid.
    pub async fn assert_dead_letter(&self, words: &[&str]) {
        assert_eq!(self.world.dead_letters().await, 1);
        let record = self.world.store.actor(&self.actor).await.unwrap().unwrap();
        assert_eq!(record.status, Status::NeedsAttention);
        let reason = record.reason.unwrap();
        assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
        assert_eq!(self.plan().await.spent.0, 0);
    }

    /// Asserts that the image was given up for this reason, and what its attempts cost.
    pub async fn assert_given_up(&self, says: &str, images_paid: u64) {
        let (plan, slot) = (self.plan().await, self.slot().await);
        assert_eq!((plan.remaining, plan.generated), (0, 0));
        let reason = slot.reason.unwrap();
        assert!(reason.contains(says), "{reason}");
        assert!(self.files().await.is_empty());
        assert_eq!((plan.spent.0, plan.committed.0), (40_000 * images_paid, 40_000 * images_paid));
        assert_eq!(self.world.dead_letters().await, 0);
    }
}

/// The first creation fares like this, all others succeed.
pub fn first(fate: Outcome) -> impl Fn(usize, &str) -> Outcome + Send + Sync + 'static {
    move |index, _| if index == 0 { fate.clone() } else { Outcome::Succeeds }
}

pub fn always(fate: Outcome) -> impl Fn(usize, &str) -> Outcome + Send + Sync + 'static {
    move |_, _| fate.clone()
}

/// The creation is answered with an error, as Replicate words it.
pub fn refusal(status: u16, detail: &str) -> Outcome {
    Outcome::Answers(status, json!({ "detail": detail, "status": status }))
}
