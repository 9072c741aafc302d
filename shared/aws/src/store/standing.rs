//! The standing of an actor in the table. `domain::lifecycle::actor` defines the transitions.

use domain::actor::ActorId;
use domain::budget::Limit;
use domain::lifecycle::actor::{ActorEvent, ActorState, OnBehalf, Standing, Ties};
use domain::status::Status;
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::Deserialize;

use super::actors::{actor_key, millis};
use super::change::Change;
use super::items::{self, text, value};
use super::{Store, StoreError};

/// The attributes of the actor item that [`Store::change_standing`] reads. It writes on condition that none has changed.
const READ: [&str; 7] = ["status", "reason", "attention", "parked_for", "active_plan", "lease_token", "evaluated_at"];

/// How often other workers may change these attributes before a change is given up.
const MAX_CHANGES: u32 = 10;

/// These attributes alone, so that a failure can be reported even if another attribute can't be read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct StandingItem {
    status: Status,
    reason: Option<String>,
    attention: Option<String>,
    parked_for: Option<Limit>,
    active_plan: Option<String>,
    lease_token: Option<String>,
    #[serde(with = "millisecond::optional")]
    evaluated_at: Option<Timestamp>,
}

impl StandingItem {
    fn split(self) -> (Standing, Ties) {
        let Self { status, reason, attention, parked_for, active_plan, lease_token, evaluated_at } = self;
        let state = match status {
            Status::Waiting => ActorState::Waiting,
            Status::Balancing => ActorState::Balancing,
            Status::Parked => ActorState::Parked { limit: parked_for, attention },
            Status::Balanced => ActorState::Balanced,
            Status::NeedsAttention => ActorState::NeedsAttention,
        };
        (Standing { state, reason }, Ties { active_plan, lease_token, evaluated_at })
    }
}

impl Store {
    /// Applies an event to the standing of an actor. Returns `false`, and changes nothing, if there is no such actor, if
    /// `behalf` no longer concerns it, or if its state doesn't allow the event.
    pub async fn change_standing(
        &self,
        actor: &ActorId,
        behalf: OnBehalf<'_>,
        event: &ActorEvent,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for _ in 0..MAX_CHANGES {
            let Some(item) = self.get_item(actor_key(actor)).await? else { return Ok(false) };
            let unchanged = READ.iter().fold(Change::of(actor_key(actor)), |change, name| match item.get(*name) {
                Some(found) => change.when_equal(name, found.clone()),
                None => change.when_absent(name),
            });
            let (standing, ties) = items::data::<StandingItem>(item)?.split();
            if !behalf.concerns(&ties) {
                return Ok(false);
            }
            let Ok(next) = standing.apply(event) else { return Ok(false) };
            let mut change = set_standing(unchanged, &next)?.set("updated_at", millis(now)).when_item_exists();
            if matches!(event, ActorEvent::AttentionRequired { .. }) {
                // The message that would have evaluated waiting uploads may be the one that failed: the next upload
                // sends another.
                change = change.remove("evaluation_scheduled_at");
            }
            if self.apply(change).await?.is_some() {
                return Ok(true);
            }
        }
        Err(StoreError::Contended("change the status of the actor"))
    }
}

/// Writes a standing into an actor item.
pub(super) fn set_standing(change: Change, standing: &Standing) -> Result<Change, StoreError> {
    let Standing { state, reason } = standing;
    let (limit, attention) = match state {
        ActorState::Parked { limit, attention } => (*limit, attention.as_deref()),
        ActorState::Waiting | ActorState::Balancing | ActorState::Balanced | ActorState::NeedsAttention => (None, None),
    };
    let limit = limit.map(|limit| value(&limit)).transpose()?;
    Ok(change
        .set("status", value(&state.status())?)
        .set_or_remove("reason", reason.as_deref().map(text))
        .set_or_remove("attention", attention.map(text))
        .set_or_remove("parked_for", limit))
}
