//! Notices: lines that a command leaves for the run on this machine, which prints and removes them. A deployed stack has
//! none.

use domain::actor::ActorId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::Removal;
use super::items::{self, Item};
use super::{Store, StoreError};

const NOTICE: &str = "NOTICE#";

/// What a command has done to an actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When the command left it; also its key.
    pub at: Timestamp,
    /// A sentence without the actor's id and without a full stop.
    pub text: String,
}

impl Store {
    /// Leaves a notice.
    pub async fn leave_notice(&self, actor: &ActorId, notice: &Notice) -> Result<(), StoreError> {
        let item = items::item(notice_key(actor, notice.at), notice)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| self.error("PutItem", NOTICE, &error))
    }

    /// Removes the notices of an actor and returns them, the oldest first.
    pub async fn take_notices(&self, actor: &ActorId) -> Result<Vec<Notice>, StoreError> {
        let mut notices = Vec::new();
        for item in self.query(actor, NOTICE).await? {
            let notice: Notice = items::data(item)?;
            self.remove_item(Removal::of(notice_key(actor, notice.at))).await?;
            notices.push(notice);
        }
        Ok(notices)
    }
}

fn notice_key(actor: &ActorId, at: Timestamp) -> Item {
    items::key(actor, format!("{NOTICE}{at:.9}"))
}
