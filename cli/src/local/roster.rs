//! The actors of a run, and the clients to work on them.

use std::collections::BTreeMap;
use std::time::Duration;

use balancer::adapters::queues::{Queue, Queues};
use balancer::domain::actor::ActorId;
use balancer::messages::{Cause, EvaluationCommand, Mode};

use super::data_folder::ActorFolder;
use super::leave;
use super::report::Report;
use super::settle;
use super::upload::Destination;
use crate::outcome::remark;

/// Who has been taken up and who hasn't.
pub struct Roster {
    pub destination: Destination,
    pub queues: Queues,
    /// The actors that the stack knows, or is being told of.
    folders: Vec<ActorFolder>,
    /// The others, and why.
    pub left_alone: BTreeMap<ActorId, String>,
}

/// What has become of an actor's folder.
pub enum Taken {
    /// It was uploaded, with this many images.
    Up { images: usize },
    /// Something in it can't be used.
    LeftAlone,
    /// The same as before.
    StillLeftAlone,
}

impl Roster {
    /// Nobody yet.
    pub fn new(destination: Destination, queues: Queues) -> Self {
        Self { destination, queues, folders: Vec::new(), left_alone: BTreeMap::new() }
    }

    /// Uploads an actor, or says why it is left alone.
    ///
    /// # Errors
    /// If the stack fails.
    pub async fn take(&mut self, folder: &ActorFolder) -> anyhow::Result<Taken> {
        let actor = &folder.actor;
        let belongings = match self.destination.examine(folder).await? {
            Ok(belongings) => belongings,
            Err(reason) if self.left_alone.get(actor) == Some(&reason) => return Ok(Taken::StillLeftAlone),
            Err(reason) => {
                remark(format!("left alone {actor}: {reason}"));
                self.left_alone.insert(actor.clone(), reason);
                return Ok(Taken::LeftAlone);
            }
        };
        self.left_alone.remove(actor);
        for stranger in folder.strangers()? {
            remark(format!("left alone {}: not an image (png, jpg, jpeg, webp)", stranger.display()));
        }
        // From the first byte on, so that a run cut off here leaves the folder as the bucket is.
        self.folders.push(folder.clone());
        let images = self.destination.upload(folder, belongings).await?;
        if images == 0 {
            remark(format!(
                "{} holds no images; put png, jpg, jpeg or webp files there, unless all are to be made from the base image in {}",
                folder.training_data().display(),
                folder.base_images().display()
            ));
        }
        Ok(Taken::Up { images })
    }

    /// Whether an actor has been taken up.
    pub fn knows(&self, actor: &ActorId) -> bool {
        self.folders.iter().any(|folder| folder.actor == *actor)
    }

    /// The actors that have been taken up.
    pub fn actors(&self) -> Vec<ActorId> {
        self.folders.iter().map(|folder| folder.actor.clone()).collect()
    }

    /// Asks for an evaluation of an actor.
    ///
    /// # Errors
    /// If the stack fails.
    pub async fn ask(&self, actor: &ActorId, mode: Mode) -> anyhow::Result<()> {
        let mut command = EvaluationCommand::because(actor.clone(), Cause::ByHand);
        command.mode = mode;
        self.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
        Ok(())
    }

    /// Waits until these actors are settled, and reports what has become of them; of those that were left alone, too.
    ///
    /// # Errors
    /// If the stack fails.
    pub async fn settled(&self, actors: &[ActorId]) -> anyhow::Result<Report> {
        let (known, left_alone): (Vec<_>, Vec<_>) = actors.iter().cloned().partition(|actor| self.knows(actor));
        settle::settle(&self.destination.store, &self.queues, &known).await?;
        let report = Report::of(&self.destination.store, &known).await?;
        Ok(report.with_left_alone(left_alone.iter().filter_map(|actor| self.left_alone.get_key_value(actor))))
    }

    /// Leaves every folder as the bucket is. What goes wrong with one keeps none of the others from it.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub async fn leave(&self) -> anyhow::Result<()> {
        let mut result = Ok(());
        for folder in &self.folders {
            if let Err(problem) = leave::leave(&self.destination, folder).await {
                remark(format!("{} is not as the bucket is: {problem:#}", folder.dir.display()));
                result = result.and(Err(problem));
            }
        }
        result
    }
}
