//! What the three queues carry. Unknown fields are refused: a misspelt option must not pass for its default.

mod deletion;
mod evaluation;
mod generation;
mod object_event;

pub use deletion::DeletionMessage;
pub use evaluation::{Cause, EvaluationCommand, EvaluationMessage, Mode};
pub use generation::GenerationMessage;
pub use object_event::Upload;

/// A body that is none of the forms its queue accepts. Sending it again never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; {queue} accepts {accepted}")]
pub struct InvalidMessage {
    /// The queue, in words.
    pub queue: &'static str,
    /// What may stand in it.
    pub accepted: &'static str,
    /// What is wrong with the body.
    pub reason: String,
}

/// A name for a request that no other one has, by which copies of its message are known.
#[must_use]
pub fn new_request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// The longest name of a plan or of one of its images.
const LONGEST_NAME: usize = 128;

/// The name of a plan, of one of its images or of a request: what we have given out ourselves is short and plain, and
/// nothing else should reach the table's keys.
fn checked_name(name: String, of: &str, longest: usize) -> Result<String, String> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
    if is_plain && (1..=longest).contains(&name.len()) {
        Ok(name)
    } else {
        Err(format!("`{}` is not the name of {of}", shortened(&name)))
    }
}

/// The beginning of what somebody sent, for a sentence about it.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(79).chain(['…']).collect() }
}
