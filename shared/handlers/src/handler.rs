//! What the three functions do. Every stage can be repeated, and cut off after any call: repeating its message ends
//! where an undisturbed run would have ended.

use std::time::Duration;

use aws::AwsError;
use aws::metrics::Metric;
use aws::queues::Queue;
use aws::store::actors::OnBehalf;
use aws::store::spending::Charge;
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::budget::{Budget, Limit};
use domain::messages::InvalidMessage;
use jiff::Timestamp;
use providers::generator::GeneratorError;
use providers::vision::VisionError;

use crate::Clock;
use crate::local_copy::LocalCopyError;
use crate::panics::Panicked;

/// What a stage does with a message.
#[expect(async_fn_in_trait, reason = "used inside this workspace only, where every future is Send")]
pub trait Handler {
    /// The queue it listens to.
    const QUEUE: Queue;

    /// Carries a message out, whole or not at all.
    ///
    /// # Errors
    /// A [`HandlerError`] that says what is to become of the message.
    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError>;
}

/// A message as the stages see it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// SQS's name for it; the same at each delivery.
    pub id: &'a str,
    /// What it says.
    pub body: &'a str,
    /// When it was sent, if that is known; of a message that was put off, when its copy was.
    pub sent_at: Option<Timestamp>,
}

/// Why a message has not been carried out.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// It never can be: it is recorded, and not tried again.
    #[error("{0}")]
    Rejected(String),
    /// Nothing is wrong, only the time has not come.
    #[error("{reason}")]
    Deferred {
        /// What must happen first.
        reason: String,
        /// When to look again.
        after: Duration,
    },
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// S3 or SQS failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The local copy failed.
    #[error(transparent)]
    LocalCopy(#[from] LocalCopyError),
    /// The vision model failed.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The generator failed in a way that may pass.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    /// A picture could not be drawn or written.
    #[error("an image can't be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    /// The stage panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A computation was cut off.
    #[error("the computation was cut off: {0}")]
    CutOff(#[from] tokio::task::JoinError),
}

impl From<InvalidMessage> for HandlerError {
    fn from(invalid: InvalidMessage) -> Self {
        Self::Rejected(invalid.to_string())
    }
}

impl HandlerError {
    pub(crate) fn deferred(reason: impl Into<String>, after: Duration) -> Self {
        Self::Deferred { reason: reason.into(), after }
    }
}

/// The name under which a worker claims what it works on. Nobody else bears it, even if one message is delivered to two
/// workers in the same millisecond.
pub(crate) fn lease_token(message_id: &str, now: Timestamp) -> String {
    format!("{message_id}@{}-{:08x}", now.as_millisecond(), rand::random::<u32>())
}

/// Tells CloudWatch what was paid, and how much of the day's budget is gone. Nothing depends on it.
pub(crate) async fn tell_of_payment(store: &Store, budget: &Budget, paid: Charge) {
    Metric::DollarsSpent(paid.amount).emit();
    if let Ok(spending) = store.spending(paid.day).await {
        Metric::BudgetUsedPercent { committed: spending.committed, budget: budget.daily }.emit();
    }
}

/// Has an actor wait for money, and tells CloudWatch, so that somebody hears of it. Returns what becomes of the message.
///
/// # Errors
/// If the table can't be written.
pub(crate) async fn park(
    store: &Store,
    clock: &Clock,
    budget: &Budget,
    actor: &ActorId,
    behalf: OnBehalf<'_>,
    limit: Option<Limit>,
    reason: String,
) -> Result<HandlerError, StoreError> {
    Metric::Parked.emit();
    store.park(actor, behalf, &reason, limit, clock.now()).await?;
    Ok(HandlerError::deferred(reason, budget.poll))
}

/// The same for an actor whose work would pass a budget, for this reason.
///
/// # Errors
/// If the table can't be written.
pub(crate) async fn park_over_budget(
    store: &Store,
    clock: &Clock,
    budget: &Budget,
    actor: &ActorId,
    behalf: OnBehalf<'_>,
    limit: Limit,
    reason: String,
) -> Result<HandlerError, StoreError> {
    if limit == Limit::Daily {
        // What is left may be too little for one more image, and yet more than the tenth at which the alarm goes off.
        Metric::BudgetUsedPercent { committed: budget.daily, budget: budget.daily }.emit();
    }
    park(store, clock, budget, actor, behalf, Some(limit), reason).await
}
