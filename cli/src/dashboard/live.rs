//! Tells open pages which actors have changed, by server-sent events from one poller.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use domain::actor::ActorId;
use domain::status::Status;
use futures::{Stream, stream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::server::Dashboard;
use super::shelf::{Scope, Shelf};

/// The time between two checks of the sets on this machine.
const HERE: Duration = Duration::from_secs(1);

/// The same in AWS, while a visible actor is being balanced, and otherwise.
const BUSY_IN_AWS: Duration = Duration::from_secs(3);
const QUIET_IN_AWS: Duration = Duration::from_secs(15);

/// The changes that a slow page may miss before it is told to read everything again.
const BACKLOG: usize = 256;

/// The open pages.
pub struct Live {
    changes: broadcast::Sender<ActorId>,
    watched: Mutex<Watched>,
}

/// The actors of open pages; `None` stands for a page about all of them.
#[derive(Default)]
struct Watched {
    pages: BTreeMap<u64, Option<ActorId>>,
    last: u64,
}

impl Default for Live {
    fn default() -> Self {
        Self { changes: broadcast::Sender::new(BACKLOG), watched: Mutex::default() }
    }
}

/// An open page; forgotten when it is dropped.
struct OpenPage {
    dashboard: Arc<Dashboard>,
    number: u64,
    actor: Option<ActorId>,
    changes: broadcast::Receiver<ActorId>,
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        self.dashboard.live.watched.lock().unwrap_or_else(PoisonError::into_inner).pages.remove(&self.number);
    }
}

/// The changes of an actor, or of all, for one page.
pub fn events(dashboard: Arc<Dashboard>, actor: Option<ActorId>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let number = {
        let mut watched = dashboard.live.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.last += 1;
        let number = watched.last;
        watched.pages.insert(number, actor.clone());
        number
    };
    let changes = dashboard.live.changes.subscribe();
    let page = OpenPage { dashboard, number, actor, changes };
    let events = stream::unfold(page, async |mut page| {
        let event = page.next().await?;
        Some((Ok(event), page))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl OpenPage {
    /// The next change that concerns the page: an event `actor` with the id, which is empty if changes were missed.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let actor = match self.changes.recv().await {
                Ok(actor) if self.actor.as_ref().is_none_or(|wanted| *wanted == actor) => actor.to_string(),
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => String::new(),
                Err(RecvError::Closed) => return None,
            };
            return Some(Event::default().event("actor").data(actor));
        }
    }
}

/// Reads what has changed, as long as a page is open, for ever.
pub async fn poll(dashboard: Arc<Dashboard>) -> Infallible {
    let Dashboard { shelf, live, .. } = &*dashboard;
    let mut interval = HERE;
    loop {
        tokio::time::sleep(interval).await;
        let Some(scope) = live.scope(shelf) else {
            interval = HERE;
            continue;
        };
        // A failure repeats when a page is opened, which shows it.
        for actor in shelf.refresh(&scope).await.unwrap_or_default() {
            live.tell(actor);
        }
        interval = interval_of(shelf, &scope);
    }
}

impl Live {
    /// Tells open pages that an actor has changed.
    pub fn tell(&self, actor: ActorId) {
        // Fails only if no page is open.
        drop(self.changes.send(actor));
    }

    /// The actors to check; `None` if no page is open. In AWS a list of all actors checks only those in work, because
    /// each check of an actor costs money.
    fn scope(&self, shelf: &Shelf) -> Option<Scope> {
        let pages: Vec<Option<ActorId>> = {
            let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.pages.values().cloned().collect()
        };
        if pages.is_empty() {
            return None;
        }
        if !shelf.is_in_aws() {
            return Some(Scope::All);
        }
        let mut actors: BTreeSet<ActorId> = pages.iter().flatten().cloned().collect();
        if pages.iter().any(Option::is_none) {
            actors.extend(shelf.in_work());
        }
        Some(Scope::Only(actors))
    }
}

fn interval_of(shelf: &Shelf, scope: &Scope) -> Duration {
    match scope {
        Scope::All => HERE,
        Scope::Only(actors) => {
            let is_busy = shelf.in_work().iter().any(|actor| actors.contains(actor));
            if is_busy { BUSY_IN_AWS } else { QUIET_IN_AWS }
        }
    }
}

impl Shelf {
    /// The known actors whose sets are being balanced.
    fn in_work(&self) -> Vec<ActorId> {
        let is_in_work = |status| matches!(status, Status::Balancing | Status::Waiting);
        self.known().into_iter().filter(|(_, status)| is_in_work(*status)).map(|(actor, _)| actor).collect()
    }
}
