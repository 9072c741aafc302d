//! Finds what an address or a form names in the records.

use std::sync::Arc;

use domain::actor::ActorId;

use super::answers::Failure;
use super::server::Dashboard;
use super::shelf::Entry;
use crate::pages::Shown;

impl Dashboard {
    /// The actor with this id.
    pub async fn entry(&self, actor: &str) -> Result<Arc<Entry>, Failure> {
        let id: ActorId = actor.parse().map_err(|_| no_actor(actor))?;
        self.shelf.actor(&id).await?.ok_or_else(|| no_actor(actor))
    }
}

pub fn readable(entry: &Entry) -> Result<&Shown, Failure> {
    entry.read.as_ref().map_err(|problem| Failure::Unreadable(anyhow::anyhow!("{problem}")))
}

pub fn no_actor(actor: &str) -> Failure {
    Failure::NotFound(format!("There is no actor {actor}."))
}

pub fn no_page() -> Failure {
    Failure::NotFound("There is no such page.".to_owned())
}

pub fn no_image(actor: &ActorId) -> Failure {
    Failure::NotFound(format!("{actor} has no such image: it was removed, or deleted and no longer in the trash."))
}

pub fn no_form() -> Failure {
    Failure::NotAllowed(
        "This address is for a button of a page: open the page of the actor, and press it there.".to_owned(),
    )
}
