//! Plans and how far they have come.

use domain::actor::ActorId;
use domain::lifecycle::plan::{PlanEvent, PlanState};
use domain::manifest::GenerationBatch;
use domain::plan::Plan;
use jiff::Timestamp;

use super::actors::actor_key;
use super::change::{Change, Condition, Write};
use super::images::new_generation;
use super::items::{self, Item, number, text, value};
use super::verdicts::{Verdict, verdict_change, verdict_writes};
use super::{Store, StoreError};

const PLAN: &str = "PLAN#";

/// How often another worker may change a plan's state before a change fails. A plan has fewer states.
const MAX_STATE_CHANGES: u32 = 10;

/// A plan that becomes the active one.
#[derive(Debug, Clone, Copy)]
pub struct Adoption<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The batch of its images, if it generates any.
    pub generation: Option<&'a GenerationBatch>,
    /// The verdict of the evaluation that made it.
    pub verdict: &'a Verdict<'a>,
    /// Whether the revision must not have been raised since the evaluation began.
    pub must_be_unchanged: bool,
}

impl Store {
    /// A plan; `None` if there is none with this id.
    pub async fn plan(&self, actor: &ActorId, plan_id: &str) -> Result<Option<Plan>, StoreError> {
        let plan: Option<Plan> = self.get(plan_key(actor, plan_id)).await?;
        Ok(plan.map(Plan::observed))
    }

    /// The plans of an actor, the oldest first.
    pub async fn plans(&self, actor: &ActorId) -> Result<Vec<Plan>, StoreError> {
        let plans = self.query(actor, PLAN).await?.into_iter();
        plans.map(|item| items::data(item).map(Plan::observed)).collect()
    }

