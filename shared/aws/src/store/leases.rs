//! Who may evaluate an actor now, and what the evaluation leaves behind.

use domain::actor::ActorId;
use domain::planner::Scope;
use domain::status::Status;
use domain::suspension::Suspension;
use jiff::{SignedDuration, Timestamp};

use super::actors::{ActorRecord, REASON_BEFORE_PARKING, actor_key, millis};
use super::change::Change;
use super::items::{self, number, text, value};
use super::{Store, StoreError};

/// What an evaluation leaves behind in the actor's record.
#[derive(Debug, Clone)]
pub struct Verdict<'a> {
    /// How the set stands.
    pub status: Status,
    /// The reason, as a sentence for the operator.
    pub reason: &'a str,
    /// The round, from 1.
    pub round: u32,
    /// What becomes of the uploads that wait.
    pub uploads: Uploads,
    /// What the evaluation was free to do.
    pub scope: Scope,
    /// When it began. Whatever was asked before, in this scope, is answered by it.
    pub began: Timestamp,
    /// Whether it continued a series of rounds.
    pub continues: bool,
    /// The set, if the verdict suspends it.
    pub suspension: Option<Suspension>,
}

/// What an evaluation means for the uploads that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploads {
    /// It has looked at them.
    Evaluated {
        /// When the last of them came; `None` if none waited.
        until: Option<Timestamp>,
    },
    /// They go on waiting, for an evaluation that may do whatever they need.
    StillWait,
}

impl Store {
    /// Takes the evaluation lease of the actor until `now` + `duration`; `None` if another worker holds it.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn take_lease(
        &self,
        actor: &ActorId,
        token: &str,
        now: Timestamp,
        duration: SignedDuration,
    ) -> Result<Option<ActorRecord>, StoreError> {
        let change = Change::of(actor_key(actor))
            .set_if_absent("created_at", millis(now))
            .set("lease_token", text(token))
            .set("lease_until", millis(now + duration))
            .when_free("lease_until", millis(now), "lease_token", text(token));
        self.apply(change).await?.map(items::data).transpose()
    }

    /// Gives the right to evaluate back, with nothing decided.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn release_lease(&self, actor: &ActorId, token: &str) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor))
            .remove("lease_token")
            .remove("lease_until")
            .when_equal("lease_token", text(token));
        self.apply(change).await.map(drop)
    }

    /// Gives the right to evaluate back because images landed meanwhile, and notes since when they keep a plan from being
    /// adopted.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn put_off(&self, actor: &ActorId, token: &str, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor))
            .set_if_absent("put_off_since", millis(now))
            .remove("lease_token")
            .remove("lease_until")
            .when_equal("lease_token", text(token));
        self.apply(change).await.map(drop)
    }

    /// Ends an evaluation that leaves nothing to do. Returns whether uploads still wait: it was not for them, or they came
    /// in meanwhile.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn settle(
        &self,
        actor: &ActorId,
        token: &str,
        verdict: &Verdict<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = verdict_change(actor, token, verdict, now)?.remove("active_plan");
        if let Uploads::Evaluated { until } = verdict.uploads
            && self.apply(forget_uploads(change.clone(), until)).await?.is_some()
        {
            return Ok(false);
        }
        // New uploads came in, or the lease was lost; in the second case this changes nothing either. Its answer may
        // have got lost, so the record has the last word.
        self.apply(change).await?;
        Ok(self.actor(actor).await?.is_some_and(|record| record.pending_since.is_some()))
    }
}

/// The change by which a verdict enters the actor's record, as long as the lease is held.
pub(super) fn verdict_change(
    actor: &ActorId,
    token: &str,
    verdict: &Verdict<'_>,
    now: Timestamp,
) -> Result<Change, StoreError> {
    let began = millis(verdict.began);
    let change = Change::of(actor_key(actor));
    let change = match verdict.scope {
        Scope::All => change.set("evaluated_at", began.clone()),
        Scope::DeleteOnly => change.set("evaluated_deletions_at", began.clone()),
        Scope::GenerateOnly => change.set("evaluated_generations_at", began.clone()),
    };
    let is_afresh = verdict.scope == Scope::All && !verdict.continues;
    let change = if is_afresh { change.set("evaluated_afresh_at", began) } else { change };
    let change = match &verdict.suspension {
        Some(suspension) => change.set("suspension", value(suspension)?),
        None => change.remove("suspension"),
    };
    Ok(change
        .set("status", value(&verdict.status)?)
        .set("reason", text(verdict.reason))
        .set("round", number(verdict.round))
        .set("updated_at", millis(now))
        .remove("put_off_since")
        .remove(REASON_BEFORE_PARKING)
        .remove("lease_token")
        .remove("lease_until")
        .when_equal("lease_token", text(token)))
}

/// Uploads no longer wait, provided that none has come in since the last one that was seen.
pub(super) fn forget_uploads(change: Change, until: Option<Timestamp>) -> Change {
    let change = change.remove("pending_since").remove("pending_last").remove("evaluation_scheduled_at");
    match until {
        Some(last) => change.when_equal("pending_last", millis(last)),
        None => change.when_absent("pending_last"),
    }
}
