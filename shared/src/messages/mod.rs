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
#[error("{queue} accepts {accepted}; this body is neither: {reason}")]
pub struct InvalidMessage {
    /// The queue, in words.
    pub queue: &'static str,
    /// What may stand in it.
    pub accepted: &'static str,
    /// What is wrong with the body.
    pub reason: String,
}
