//! The verdict that ends an evaluation, and the revision that it observed.

use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, Standing};
use domain::status::Status;
use domain::suspension::Suspension;
use jiff::Timestamp;

use super::actors::actor_key;
use super::change::{Change, Write};
use super::items::{millis, number, value};
use super::requests::answered;
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
    /// What the verdict answers.
    pub answers: Answers<'a>,
    /// The suspension, if the verdict suspends the set.
    pub suspension: Option<Suspension>,
}

/// What a verdict answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers<'a> {
    /// Everything up to this revision, which an evaluation of full scope has observed.
    Revision(u64),
    /// Only the request with this id, whose scope was partial. The revision still waits for an evaluation.
    Request(&'a str),
}

impl Store {
    /// Releases the lease because the revision was raised during the evaluation, and records since when this has
    /// prevented a plan from being adopted.
    pub async fn defer_adoption(&self, actor: &ActorId, token: &str, now: Timestamp) -> Result<(), StoreError> {
        let change = Change::of(actor_key(actor)).set_if_absent("adoption_deferred_since", millis(now));
        self.apply(change.end_lease(token)).await.map(drop)
    }

    /// Ends an evaluation without a plan. Returns whether another evaluation is pending: this one had a partial scope,
    /// or the revision has been raised since it began.
    pub async fn settle(
        &self,
        actor: &ActorId,
        token: &str,
        verdict: &Verdict<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = verdict_change(actor, token, verdict, now)?.remove("active_plan");
        match verdict.answers {
            Answers::Revision(observed) => {
                if self.apply(while_unchanged(change.clone(), observed)).await?.is_some() {
                    return Ok(false);
                }
                // The revision was raised, or the lease was lost, in which case this changes nothing either.
                self.apply(change).await?;
            }
            Answers::Request(id) => {
                self.transact(&[change.into(), answered(actor, id, now)]).await?;
            }
        }
        // The response may have been lost, so the record decides.
        Ok(self.actor(actor).await?.is_some_and(|record| record.is_evaluation_pending()))
    }
}

/// The writes of a verdict. If `must_be_unchanged`, they fail once the revision that it observed has been raised.
pub(super) fn verdict_writes(
    actor: &ActorId,
    change: Change,
    verdict: &Verdict<'_>,
    must_be_unchanged: bool,
    now: Timestamp,
) -> Vec<Write> {
    match verdict.answers {
        Answers::Revision(observed) if must_be_unchanged => vec![while_unchanged(change, observed).into()],
        Answers::Revision(_) => vec![change.into()],
        Answers::Request(id) => vec![change.into(), answered(actor, id, now)],
    }
}

/// The change that writes a verdict into the actor's record and releases the lease, on condition that it is held.
pub(super) fn verdict_change(
    actor: &ActorId,
    token: &str,
    verdict: &Verdict<'_>,
    now: Timestamp,
) -> Result<Change, StoreError> {
    let suspension = verdict.suspension.as_ref().map(value).transpose()?;
    let event = ActorEvent::Verdict { status: verdict.status, reason: verdict.reason.to_owned() };
    // A verdict replaces any standing, so the present one need not be read.
    let change = set_standing(Change::of(actor_key(actor)), &Standing::default().apply(&event)?)?
        .set_or_remove("suspension", suspension)
        .set("round", number(verdict.round))
        .set("updated_at", millis(now))
        .remove("adoption_deferred_since");
    let change = match verdict.answers {
        Answers::Revision(observed) => {
            change.set("observed_revision", number(observed)).remove("registered_unobserved")
        }
        Answers::Request(_) => change,
    };
    Ok(change.end_lease(token))
}

/// Conditions a verdict on the revision that it observed. No further evaluation is pending then.
fn while_unchanged(change: Change, observed: u64) -> Change {
    let change = change.remove("evaluation_scheduled_at");
    match observed {
        0 => change.when_absent_or_equal("desired_revision", number(0)),
        observed => change.when_equal("desired_revision", number(observed)),
    }
}
