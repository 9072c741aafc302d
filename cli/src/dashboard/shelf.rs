//! The sets, read once and again when they change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::actor::ActorId;
use domain::status::Status;
use futures::{StreamExt, stream};
use tokio::sync::OnceCell;

use super::stamps::stamps;
use crate::pages::{Details, Shown};
use crate::sets::{Place, Sets};

/// The actors that are read at the same time.
const AT_ONCE: usize = 8;

/// The age up to which what was read counts as current. The poller of an open page reads more often where that is
/// cheap.
const CURRENT_HERE: Duration = Duration::from_millis(1500);
const CURRENT_IN_AWS: Duration = Duration::from_secs(15);

/// The sets of a dashboard.
pub struct Shelf {
    pub sets: Sets,
    entries: RwLock<BTreeMap<ActorId, Arc<Entry>>>,
    /// When each scope was last compared with the source.
    checked: Mutex<BTreeMap<Scope, Instant>>,
    /// The actors to read again, also if their stamps are the same.
    outdated: Mutex<BTreeSet<ActorId>>,
    /// Held while entries are read, so that two requests don't read the same.
    reading: tokio::sync::Mutex<()>,
}

/// The actors that a check concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    All,
    Only(BTreeSet<ActorId>),
}

/// An actor as it was last read.
pub struct Entry {
    stamp: u64,
    /// The set, or why it can't be read.
    pub read: Result<Shown, String>,
    details: OnceCell<Details>,
}

impl Shelf {
    pub fn new(sets: Sets) -> Self {
        Self {
            sets,
            entries: RwLock::default(),
            checked: Mutex::default(),
            outdated: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// Whether the sets are in a stack in AWS, where reads cost money.
    pub fn is_in_aws(&self) -> bool {
        matches!(&self.sets, Sets::InStack(stack) if stack.stack.endpoint.is_none())
    }

    pub fn is_in_stack(&self) -> bool {
        matches!(self.sets, Sets::InStack(_))
    }

    /// Every actor.
    pub async fn all(&self) -> anyhow::Result<BTreeMap<ActorId, Arc<Entry>>> {
        self.freshen(Scope::All).await?;
        Ok(self.entries.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// One actor; `None` if there is none of this id.
    pub async fn actor(&self, actor: &ActorId) -> anyhow::Result<Option<Arc<Entry>>> {
        // One check of everything is the cheapest here; in AWS it is the most expensive.
        let one = || Scope::Only(BTreeSet::from([actor.clone()]));
        self.freshen(if self.is_in_aws() { one() } else { Scope::All }).await?;
        Ok(self.entries.read().unwrap_or_else(PoisonError::into_inner).get(actor).cloned())
    }

    /// The status of each readable actor, as last read.
    pub fn known(&self) -> Vec<(ActorId, Status)> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let status = |entry: &Entry| entry.read.as_ref().ok().map(|shown| shown.set.status);
        entries.iter().filter_map(|(actor, entry)| Some((actor.clone(), status(entry)?))).collect()
    }

    /// What only the pages of one set need; read once for each version of the set.
    pub async fn details<'a>(&self, entry: &'a Entry, shown: &Shown) -> anyhow::Result<&'a Details> {
        let read = async {
            let captions = self.sets.captions(&shown.set).await?;
            let has_base = self.sets.picture(&shown.set.actor, &Place::Base).await?.is_some();
            Ok(Details { captions, has_base })
        };
        entry.details.get_or_try_init(|| read).await
    }

    async fn freshen(&self, scope: Scope) -> anyhow::Result<()> {
        let age = if self.is_in_aws() { CURRENT_IN_AWS } else { CURRENT_HERE };
        let is_current = || {
            let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
            checked.get(&scope).is_some_and(|at| at.elapsed() < age)
        };
        if is_current() {
            return Ok(());
        }
        let _reading = self.reading.lock().await;
        // Another request may have read it meanwhile.
        if is_current() { Ok(()) } else { self.read_changes(&scope).await.map(drop) }
    }

    /// Reads an actor again, because a change may not show in its stamp.
    pub async fn reread(&self, actor: &ActorId) -> anyhow::Result<()> {
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner).insert(actor.clone());
        self.refresh(&Scope::Only([actor.clone()].into())).await.map(drop)
    }

    /// Reads the actors that have changed, and returns them.
    pub async fn refresh(&self, scope: &Scope) -> anyhow::Result<Vec<ActorId>> {
        let _reading = self.reading.lock().await;
        self.read_changes(scope).await
    }

    async fn read_changes(&self, scope: &Scope) -> anyhow::Result<Vec<ActorId>> {
        let found = stamps(&self.sets, scope).await?;
        let (changed, gone) = self.compare(&found, scope);
        let read = stream::iter(changed.clone()).map(|(actor, stamp)| async move {
            let read = self.sets.actor(&actor).await.map(Shown::new).map_err(|problem| format!("{problem:#}"));
            (actor, Arc::new(Entry { stamp, read, details: OnceCell::new() }))
        });
        let read: Vec<_> = read.buffer_unordered(AT_ONCE).collect().await;
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        gone.iter().for_each(|actor| drop(entries.remove(actor)));
        entries.extend(read);
        drop(entries);
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.clone(), Instant::now());
        Ok(changed.into_keys().chain(gone).collect())
    }

    /// The actors with other stamps than before, and those that are gone.
    fn compare(&self, found: &BTreeMap<ActorId, u64>, scope: &Scope) -> (BTreeMap<ActorId, u64>, Vec<ActorId>) {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
        // What could not be read is tried again.
        let is_current = |entry: &Arc<Entry>, stamp: u64| entry.stamp == stamp && entry.read.is_ok();
        let mut is_new = |actor: &ActorId, stamp: u64| {
            outdated.remove(actor) || entries.get(actor).is_none_or(|entry| !is_current(entry, stamp))
        };
        let changed = found.iter().filter(|(actor, stamp)| is_new(actor, **stamp));
        let changed = changed.map(|(actor, stamp)| (actor.clone(), *stamp)).collect();
        let is_gone = |actor: &&ActorId| scope.includes(actor) && !found.contains_key(*actor);
        (changed, entries.keys().filter(is_gone).cloned().collect())
    }
}

impl Scope {
    fn includes(&self, actor: &ActorId) -> bool {
        match self {
            Self::All => true,
            Self::Only(actors) => actors.contains(actor),
        }
    }
}
