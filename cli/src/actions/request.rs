//! Messages by hand: requests to evaluate a set, to delete images or to generate some.

use std::time::Duration;

use anyhow::bail;
use aws::queues::Queue;
use aws::store::Store;
use domain::actor::ActorId;
use domain::files::{composed, images_in_words};
use domain::kind::KindCounts;
use domain::messages::{
    Cause, DeletionMessage, EvaluationCommand, EvaluationMessage, GenerationMessage, Mode, new_request_id,
};
use serde_json::json;

use super::notice::leave;
use super::problem::as_known;
use crate::arguments::SendMessage;
use crate::outcome::{SCHEMA, WrongUsage, remark};
use crate::sets::Sets;

/// A message, validated by the same rules as in the function.
pub struct Request {
    queue: Queue,
    pub actor: ActorId,
    pub request_id: String,
    body: String,
    /// The images to delete.
    filenames: Vec<String>,
    /// The noun after "requested".
    purpose: String,
    /// How long to wait for the result; `None` if the command does not wait.
    pub patience: Option<Duration>,
}

impl Request {
    fn new(queue: Queue, actor: ActorId, request_id: String, body: String, purpose: String) -> Self {
        Self { queue, actor, request_id, body, filenames: Vec::new(), purpose, patience: None }
    }

    /// A new request.
    pub fn of(message: SendMessage) -> anyhow::Result<Self> {
        Self::with_id(message, new_request_id())
    }

    /// A request with this id. The functions carry out several messages with the same id once.
    pub fn with_id(message: SendMessage, request_id: String) -> anyhow::Result<Self> {
        match message {
            SendMessage::Evaluation { actor, dry_run, no_wait, timeout, scope, force } => {
                let command = EvaluationCommand {
                    actor_id: actor.clone(),
                    mode: if dry_run { Mode::DryRun } else { Mode::Execute },
                    scope: scope.into(),
                    force,
                    request_id: Some(request_id.clone()),
                    cause: Cause::Manual,
                };
                let body = serde_json::to_string(&command)?;
                EvaluationMessage::parse(&body).map_err(|invalid| WrongUsage(invalid.to_string()))?;
                let purpose = if dry_run { "a dry run" } else { "an evaluation" };
                let patience = (dry_run && !no_wait).then_some(Duration::from_secs(timeout));
                Ok(Self { patience, ..Self::new(Queue::Evaluation, actor, request_id, body, purpose.to_owned()) })
            }
            SendMessage::Deletion { actor, filenames } => {
                let purpose = format!("the deletion of {}", images_in_words(filenames.len()));
                let body = deletion(&actor, &filenames, &request_id)?;
                DeletionMessage::parse(&body).map_err(|invalid| WrongUsage(invalid.to_string()))?;
                Ok(Self { filenames, ..Self::new(Queue::Deletion, actor, request_id, body, purpose) })
            }
            SendMessage::Generation { actor, photorealistic, bw_stylized, color_stylized } => {
                let generate = KindCounts { photorealistic, bw_stylized, color_stylized };
                if generate == KindCounts::default() {
                    bail!(WrongUsage(
                        "give the number of images to generate: --photorealistic N, --bw-stylized N or --color-stylized N"
                            .to_owned()
                    ));
                }
                let purpose = format!("the generation of {}", images_in_words(generate.total() as usize));
                let message = GenerationMessage::Manual {
                    actor_id: actor.clone(),
                    generate,
                    request_id: Some(request_id.clone()),
                };
                let body = serde_json::to_string(&message)?;
                GenerationMessage::parse(&body).map_err(|invalid| WrongUsage(invalid.to_string()))?;
                Ok(Self::new(Queue::Generation, actor, request_id, body, purpose))
            }
        }
    }

    /// Sends the message.
    pub async fn send(&mut self, sets: &Sets) -> anyhow::Result<()> {
        let stack = sets.stack()?;
        self.spell_names_as_recorded(&stack.services.store).await?;
        stack.services.queues.send_body(self.queue, self.body.clone(), Duration::ZERO).await?;
        leave(sets, &self.actor, format!("requested {} (request {})", self.purpose, self.request_id)).await;
        Ok(())
    }

    /// Spells the names of the images to delete as the stack does; a shell's completion may use another Unicode form.
    /// Reports unknown names.
    async fn spell_names_as_recorded(&mut self, store: &Store) -> anyhow::Result<()> {
        if self.filenames.is_empty() {
            return Ok(());
        }
        let images = store.images(&self.actor).await?;
        for filename in &mut self.filenames {
            match as_known(filename, images.keys()) {
                Some(known) => filename.clone_from(known),
                None => {
                    *filename = composed(filename);
                    remark(format!("{} has no record of {filename}; it is deleted if it is in the bucket", self.actor));
                }
            }
        }
        self.body = deletion(&self.actor, &self.filenames, &self.request_id)?;
        Ok(())
    }

    /// The text for a terminal, with the id.
    pub fn in_words(&self) -> String {
        format!("requested {} of {} (request {})", self.purpose, self.actor, self.request_id)
    }

    /// The JSON of the `send` command.
    pub fn in_json(&self) -> anyhow::Result<String> {
        let message: serde_json::Value = serde_json::from_str(&self.body)?;
        let answer = json!({
            "schema": SCHEMA,
            "queue": self.queue.name(),
            "actor_id": self.actor,
            "request_id": self.request_id,
            "message": message,
        });
        Ok(answer.to_string())
    }
}

fn deletion(actor: &ActorId, filenames: &[String], request_id: &str) -> serde_json::Result<String> {
    serde_json::to_string(&DeletionMessage::Manual {
        actor_id: actor.clone(),
        filenames: filenames.to_vec(),
        request_id: Some(request_id.to_owned()),
    })
}
