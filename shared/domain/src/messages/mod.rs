//! The messages of the three queues. Unknown fields are rejected, so a misspelt option is not taken for its default.

mod deletion;
mod evaluation;
mod generation;
mod object_event;

pub use deletion::DeletionMessage;
pub use evaluation::{Cause, EvaluationCommand, EvaluationMessage, Mode, SWEEP};
pub use generation::GenerationMessage;
pub use object_event::Upload;
use sha2::{Digest, Sha256};

/// The error for a body that has none of the forms its queue accepts. A retry can't succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; {queue} accepts {accepted}")]
pub struct InvalidMessage {
    /// The name of the queue, for a sentence.
    pub queue: &'static str,
    /// The accepted forms.
    pub accepted: &'static str,
    /// The fault of the body.
    pub reason: String,
}

/// A random request id. Copies of a message with the same id are the same request.
#[must_use]
pub fn new_request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// The id of a request that follows from other data: the same for the same data.
#[must_use]
pub fn derived_request_id(data: &str) -> String {
    let digest = Sha256::digest(data);
    digest[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The maximum length of a plan id or slot id.
const MAX_ID_LENGTH: usize = 128;

/// The longest id of a request. With [`MANUAL`](crate::plan::MANUAL) before it, it is the id of a plan or a deletion.
const MAX_REQUEST_ID_LENGTH: usize = 120;

/// Whether this can be the id of a request.
#[must_use]
pub fn is_request_id(id: &str) -> bool {
    is_plain_id(id, MAX_REQUEST_ID_LENGTH)
}

/// Whether an id is plain enough for the table's keys. The balancer's own ids are.
fn is_plain_id(id: &str, max_length: usize) -> bool {
    (1..=max_length).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
}

/// Returns a plan id, slot id or request id if it is plain.
fn checked_id(id: String, of: &str, max_length: usize) -> Result<String, String> {
    if is_plain_id(&id, max_length) { Ok(id) } else { Err(format!("`{}` is not the id of {of}", shortened(&id))) }
}

/// The beginning of a received text, for an error message.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(79).chain(['…']).collect() }
}
