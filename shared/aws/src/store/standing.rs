//! The standing of an actor in the table. `domain::lifecycle::actor` defines the transitions.

use backon::BackoffBuilder;
use domain::actor::ActorId;
use domain::budget::Limit;
use domain::lifecycle::actor::{ActorEvent, ActorState, CurrentWork, OnBehalf, Standing};
use domain::status::Status;
use jiff::Timestamp;
use serde::Deserialize;

use super::actors::actor_key;
use super::change::Change;
use super::items::{self, Item, millis, text, value};
use super::{CONTENTION_BACKOFF, Store, StoreError};

/// The attributes of the actor item that contain a [`Standing`].
const STANDING: [&str; 4] = ["status", "reason", "attention", "parked_for"];

/// The attributes of a standing and of the current work alone, so that a failure can be reported even if another
/// attribute can't be read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct StandingItem {
    status: Status,
    reason: Option<String>,
    attention: Option<String>,
    parked_for: Option<Limit>,
    active_plan: Option<String>,
    lease_token: Option<String>,
    observed_revision: u64,
}

impl StandingItem {
    fn split(self) -> (Standing, CurrentWork) {
        let Self { status, reason, attention, parked_for, active_plan, lease_token, observed_revision } = self;
        let state = match status {
            Status::Waiting => ActorState::Waiting,
            Status::Balancing => ActorState::Balancing,
            Status::Parked => ActorState::Parked { limit: parked_for, attention },
            Status::Balanced => ActorState::Balanced,
            Status::NeedsAttention => ActorState::NeedsAttention,
        };
        (Standing { state, reason }, CurrentWork { active_plan, lease_token, observed_revision })
    }
}

impl Store {
    /// Applies an event to the standing of an actor. Returns `false`, and changes nothing, if there is no such actor,
    /// if `behalf` no longer concerns it, or if its state doesn't allow the event.
    pub async fn change_standing(
        &self,
        actor: &ActorId,
        behalf: OnBehalf<'_>,
        event: &ActorEvent,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for pause in CONTENTION_BACKOFF.build() {
            let Some(item) = self.get_item(actor_key(actor)).await? else { return Ok(false) };
            let unchanged = unchanged(actor, &item, behalf);
            let (standing, current) = items::data::<StandingItem>(item)?.split();
            if !behalf.concerns(&current) {
                return Ok(false);
            }
            let Ok(next) = standing.apply(event) else { return Ok(false) };
            let mut change = set_standing(unchanged, &next)?.set("updated_at", millis(now)).when_item_exists();
            if matches!(event, ActorEvent::AttentionRequired { .. }) {
                // The message that would have evaluated the desired revision may be the one that failed: the next event
                // sends another.
                change = change.remove("evaluation_scheduled_at");
            }
            if self.apply(change).await?.is_some() {
                return Ok(true);
            }
            tokio::time::sleep(pause).await;
        }
        Err(StoreError::Contended("change the status of the actor"))
    }
}

/// A change on condition that the standing, and the attribute by which the work concerns the actor, are as in `item`.
fn unchanged(actor: &ActorId, item: &Item, behalf: OnBehalf<'_>) -> Change {
    let concern = match behalf {
        OnBehalf::Plan(_) => Some("active_plan"),
        OnBehalf::Evaluation(_) => Some("lease_token"),
        OnBehalf::Request(Some(_)) => Some("observed_revision"),
        OnBehalf::Request(None) => None,
    };
    STANDING.into_iter().chain(concern).fold(Change::of(actor_key(actor)), |change, name| match item.get(name) {
        Some(found) => change.when_equal(name, found.clone()),
        None => change.when_absent(name),
    })
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
