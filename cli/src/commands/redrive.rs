//! `balancer redrive [evaluation|deletion|generation]`

use aws::queues::Queue;
use serde_json::json;

use crate::actions::redrive;
use crate::arguments::{QueueArgument, Redrive};
use crate::connection::Connected;
use crate::outcome::{Outcome, SCHEMA, answer};

/// Moves dead letters back to their queues.
pub async fn run(arguments: Redrive) -> anyhow::Result<Outcome> {
    let Redrive { queue, json, connection } = arguments;
    let connected = Connected::to(&connection, &[]).await?;
    let redriven = redrive(&connected, queue.map(Queue::from)).await?;
    if json {
        answer(json!({ "schema": SCHEMA, "queues": redriven }));
    } else {
        redriven.iter().for_each(|queue| answer(queue.in_words()));
    }
    Ok(Outcome::Done)
}

impl From<QueueArgument> for Queue {
    fn from(argument: QueueArgument) -> Self {
        match argument {
            QueueArgument::Evaluation => Self::Evaluation,
            QueueArgument::Deletion => Self::Deletion,
            QueueArgument::Generation => Self::Generation,
        }
    }
}
