//! Waits with a timeout. A failure shows the end of the functions' log.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use aws::store::actors::ActorRecord;
use aws::store::rejections::Rejection;
use domain::actor::ActorId;
use domain::status::Status;

use super::{EMULATOR, TestStack, actor};

/// Far longer than any wait of these tests takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

const POLL: Duration = Duration::from_millis(100);

/// Consecutive polls that must find the stack idle. Between an upload and its event, and between two messages of a
/// chain, the queues are empty for a moment.
const IDLE_POLLS: u32 = 4;

/// Consecutive polls of empty queues after which a wait fails.
const MAX_IDLE_POLLS: u32 = 80;

/// Lines of the functions' log that a failure shows.
const TAIL: usize = 40;

impl TestStack {
    /// Waits until the actor's set is balanced and the stack is idle.
    pub async fn balanced(&self, actor: &ActorId) -> ActorRecord {
        self.settled(actor, |status| status == Status::Balanced).await
    }

    /// Waits until the actor needs attention and the stack is idle. Returns the reason.
    pub async fn needs_attention(&self, actor: &ActorId) -> String {
        self.settled(actor, |status| status == Status::NeedsAttention).await.reason.unwrap()
    }

    /// Waits until the set is balanced or needs attention, and the stack is idle.
    pub async fn balanced_or_needs_attention(&self, actor: &ActorId) -> ActorRecord {
        self.settled(actor, |status| matches!(status, Status::Balanced | Status::NeedsAttention)).await
    }

    /// Waits until an evaluation has changed the actor record `before`, and the stack is idle.
    pub async fn evaluated_again(&self, actor: &ActorId, before: &ActorRecord) -> ActorRecord {
        self.wait(actor, "to be evaluated again", |record| {
            !record.is_evaluation_pending() && record.lease_until.is_none() && record.updated_at > before.updated_at
        })
        .await
    }

    /// Waits until no message is left in any of the three queues.
    pub async fn idle(&self) {
        self.wait(&actor("none"), "to be idle", |_| true).await;
    }

    /// Waits until this many messages are recorded as rejected.
    pub async fn rejections(&self, count: usize) -> Vec<Rejection> {
        let started = Instant::now();
        loop {
            let rejections = self.store.rejections().await.unwrap();
            if rejections.len() >= count {
                return rejections;
            }
            let waited = started.elapsed();
            assert!(waited < PATIENCE, "waited {waited:?} for {count} rejections: {rejections:?}{}", self.log_tail());
            tokio::time::sleep(POLL).await;
        }
    }

    async fn settled(&self, actor: &ActorId, is_wanted: impl Fn(Status) -> bool) -> ActorRecord {
        let is_settled = |record: &ActorRecord| !record.is_evaluation_pending() && is_wanted(record.status);
        self.wait(actor, "to be settled", is_settled).await
    }

    /// Waits until the queues are empty and the record satisfies the condition. Fails when the stack is idle before.
    async fn wait(&self, actor: &ActorId, what: &str, is_satisfied: impl Fn(&ActorRecord) -> bool) -> ActorRecord {
        let started = Instant::now();
        let (mut settled_polls, mut idle_polls) = (0, 0);
        loop {
            let depth = self.queues.total_depth().await.unwrap();
            let record = self.store.actor(actor).await.unwrap().unwrap_or_default();
            settled_polls = if depth == 0 && is_satisfied(&record) { settled_polls + 1 } else { 0 };
            if settled_polls == IDLE_POLLS {
                return record;
            }
            idle_polls = if depth == 0 { idle_polls + 1 } else { 0 };
            let waited = started.elapsed();
            assert!(
                waited < PATIENCE && idle_polls < MAX_IDLE_POLLS,
                "waited {waited:?} for {actor} {what}; {depth} messages are left; {record:#?}{}",
                self.log_tail()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// The log lines of this stack's functions, without their names.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        let log = EMULATOR.get().map(|emulator| fs::read_to_string(emulator.function_log_file()));
        let log = log.and_then(Result::ok).unwrap_or_default();
        let ours = format!("test-{}", self.stack.account());
        let lines = log.lines().filter(|line| line.starts_with(&ours));
        lines.filter_map(|line| Some(line.split_once(": ")?.1.to_owned())).collect()
    }

    /// The end of the log.
    fn log_tail(&self) -> String {
        let lines = self.log_lines();
        let mut tail = format!("\nthe last of {} lines of the functions' log:", lines.len());
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            let _ = write!(tail, "\n  {line}");
        }
        tail
    }
}
