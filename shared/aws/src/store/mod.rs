//! The table: one partition for each actor.
//!
//! | `pk`          | `sk`                      | item                                              |
//! |---------------|---------------------------|---------------------------------------------------|
//! | `ACTOR#{id}`  | `ACTOR`                   | the actor: status, counters, lease ([`actors`])   |
//! | `ACTOR#{id}`  | `IMAGE#{filename}`        | an image of the set ([`images`])                  |
//! | `ACTOR#{id}`  | `TRASH#{filename}#{plan}` | a deleted image ([`trash`])                       |
//! | `ACTOR#{id}`  | `GENERATION#{number}`     | a generation batch ([`images`])                   |
//! | `ACTOR#{id}`  | `PLAN#{plan_id}`          | a plan and its progress ([`plans`])               |
//! | `ACTOR#{id}`  | `SLOT#{plan_id}#{slot}`   | the progress of one slot ([`slots`])              |
//! | `ACTOR#{id}`  | `REQUEST#{id}`            | a request for an evaluation ([`requests`])        |
//! | `ACTOR#{id}`  | `SPENDING#{day}`          | the money of the actor's day ([`spending`])       |
//! | `ACTOR#{id}`  | `ASSESSMENT#{plan_id}`    | the cost of one evaluation ([`spending`])         |
//! | `SPENDING`    | `{day}`                   | the money of the day ([`spending`])               |
//! | `REJECTED`    | `{time}#{message}`        | a rejected message with the reason ([`rejections`]) |

pub mod actors;
mod change;
pub mod deletions;
mod expression;
pub mod images;
mod items;
pub mod leases;
pub mod local_runs;
pub mod notices;
mod outages;
pub mod plans;
mod progress;
mod read;
pub mod rejections;
pub mod requests;
mod revisions;
mod slot_record;
pub mod slots;
pub mod spending;
mod standing;
pub mod trash;
pub mod verdicts;
mod write;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use backon::ExponentialBuilder;
use domain::lifecycle::ImpossibleEvent;

use super::AwsError;

/// The delays between attempts to change contended items, such as an actor's last number or a day's spending. Of any
/// number of workers, one succeeds each time.
pub const CONTENTION_BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(5))
    .with_max_delay(Duration::from_millis(500))
    .with_max_times(100)
    .with_jitter();

/// The table with the records of all actors.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
}

/// The table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB failed. Trying again may help.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Other workers changed the items before each attempt. Trying again may help.
    #[error("too many other workers {0}")]
    Contended(&'static str),
    /// The record's state doesn't allow the event. Trying again doesn't help.
    #[error(transparent)]
    Impossible(#[from] ImpossibleEvent),
    /// An item is not of the form this version writes. Trying again doesn't help.
    #[error("the item {item} can't be read: {cause}; was it written by another version, or edited manually?")]
    Malformed {
        /// Which item.
        item: String,
        /// What is wrong with it.
        cause: serde_dynamo::Error,
    },
}

impl Store {
    /// The table `name`, reached by `client`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, table: name.into() }
    }

    fn error<E>(
        &self,
        operation: &'static str,
        item: &str,
        error: &SdkError<E, aws_sdk_dynamodb::config::http::HttpResponse>,
    ) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        AwsError::of("DynamoDB", operation, &format!("{}/{item}", self.table), error).into()
    }
}

/// Whether a conditional write was refused because its condition didn't hold.
fn condition_failed<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}