    /// Stores the plan of a dry run. An existing plan with this id that is not a dry run stays unchanged.
    pub async fn record_plan(&self, actor: &ActorId, plan: &Plan) -> Result<(), StoreError> {
        let item = items::item(plan_key(actor, &plan.plan_id), plan)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk) OR #state = :dry_run");
        let put = put.expression_attribute_names("#state", "state");
        match put.expression_attribute_values(":dry_run", value(&PlanState::DryRun)?).send().await {
            Ok(_) => Ok(()),
            Err(error) if super::condition_failed(&error) => Ok(()),
            Err(error) => Err(self.error("PutItem", &plan.plan_id, &error)),
        }
    }

    /// Stores a plan as the actor's active one together with the verdict, and uses up any approval. Returns `false`,
    /// and changes nothing, if the lease was lost, or if the revision must be unchanged and has been raised since the
    /// evaluation began.
    pub async fn adopt_plan(
        &self,
        actor: &ActorId,
        token: &str,
        adoption: &Adoption<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Adoption { plan, generation, verdict, must_be_unchanged } = *adoption;
        let change = verdict_change(actor, token, verdict, now)?.set("active_plan", text(&plan.plan_id));
        let mut change = change.remove("approved_plan");
        if let Some(generation) = generation {
            change = change.set("last_generation", number(generation.generation_id));
        }
        let mut writes = verdict_writes(actor, change, verdict, must_be_unchanged, now);
        writes.push(new_plan(actor, plan)?);
        if let Some(generation) = generation {
            writes.push(new_generation(actor, generation)?);
        }
        self.transact_once(&writes).await
    }

    /// Stores a manual plan with its generation batch. Returns `false`, and changes nothing, if the plan exists already
    /// or another batch has taken the number.
    pub async fn adopt_manual_plan(
        &self,
        actor: &ActorId,
        plan: &Plan,
        generation: &GenerationBatch,
    ) -> Result<bool, StoreError> {
        let counted = Change::of(actor_key(actor))
            .set("last_generation", number(generation.generation_id))
            .when_absent_or_equal("last_generation", number(generation.generation_id - 1));
        self.transact_once(&[counted.into(), new_plan(actor, plan)?, new_generation(actor, generation)?]).await
    }

    /// Records that the plan's first messages have been sent.
    pub async fn mark_dispatched(&self, actor: &ActorId, plan: &Plan) -> Result<(), StoreError> {
        let event = if plan.delete.is_empty() { PlanEvent::SlotsSent } else { PlanEvent::DeletionsSent };
        let change = Change::of(plan_key(actor, &plan.plan_id));
        self.advance_plan(actor, &plan.plan_id, plan.state, event, change).await.map(drop)
    }

    /// Records that an evaluation has reviewed the result of a plan. A plan that isn't completed stays unchanged.
    pub async fn review_plan(&self, actor: &ActorId, plan_id: &str) -> Result<(), StoreError> {
        let change = Change::of(plan_key(actor, plan_id));
        self.advance_plan(actor, plan_id, PlanState::Completed, PlanEvent::Reviewed, change).await.map(drop)
    }

    /// Supersedes a plan that has unfinished work or awaits approval. Any other plan stays unchanged.
    pub async fn supersede_plan(&self, actor: &ActorId, plan_id: &str) -> Result<(), StoreError> {
        let Some(plan) = self.plan(actor, plan_id).await? else { return Ok(()) };
        let change = Change::of(plan_key(actor, plan_id));
        self.advance_plan(actor, plan_id, plan.state, PlanEvent::Superseded, change).await.map(drop)
    }

    /// Records that a plan's deletions are finished, once for all deliveries. A superseded plan keeps its state, but
    /// shows how many images it has deleted.
    pub async fn finish_deletions(&self, actor: &ActorId, plan: &Plan, deleted: u32) -> Result<(), StoreError> {
        let change = Change::of(plan_key(actor, &plan.plan_id)).set("deleted", number(deleted));
        let finished = change.clone().add("remaining", number(-1));
        let event = PlanEvent::DeletionsFinished;
        if !self.advance_plan(actor, &plan.plan_id, plan.state, event, finished).await? {
            self.apply(change.when_equal("state", value(&PlanState::Superseded)?)).await?;
        }
        Ok(())
    }

    /// Applies an event to a plan whose state was `seen`, together with `change`. Repeats this if the state has changed
    /// since. Returns `false`, and changes nothing, if the state doesn't allow the event, as after a redelivery.
    async fn advance_plan(
        &self,
        actor: &ActorId,
        plan_id: &str,
        mut seen: PlanState,
        event: PlanEvent,
        change: Change,
    ) -> Result<bool, StoreError> {
        for _ in 0..MAX_STATE_CHANGES {
            let Ok(next) = seen.apply(event) else { return Ok(false) };
            let advanced = change.clone().set("state", value(&next)?);
            if self.apply(while_in(advanced, seen)?).await?.is_some() {
                return Ok(true);
            }
            let Some(plan) = self.plan(actor, plan_id).await? else { return Ok(false) };
            seen = plan.state;
        }
        Err(StoreError::Contended("change the state of the plan"))
    }
}

/// Conditions a change on the state of a plan as [`PlanState::observed`] returns it.
fn while_in(change: Change, state: PlanState) -> Result<Change, StoreError> {
    let change = match state {
        PlanState::Completed => {
            let completed = [PlanState::Adopted, PlanState::Generating, PlanState::Completed];
            let stored = completed.iter().map(value).collect::<Result<_, _>>()?;
            return Ok(change.when(Condition::OneOf("state", stored)).when_equal("remaining", number(0)));
        }
        PlanState::Adopted | PlanState::Deleting | PlanState::Generating => {
            change.when(Condition::Above("remaining", number(0)))
        }
        PlanState::DryRun | PlanState::AwaitingApproval | PlanState::Reviewed | PlanState::Superseded => change,
    };
    Ok(change.when_equal("state", value(&state)?))
}

fn new_plan(actor: &ActorId, plan: &Plan) -> Result<Write, StoreError> {
    Ok(Write::Create(items::item(plan_key(actor, &plan.plan_id), plan)?))
}

pub(super) fn plan_key(actor: &ActorId, plan_id: &str) -> Item {
    items::key(actor, format!("{PLAN}{plan_id}"))
}
