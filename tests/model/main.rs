//! Random journeys against a simple reference: whatever people do, however messages are delivered and whenever workers
//! die, what must hold holds in the end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]
#![allow(clippy::print_stderr, reason = "people want to know how much was tried")]

mod reference;

use aws::queues::Queue;
use aws::store::images::Pinning;
use balancer_tests::coded::coded_picture;
use balancer_tests::stack::actor;
use balancer_tests::world::{Delivery, Fault, Journey, World};
use domain::actor::ActorId;
use domain::kind::Kind;
use futures::{StreamExt, stream};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use reference::Reference;

/// Journeys, each with a seed of its own.
const JOURNEYS: u64 = 24;

/// What is done on each of them.
const STEPS: usize = 25;

/// Journeys that are under way at the same time.
const SIDE_BY_SIDE: usize = 4;

/// One of the things that people and machines do.
#[derive(Debug, Clone, Copy)]
enum Step {
    Upload,
    Replace,
    Remove,
    Pin,
    Unpin,
    AskForEvaluation,
    Insist,
    AskForImages,
    AskForDeletion,
    Deliver,
    DeliverThrice,
    Fail,
    LetPass,
}

/// Delivering is what happens most.
const STEPS_BY_WEIGHT: [(Step, u32); 13] = [
    (Step::Upload, 6),
    (Step::Replace, 2),
    (Step::Remove, 2),
    (Step::Pin, 2),
    (Step::Unpin, 1),
    (Step::AskForEvaluation, 2),
    (Step::Insist, 1),
    (Step::AskForImages, 1),
    (Step::AskForDeletion, 2),
    (Step::Deliver, 14),
    (Step::DeliverThrice, 4),
    (Step::Fail, 6),
    (Step::LetPass, 1),
];

struct Traveller {
    /// Whether people do nothing that the balancer isn't told of: then it must come to rest by itself.
    tells_all: bool,
    world: World,
    actor: ActorId,
    reference: Reference,
    random: ChaCha8Rng,
    uploads: u32,
    steps: Vec<String>,
    journey: Journey,
}

impl Traveller {
    async fn set_out(seed: u64) -> Self {
        let world = World::coded(&[("DAILY_BUDGET_USD", "1000"), ("ACTOR_DAILY_BUDGET_USD", "1000")]).await;
        let actor = actor("hero");
        world.upload_base_image(&actor).await;
        let random = ChaCha8Rng::seed_from_u64(seed);
        let mut traveller = Self {
            tells_all: seed.is_multiple_of(2),
            world,
            actor,
            reference: Reference::default(),
            random,
            uploads: 0,
            steps: Vec::new(),
            journey: Journey::default(),
        };
        for number in 1..=3 {
            traveller.put(&format!("hero_{number}.jpg")).await;
        }
        traveller
    }

    async fn take(&mut self, step: Step) {
        let is_told = !matches!(step, Step::Remove | Step::Pin | Step::Unpin);
        let step = if is_told || !self.tells_all { step } else { Step::Insist };
        self.steps.push(format!("{step:?}"));
        match step {
            Step::Upload => {
                let name = format!("{}_{}.jpg", self.actor, self.random.random_range(1..400_u32));
                self.put(&name).await;
            }
            Step::Replace => {
                if let Some(name) = self.any_file().await {
                    self.put(&name).await;
                }
            }
            Step::Remove => {
                if let Some(name) = self.any_file().await {
                    self.reference.removed(&name);
                    let _ = std::fs::remove_file(self.world.local_folder(&self.actor).join(&name));
                    self.world.bucket.delete(&self.world.keys.image(&self.actor, &name)).await.unwrap();
                }
            }
            Step::Pin | Step::Unpin => {
                if let Some(name) = self.any_file().await {
                    let pinned = matches!(step, Step::Pin);
                    if self.world.store.set_pinned(&self.actor, &name, pinned).await.unwrap() == Pinning::Done {
                        self.reference.pinned(&name, pinned);
                    }
                }
            }
            Step::AskForEvaluation => self.send(Queue::Evaluation, json!({ "actor_id": self.actor })).await,
            Step::Insist => self.send(Queue::Evaluation, json!({ "actor_id": self.actor, "force": true })).await,
            Step::AskForImages => {
                self.send(Queue::Generation, json!({ "actor_id": self.actor, "generate": { "bw_stylized": 1 } })).await;
            }
            Step::AskForDeletion => {
                if let Some(name) = self.any_file().await {
                    self.send(Queue::Deletion, json!({ "actor_id": self.actor, "filenames": [name] })).await;
                }
            }
            Step::Deliver => self.deliver(1).await,
            Step::DeliverThrice => self.deliver(3).await,
            Step::Fail => {
                let fault = *Fault::ALL.choose(&mut self.random).unwrap();
                self.world.network.fail_after(self.random.random_range(0..40), fault);
            }
            Step::LetPass => self.world.let_pass(jiff::SignedDuration::from_secs(301)),
        }
    }

