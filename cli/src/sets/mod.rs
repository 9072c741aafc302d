//! The sets of a stack or of a data folder, in one form for everything that shows, exports or edits them.

mod actor_set;
mod history;
mod in_folder;
mod in_stack;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use domain::actor::ActorId;
use domain::caption::Caption;
use domain::sidecars::caption_file;

pub use actor_set::{ActorSet, Money};
pub use history::Event;
pub use in_folder::{InFolder, manifest_of};

use crate::arguments::Connection;
use crate::connection::Connected;
use crate::local::{RunningStack, wait_for_starting};
use crate::outcome::{Conflict, quoted};

/// Where sets are.
pub enum Sets {
    /// In a running stack, on this machine or in AWS.
    InStack(Box<Connected>),
    /// In a data folder on which no stack runs. It has no plans and no costs.
    InFolder(InFolder),
}

/// A picture of an actor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The base image.
    Base,
    /// An image of the set, by its file name.
    Set(String),
    /// A deleted image.
    Trash { plan_id: String, file: String },
}

impl Sets {
    /// The sets that a command means: those of a stack in AWS, of the stack that runs here, or of the folder that `--data`
    /// names.
    pub async fn of(connection: &Connection, actors: &[ActorId]) -> anyhow::Result<Self> {
        match &connection.data {
            Some(data) => Self::of_data(data).await,
            None => Ok(Self::InStack(Box::new(Connected::to(connection, actors).await?))),
        }
    }

    /// The sets of the running stack that a command means, for what only a stack can do.
    pub async fn of_stack(connection: &Connection, actors: &[ActorId]) -> anyhow::Result<Self> {
        Ok(Self::InStack(Box::new(Connected::to(connection, actors).await?)))
    }

    /// The sets of a data folder: those of the stack that runs on it, if there is one.
    pub async fn of_data(data: &Path) -> anyhow::Result<Self> {
        wait_for_starting(Some(data)).await?;
        Ok(match RunningStack::on(data)? {
            Some(stack) => Self::InStack(Box::new(Connected::on_this_machine(stack))),
            None => Self::InFolder(InFolder::open(data)?),
        })
    }

    /// The stack. Fails for a folder, where no function can do the work.
    pub fn stack(&self) -> anyhow::Result<&Connected> {
        match self {
            Self::InStack(stack) => Ok(stack),
            Self::InFolder(folder) => bail!(Conflict(format!(
                "no stack runs on {}; start `balancer local --data {} --watch` first",
                folder.data.display(),
                quoted(&folder.data.display().to_string())
            ))),
        }
    }

    /// The ids of all actors. In a stack, this scans the table.
    pub async fn actors(&self) -> anyhow::Result<Vec<ActorId>> {
        match self {
            Self::InStack(stack) => Ok(stack.services.store.actors().await?.into_keys().collect()),
            Self::InFolder(folder) => folder.actors(),
        }
    }

    /// One actor. Fails if there is no such actor.
    pub async fn actor(&self, actor: &ActorId) -> anyhow::Result<ActorSet> {
        match self {
            Self::InStack(stack) => in_stack::actor(stack, actor).await,
            Self::InFolder(folder) => folder.actor(actor),
        }
    }

    /// These actors, or all if none is named.
    pub async fn actors_or_all(&self, actors: &[ActorId]) -> anyhow::Result<Vec<ActorSet>> {
        let all = if actors.is_empty() { self.actors().await? } else { actors.to_vec() };
        let mut sets = Vec::new();
        for actor in &all {
            sets.push(self.actor(actor).await?);
        }
        Ok(sets)
    }

    /// The content of a picture's file; `None` if there is none. The caller must have found the place in the actor's
    /// records: a name is not checked for leading out of the actor's folder.
    pub async fn picture(&self, actor: &ActorId, place: &Place) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::InStack(stack) => in_stack::picture(stack, actor, place).await,
            Self::InFolder(folder) => folder.picture(actor, place),
        }
    }

    /// The data folder of an actor; `None` in AWS.
    pub fn data_of(&self, actor: &ActorId) -> Option<PathBuf> {
        match self {
            Self::InStack(stack) => stack.local.actor_dir(actor)?.parent().map(Path::to_owned),
            Self::InFolder(folder) => Some(folder.data.clone()),
        }
    }

    /// The captions of a set's images, by file name, for those that have one.
    pub async fn captions(&self, set: &ActorSet) -> anyhow::Result<BTreeMap<String, Caption>> {
        let mut beside = match self {
            Self::InStack(stack) => in_stack::caption_files(stack, &set.actor).await?,
            Self::InFolder(folder) => folder.caption_files(&set.actor)?,
        };
        let images = set.manifest.images.iter();
        let captions = images.filter_map(|(file, image)| {
            let own = beside.remove(&caption_file(file));
            Some((file.clone(), Caption::of(image, own.as_deref())?))
        });
        Ok(captions.collect())
    }
}
