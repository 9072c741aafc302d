//! Random runs against a simple reference: after any operator actions, deliveries and crashes, every guarantee holds in
//! the end.
//!
//! `MODEL_RUNS=n` sets the number of runs (default 6), each with a seed of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "the output reports how much was tried")]

mod reference;

use aws::queues::Queue;
use aws::store::images::Edit;
use balancer_tests::coded::coded_picture;
use balancer_tests::stack::actor;
use balancer_tests::world::{Delivery, Fault, Trace, World};
use domain::actor::ActorId;
use domain::kind::Kind;
use futures::{StreamExt, stream};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use reference::Reference;

const DEFAULT_RUNS: u64 = 6;

/// Steps in each run.
const STEPS: usize = 25;

const MAX_CONCURRENT_RUNS: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    Upload,
    Replace,
    Remove,
    Pin,
    Unpin,
    RequestEvaluation,
    ForceEvaluation,
    RequestImages,
    RequestDeletion,
    Deliver,
    DeliverThrice,
    InjectFault,
    AdvanceClock,
}

/// Deliveries are the most frequent step.
const STEP_WEIGHTS: [(Step, u32); 13] = [
    (Step::Upload, 6),
    (Step::Replace, 2),
    (Step::Remove, 2),
    (Step::Pin, 2),
    (Step::Unpin, 1),
    (Step::RequestEvaluation, 2),
    (Step::ForceEvaluation, 1),
    (Step::RequestImages, 1),
    (Step::RequestDeletion, 2),
    (Step::Deliver, 14),
    (Step::DeliverThrice, 4),
    (Step::InjectFault, 6),
    (Step::AdvanceClock, 1),
];

struct Simulation {
    /// Whether every step triggers an evaluation. Then the set must be balanced without a final request.
    is_fully_notified: bool,
    world: World,
    actor: ActorId,
    reference: Reference,
    random: ChaCha8Rng,
    uploads: u32,
    steps: Vec<String>,
    trace: Trace,
}

impl Simulation {
    async fn start(seed: u64) -> Self {
        let world = World::coded(&[("DAILY_BUDGET_USD", "1000"), ("ACTOR_DAILY_BUDGET_USD", "1000")]).await;
        let actor = actor("hero");
        world.upload_base_image(&actor).await;
        let random = ChaCha8Rng::seed_from_u64(seed);
        let mut simulation = Self {
            is_fully_notified: seed.is_multiple_of(2),
            world,
            actor,
            reference: Reference::default(),
            random,
            uploads: 0,
            steps: Vec::new(),
            trace: Trace::default(),
        };
        for number in 1..=3 {
            simulation.put(&format!("hero_{number}.jpg")).await;
        }
        simulation
    }

    async fn perform(&mut self, step: Step) {
        let is_notified = !matches!(step, Step::Remove | Step::Pin | Step::Unpin);
        let step = if is_notified || !self.is_fully_notified { step } else { Step::ForceEvaluation };
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
                    if self.world.store.set_pinned(&self.actor, &name, pinned).await.unwrap() == Edit::Done {
                        self.reference.pinned(&name, pinned);
                    }
                }
            }
            Step::RequestEvaluation => self.send(Queue::Evaluation, json!({ "actor_id": self.actor })).await,
            Step::ForceEvaluation => {
                self.send(Queue::Evaluation, json!({ "actor_id": self.actor, "force": true })).await
            }
            Step::RequestImages => {
                self.send(Queue::Generation, json!({ "actor_id": self.actor, "generate": { "bw_stylized": 1 } })).await;
            }
            Step::RequestDeletion => {
                if let Some(name) = self.any_file().await {
                    self.send(Queue::Deletion, json!({ "actor_id": self.actor, "filenames": [name] })).await;
                }
            }
            Step::Deliver => self.deliver(1).await,
            Step::DeliverThrice => self.deliver(3).await,
            Step::InjectFault => {
                let fault = *Fault::ALL.choose(&mut self.random).unwrap();
                self.world.network.fail_after(self.random.random_range(0..40), fault);
            }
            Step::AdvanceClock => self.world.advance_clock(jiff::SignedDuration::from_secs(301)),
        }
    }

    /// Uploads a unique picture under a name.
    async fn put(&mut self, name: &str) {
        self.uploads += 1;
        let kind = *Kind::ALL.choose(&mut self.random).unwrap();
        let picture = coded_picture(kind, self.random.random_range(1..=10), self.uploads);
        self.world.upload(&self.actor, name, &picture).await;
        self.reference.uploaded(name, &picture);
    }

    async fn any_file(&mut self) -> Option<String> {
        let names = self.world.keys_below(&format!("training_data/{}/", self.actor)).await;
        names.choose(&mut self.random).cloned()
    }

    async fn send(&self, queue: Queue, body: serde_json::Value) {
        self.world.send(queue, body).await;
    }

    async fn deliver(&mut self, times: usize) {
        let mut random = ChaCha8Rng::seed_from_u64(self.random.next_u64());
        self.world.deliver_once(times, Some(&mut random), &mut self.trace).await;
    }

    /// Delivers all remaining messages. If some steps triggered no evaluation, requests a final one.
    async fn finish(&mut self) {
        let shuffled_by = Some(self.random.next_u64());
        self.world.drive_with(Delivery { shuffled_by, ..Delivery::default() }).await;
        if self.is_fully_notified {
            return;
        }
        self.world.network.stop_failing();
        self.send(Queue::Evaluation, json!({ "actor_id": self.actor })).await;
        self.world.drive_with(Delivery { shuffled_by, ..Delivery::default() }).await;
    }
}

/// One run. Returns its trace, or the broken guarantee.
async fn run(seed: u64) -> Result<Trace, String> {
    let weights: u32 = STEP_WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut simulation = Simulation::start(seed).await;
    for _ in 0..STEPS {
        let mut at = simulation.random.random_range(0..weights);
        let step = STEP_WEIGHTS.iter().find(|(_, weight)| at.checked_sub(*weight).map(|left| at = left).is_none());
        simulation.perform(step.unwrap().0).await;
    }
    simulation.finish().await;
    let compared = simulation.reference.compare(&simulation.world, &simulation.actor).await;
    compared.map_err(|broken| format!("seed {seed}: {broken}\nafter {:?}", simulation.steps))?;
    Ok(simulation.trace)
}

fn runs() -> u64 {
    let Ok(text) = std::env::var("MODEL_RUNS") else { return DEFAULT_RUNS };
    let runs = text.parse().ok().filter(|runs| *runs > 0);
    runs.unwrap_or_else(|| panic!("MODEL_RUNS={text} is no positive number"))
}

#[tokio::test]
async fn random_runs_keep_every_guarantee() {
    let results: Vec<_> = stream::iter(0..runs()).map(run).buffer_unordered(MAX_CONCURRENT_RUNS).collect().await;
    let broken: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    let sum = |of: fn(&Trace) -> usize| results.iter().flatten().map(of).sum::<usize>();
    eprintln!(
        "{} runs of {STEPS} steps: {} messages, {} crashes",
        results.len(),
        sum(|trace| trace.messages),
        sum(|trace| trace.crashes)
    );
    assert!(broken.is_empty(), "{} runs broke a guarantee: {broken:#?}", broken.len());
}
