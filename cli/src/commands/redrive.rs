//! `balancer redrive [evaluation|deletion|generation]`

use aws::queues::Queue;
use serde::Serialize;
use serde_json::json;

use crate::arguments::{QueueArgument, Redrive};
use crate::connection::Connected;
use crate::outcome::{Outcome, SCHEMA, answer};

#[derive(Serialize)]
struct Redriven {
    queue: &'static str,
    /// SQS counts approximately.
    messages: u64,
}

/// Moves dead letters back to their queues.
pub async fn run(arguments: Redrive) -> anyhow::Result<Outcome> {
    let Redrive { queue, json, connection } = arguments;
    let connected = Connected::to(&connection, &[]).await?;
    let urls = connected.stack.dead_letter_urls();
    let queues = [
        (QueueArgument::Evaluation, Queue::Evaluation, urls.evaluation),
        (QueueArgument::Deletion, Queue::Deletion, urls.deletion),
        (QueueArgument::Generation, Queue::Generation, urls.generation),
    ];
    let mut redriven = Vec::new();
    for (argument, source, dead_letters) in queues {
        if queue.is_none_or(|wanted| wanted == argument) {
            let messages = connected.services.queues.redrive(source, &dead_letters).await?;
            redriven.push(Redriven { queue: source.name(), messages });
        }
    }
    if json {
        answer(json!({ "schema": SCHEMA, "queues": redriven }));
    } else {
        redriven.iter().for_each(|queue| answer(queue.in_words()));
    }
    Ok(Outcome::Done)
}

impl Redriven {
    fn in_words(&self) -> String {
        match self.messages {
            0 => format!("{}: no failed messages", self.queue),
            1 => format!("{}: about 1 message is retried", self.queue),
            many => format!("{}: about {many} messages are retried", self.queue),
        }
    }
}
