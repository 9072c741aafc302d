//! `balancer send evaluation|deletion|generation ACTOR …`

use std::time::Duration;

use anyhow::bail;
use balancer::adapters::queues::Queue;
use balancer::domain::kind::KindCounts;
use balancer::messages::{Cause, DeletionMessage, EvaluationCommand, GenerationMessage, Mode, new_request_id};

use crate::arguments::{Send, SendMessage};
use crate::connection::Connected;
use crate::outcome::{Outcome, WrongUsage, remark};

/// Puts a message on a queue, checked as the function will check it.
pub async fn run(arguments: Send) -> anyhow::Result<Outcome> {
    let (queue, body) = message(arguments.message)?;
    let connected = Connected::to(&arguments.connection).await?;
    connected.queues.send_body(queue, body.clone(), Duration::ZERO).await?;
    remark(format!("sent {body}"));
    Ok(Outcome::Done)
}

fn message(message: SendMessage) -> anyhow::Result<(Queue, String)> {
    match message {
        SendMessage::Evaluation { actor, dry_run, scope, force } => {
            let mode = if dry_run { Mode::DryRun } else { Mode::Execute };
            let command = EvaluationCommand { actor_id: actor, mode, scope: scope.into(), force, cause: Cause::ByHand };
            Ok((Queue::Evaluation, serde_json::to_string(&command)?))
        }
        SendMessage::Deletion { actor, filenames } => {
            let request_id = Some(new_request_id());
            let body = serde_json::to_string(&DeletionMessage::ByHand { actor_id: actor, filenames, request_id })?;
            DeletionMessage::parse(&body).map_err(|invalid| WrongUsage(invalid.to_string()))?;
            Ok((Queue::Deletion, body))
        }
        SendMessage::Generation { actor, photorealistic, bw_stylized, color_stylized } => {
            let generate = KindCounts { photorealistic, bw_stylized, color_stylized };
            if generate == KindCounts::default() {
                bail!(WrongUsage(
                    "say how many images to make: --photorealistic N, --bw-stylized N or --color-stylized N".to_owned()
                ));
            }
            let request_id = Some(new_request_id());
            let body = serde_json::to_string(&GenerationMessage::ByHand { actor_id: actor, generate, request_id })?;
            GenerationMessage::parse(&body).map_err(|invalid| WrongUsage(invalid.to_string()))?;
            Ok((Queue::Generation, body))
        }
    }
}
