//! The last deletion with its reasons: the images that `balancer restore` restores.

use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use jiff::Timestamp;
use serde::Serialize;

use crate::local::Deleted;
use crate::outcome::quoted;

/// The images that the latest plan or manual request has deleted and that are still in the trash.
#[derive(Serialize)]
pub struct LastDeletion {
    plan_id: String,
    deleted_at: Timestamp,
    deleted: Vec<Deleted>,
}

impl LastDeletion {
    /// Reads an actor's trash; `None` if it is empty.
    pub async fn read(store: &Store, actor: &ActorId) -> Result<Option<Self>, StoreError> {
        let trash = store.trash(actor).await?;
        let Some(latest) = trash.values().flatten().max_by_key(|trashed| trashed.deleted_at).cloned() else {
            return Ok(None);
        };
        let entries =
            trash.into_iter().flat_map(|(file, entries)| entries.into_iter().map(move |it| (file.clone(), it)));
        let of_plan = entries.filter(|(_, trashed)| trashed.plan_id == latest.plan_id);
        let deleted = of_plan.map(|(file, trashed)| Deleted { file, reason: trashed.reason }).collect();
        Ok(Some(Self { plan_id: latest.plan_id, deleted_at: latest.deleted_at, deleted }))
    }

    /// The text for a terminal.
    pub fn in_words(&self, actor: &ActorId) -> String {
        let command = format!("balancer restore {}", quoted(actor.as_str()));
        let mut lines = vec![format!(
            "{actor}: deleted last, by {} at {:.0}; restore it with `{command}`:",
            self.plan_id, self.deleted_at
        )];
        lines.extend(self.deleted.iter().map(|deleted| format!("  {}: {}", deleted.file, deleted.reason)));
        lines.join("\n")
    }
}
