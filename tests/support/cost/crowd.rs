//! Many small actors on one stack. Each needs so little work that a test can afford many.

use std::time::{Duration, Instant};

use domain::actor::ActorId;
use domain::kind::Kind::Photorealistic;
use domain::status::Status;
use futures::{StreamExt, stream};

use super::{Meter, Usage, Work};
use crate::pictures;
use crate::stack::actor;

/// Images uploaded for each actor.
pub const UPLOADS: u64 = 3;

/// Actors whose images are uploaded concurrently.
const CONCURRENT_ACTORS: usize = 4;

/// The time without progress after which the test fails.
const PATIENCE: Duration = Duration::from_secs(240);

const POLL: Duration = Duration::from_millis(100);

/// Consecutive polls that must find the queues empty.
const EMPTY_POLLS: u32 = 8;

/// Small actors and what they cost.
pub struct Crowd {
    meter: Meter,
    actors: Vec<ActorId>,
}

impl Crowd {
    /// A stack without actors. The target is two photorealistic images and a black-and-white one. With a single round,
    /// no generated image is replaced, so every actor causes the same work.
    pub async fn start() -> Self {
        let meter = Meter::start(&[("TargetTotal", "3"), ("MaxRounds", "1")]).await;
        Self { meter, actors: Vec::new() }
    }

    /// Adds `count` actors, each with two good images and a poor one, and waits until all messages are processed. Calls
    /// `report` with the number of remaining messages meanwhile.
    pub async fn grow(&mut self, count: usize, report: impl Fn(u64)) {
        let first = self.actors.len() + 1;
        let new: Vec<ActorId> = (first..first + count).map(|number| actor(&format!("small_{number}"))).collect();
        stream::iter(&new).for_each_concurrent(CONCURRENT_ACTORS, |actor| self.upload(actor)).await;
        self.wait(report).await;
        for actor in &new {
            let record = self.meter.stack.store.actor(actor).await.unwrap().unwrap();
            assert!(matches!(record.status, Status::Balanced | Status::NeedsAttention), "{actor}: {record:#?}");
        }
        self.actors.extend(new);
    }

    /// The usage of all actors so far, and the work that caused it.
    pub async fn cost(&mut self) -> (Usage, Work) {
        let usage = self.meter.read().await;
        let work = Work::of(&self.meter.stack, &self.actors, UPLOADS, &usage).await;
        (usage, work)
    }

    async fn upload(&self, actor: &ActorId) {
        let stack = &self.meter.stack;
        stack.upload_base_image(actor).await;
        stack.upload_all(actor, 1, &pictures::good(Photorealistic, 2)).await;
        stack.upload(actor, &format!("{actor}_3.jpg"), &pictures::blurred()).await;
    }

    async fn wait(&self, report: impl Fn(u64)) {
        let (mut empty_polls, mut left, mut since) = (0, 0, Instant::now());
        while empty_polls < EMPTY_POLLS {
            tokio::time::sleep(POLL).await;
            let depth = self.meter.stack.queues.total_depth().await.unwrap();
            empty_polls = if depth == 0 { empty_polls + 1 } else { 0 };
            if depth != left {
                (left, since) = (depth, Instant::now());
                report(depth);
            }
            assert!(depth == 0 || since.elapsed() < PATIENCE, "{depth} messages are left, without progress");
        }
    }
}
