//! The evaluation lease of an actor, and the verdict that ends it.

use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, Standing};
use domain::planner::Scope;
use domain::status::Status;
use domain::suspension::Suspension;
use jiff::{SignedDuration, Timestamp};

use super::actors::{ActorRecord, actor_key};
use super::change::Change;
use super::items::{self, millis, number, value};
use super::standing::set_standing;
use super::{Store, StoreError};

/// The result of an evaluation for the actor's record.
#[derive(Debug, Clone)]
pub struct Verdict<'a> {
    /// The status of the set.
    pub status: Status,
    /// The reason, as a sentence for the operator.
    pub reason: &'a str,
    /// The round, from 1.
    pub round: u32,
    /// The effect on the waiting uploads.
    pub uploads: Uploads,
    /// What the evaluation was allowed to do.
    pub scope: Scope,
    /// When it began. It answers every earlier request of this scope.
    pub began: Timestamp,
    /// Whether it continued a series of rounds.
    pub continues: bool,
    /// The suspension, if the verdict suspends the set.
    pub suspension: Option<Suspension>,
}

/// The effect of an evaluation on the waiting uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploads {
    /// It has covered them.
    Evaluated {
        /// When the last of them landed; `None` if none waited.
        until: Option<Timestamp>,
    },
    /// They wait for an evaluation of full scope.
    StillWait,
}

impl Store {
    /// Takes the evaluation lease of the actor until `now` + `duration`; `None` if another worker holds it.
    pub async fn take_lease(
        &self,
        actor: &ActorId,
        token: &str,
        now: Timestamp,
        duration: SignedDuration,
    ) -> Result<Option<ActorRecord>, StoreError> {
        let change = Change::of(actor_key(actor)).set_if_absent("created_at", millis(now)).take_lease(
            token,
            now,
            now + duration,
        );
        self.apply(change).await?.map(items::data).transpose()
    }

    /// Releases the lease without a verdict.
    pub async fn release_lease(&self, actor: &ActorId, token: &str) -> Result<(), StoreError> {
        self.apply(Change::of(actor_key(actor)).end_lease(token)).await.map(drop)
    }

    /// Releases the lease because images landed during the evaluation, and records since when uploads have prevented a
    /// plan from being adopted.
    pub async fn defer_adoption(&self, actor: &ActorId, token: &str, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).set_if_absent("adoption_deferred_since", millis(now));
        self.apply(change.end_lease(token)).await.map(drop)
    }

    /// Ends an evaluation without a plan. Returns whether uploads still wait: the evaluation didn't cover them, or they
    /// landed during it.
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
        // Images have landed, or the lease was lost, in which case this changes nothing either. The response may have
        // been lost, so the record decides.
        self.apply(change).await?;
        Ok(self.actor(actor).await?.is_some_and(|record| record.pending_since.is_some()))
    }
}

/// The change that writes a verdict into the actor's record and releases the lease, on condition that it is held.
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
    let suspension = verdict.suspension.as_ref().map(value).transpose()?;
    let event = ActorEvent::Verdict { status: verdict.status, reason: verdict.reason.to_owned() };
    // A verdict replaces any standing, so the present one need not be read.
    let change = set_standing(change, &Standing::default().apply(&event)?)?
        .set_or_remove("suspension", suspension)
        .set("round", number(verdict.round))
        .set("updated_at", millis(now))
        .remove("adoption_deferred_since");
    Ok(change.end_lease(token))
}

/// Ends the waiting of uploads, on condition that none has landed after the last one that the evaluation covers.
pub(super) fn forget_uploads(change: Change, until: Option<Timestamp>) -> Change {
    let change = change.remove("pending_since").remove("pending_last").remove("evaluation_scheduled_at");
    match until {
        Some(last) => change.when_equal("pending_last", millis(last)),
        None => change.when_absent("pending_last"),
    }
}
