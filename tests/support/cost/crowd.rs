//! Many small actors on one stack. Each has so little to do that many can be afforded.

use std::time::{Duration, Instant};

use domain::actor::ActorId;
use domain::kind::Kind::Photorealistic;
use domain::status::Status;
use futures::{StreamExt, stream};

use super::{Meter, Usage, Work};
use crate::pictures;
use crate::stack::actor;

/// Images that each actor begins with.
pub const UPLOADS: u64 = 3;

/// Actors whose images are uploaded side by side.
const SIDE_BY_SIDE: usize = 4;

/// How long nothing may change before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(120);

const POLL: Duration = Duration::from_millis(100);

/// Looks in a row that must find the queues empty.
const QUIET_LOOKS: u32 = 8;

/// Small actors and what they cost.
pub struct Crowd {
    meter: Meter,
    actors: Vec<ActorId>,
}

impl Crowd {
    /// A stack without actors yet. A set has two photorealistic images and a black-and-white one, and what is made is
    /// not made anew, whatever is thought of it: so that every actor has the same to do.
    pub async fn start() -> Self {
        let meter = Meter::start(&[("TargetTotal", "3"), ("MaxRounds", "1")]).await;
        Self { meter, actors: Vec::new() }
    }

    /// Adds so many actors, each with two good images and a poor one, and waits until all is done for them. `tell` hears
    /// how many messages are left meanwhile.
    pub async fn grow(&mut self, count: usize, tell: impl Fn(u64)) {
        let first = self.actors.len() + 1;
        let new: Vec<ActorId> = (first..first + count).map(|number| actor(&format!("small_{number}"))).collect();
        stream::iter(&new).for_each_concurrent(SIDE_BY_SIDE, |actor| self.upload(actor)).await;
        self.wait(tell).await;
        for actor in &new {
            let record = self.meter.stack.store.actor(actor).await.unwrap().unwrap();
            assert!(matches!(record.status, Status::Balanced | Status::NeedsAttention), "{actor}: {record:#?}");
        }
        self.actors.extend(new);
    }

    /// What all actors together have cost so far, and what was done for them.
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

    async fn wait(&self, tell: impl Fn(u64)) {
        let (mut looks, mut left, mut since) = (0, 0, Instant::now());
        while looks < QUIET_LOOKS {
            tokio::time::sleep(POLL).await;
            let depth = self.meter.stack.queues.total_depth().await.unwrap();
            looks = if depth == 0 { looks + 1 } else { 0 };
            if depth != left {
                (left, since) = (depth, Instant::now());
                tell(depth);
            }
            assert!(depth == 0 || since.elapsed() < PATIENCE, "{depth} messages are left and nothing changes");
        }
    }
}