    /// Uploads a picture that is no other's under a name.
    async fn put(&mut self, name: &str) {
        self.uploads += 1;
        let kind = *Kind::ALL.choose(&mut self.random).unwrap();
        let picture = coded_picture(kind, self.random.random_range(1..=10), self.uploads);
        self.world.upload(&self.actor, name, &picture).await;
        self.reference.uploaded(name, &picture);
    }

    async fn any_file(&mut self) -> Option<String> {
        let names = self.world.names_below(&format!("training_data/{}/", self.actor)).await;
        names.choose(&mut self.random).cloned()
    }

    async fn send(&self, queue: Queue, body: serde_json::Value) {
        self.world.send(queue, body).await;
    }

    async fn deliver(&mut self, times: usize) {
        let mut random = ChaCha8Rng::seed_from_u64(self.random.next_u64());
        self.world.deliver_once(times, Some(&mut random), &mut self.journey).await;
    }

    /// Everything that is still to be delivered is; and an evaluation by hand looks at the end, if there is something that
    /// nobody has told.
    async fn arrive(&mut self) {
        let shuffled_by = Some(self.random.next_u64());
        self.world.drive_with(Delivery { shuffled_by, ..Delivery::default() }).await;
        if self.tells_all {
            return;
        }
        self.world.network.heal();
        self.send(Queue::Evaluation, json!({ "actor_id": self.actor })).await;
        self.world.drive_with(Delivery { shuffled_by, ..Delivery::default() }).await;
    }
}

/// One journey. Returns what happened on it, or which promise was broken.
async fn travel(seed: u64) -> Result<Journey, String> {
    let weights: u32 = STEPS_BY_WEIGHT.iter().map(|(_, weight)| weight).sum();
    let mut traveller = Traveller::set_out(seed).await;
    for _ in 0..STEPS {
        let mut at = traveller.random.random_range(0..weights);
        let step = STEPS_BY_WEIGHT.iter().find(|(_, weight)| at.checked_sub(*weight).map(|left| at = left).is_none());
        traveller.take(step.unwrap().0).await;
    }
    traveller.arrive().await;
    let compared = traveller.reference.compare(&traveller.world, &traveller.actor).await;
    compared.map_err(|broken| format!("seed {seed}: {broken}\nafter {:?}", traveller.steps))?;
    Ok(traveller.journey)
}

#[tokio::test]
async fn whatever_happens_on_the_way_the_promises_hold_in_the_end() {
    let ends: Vec<_> = stream::iter(0..JOURNEYS).map(travel).buffer_unordered(SIDE_BY_SIDE).collect().await;
    let broken: Vec<&String> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    let sum = |of: fn(&Journey) -> usize| ends.iter().flatten().map(of).sum::<usize>();
    eprintln!(
        "{JOURNEYS} journeys of {STEPS} steps: {} messages, {} deaths",
        sum(|journey| journey.messages),
        sum(|journey| journey.deaths)
    );
    assert!(broken.is_empty(), "{} journeys ended badly: {broken:#?}", broken.len());
}
