//! Retries failed messages.

use aws::queues::Queue;
use serde::Serialize;

use crate::connection::Connected;

/// The dead letters of a queue that return to it.
#[derive(Debug, Serialize)]
pub struct Redriven {
    pub queue: &'static str,
    /// SQS counts approximately.
    pub messages: u64,
}

/// Moves the dead letters of one queue, or of all three, back to their queues.
pub async fn redrive(stack: &Connected, only: Option<Queue>) -> anyhow::Result<Vec<Redriven>> {
    let urls = stack.stack.dead_letter_urls();
    let queues =
        [(Queue::Evaluation, urls.evaluation), (Queue::Deletion, urls.deletion), (Queue::Generation, urls.generation)];
    let mut redriven = Vec::new();
    for (queue, dead_letters) in queues {
        if only.is_none_or(|wanted| wanted == queue) {
            let messages = stack.services.queues.redrive(queue, &dead_letters).await?;
            redriven.push(Redriven { queue: queue.name(), messages });
        }
    }
    Ok(redriven)
}

impl Redriven {
    /// As a sentence without its full stop.
    pub fn in_words(&self) -> String {
        match self.messages {
            0 => format!("{}: no failed messages", self.queue),
            1 => format!("{}: about 1 message is retried", self.queue),
            many => format!("{}: about {many} messages are retried", self.queue),
        }
    }
}
