//! Plans and how far they have come.

use domain::actor::ActorId;
use domain::manifest::GenerationBatch;
use domain::plan::{Plan, PlanState};
use jiff::Timestamp;

use super::actors::actor_key;
use super::change::Change;
use super::items::{self, Item, number, text, value};
use super::leases::{Uploads, Verdict, forget_uploads, verdict_change};
use super::{Store, StoreError};

const PLAN: &str = "PLAN#";

impl Store {
    /// A plan; `None` if there is none of that name.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn plan(&self, actor: &ActorId, plan_id: &str) -> Result<Option<Plan>, StoreError> {
        self.get(plan_key(actor, plan_id)).await
    }

    /// Every plan of an actor, the oldest first.
    ///
    /// # Errors
    /// If the table can't be read.
    pub async fn plans(&self, actor: &ActorId) -> Result<Vec<Plan>, StoreError> {
        self.query(actor, PLAN).await?.into_iter().map(items::data).collect()
    }

    /// Stores the plan of a dry run. An existing plan of this name that is not a dry run stays unchanged.
    ///
    /// # Errors
    /// If the table can't be written.
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

    /// Makes a plan the one that is carried out, or that awaits approval, and ends the evaluation, all at once. An
    /// approval given before is used up by it. `false`, and nothing done, if the lease was lost or uploads came in that
    /// the plan doesn't know of.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn adopt_plan(
        &self,
        actor: &ActorId,
        token: &str,
        plan: &Plan,
        generation: Option<&GenerationBatch>,
        verdict: &Verdict<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = verdict_change(actor, token, verdict, now)?.set("active_plan", text(&plan.plan_id));
        let change = change.remove("approved_plan");
        let mut change = match verdict.uploads {
            Uploads::Evaluated { until } => forget_uploads(change, until),
            Uploads::StillWait => change,
        };
        if let Some(generation) = generation {
            change = change.set("last_generation", number(generation.generation_id));
        }
        let mut writes =
            vec![change.in_transaction(self)?, self.put_new(items::item(plan_key(actor, &plan.plan_id), plan)?)?];
        if let Some(generation) = generation {
            writes.push(self.put_generation(actor, generation)?);
        }
        self.transact(writes).await
    }

    /// Stores a plan made by hand, with its generation. `false` if it is there already, or another generation took
    /// the number.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn adopt_manual_plan(
        &self,
        actor: &ActorId,
        plan: &Plan,
        generation: &GenerationBatch,
    ) -> Result<bool, StoreError> {
        let counted = Change::of(actor_key(actor))
            .set("last_generation", number(generation.generation_id))
            .when_absent_or_equal("last_generation", number(generation.generation_id - 1));
        self.transact(vec![
            counted.in_transaction(self)?,
            self.put_new(items::item(plan_key(actor, &plan.plan_id), plan)?)?,
            self.put_generation(actor, generation)?,
        ])
        .await
    }

    /// Notes that a plan's messages have been sent.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn mark_dispatched(&self, actor: &ActorId, plan_id: &str) -> Result<(), StoreError> {
        let change = Change::of(plan_key(actor, plan_id)).set("dispatched", value(&true)?).when_item_exists();
        self.apply(change).await.map(drop)
    }

    /// Notes that what a running plan has done has been looked at. One that was overtaken stays so.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn close_plan(&self, actor: &ActorId, plan_id: &str) -> Result<(), StoreError> {
        let change = Change::of(plan_key(actor, plan_id))
            .set("state", value(&PlanState::Closed)?)
            .when_equal("state", value(&PlanState::Running)?);
        self.apply(change).await.map(drop)
    }

    /// Closes a plan that must not be carried out any more. A plan that is completed, closed or a dry run stays
    /// unchanged.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn supersede_plan(&self, actor: &ActorId, plan_id: &str) -> Result<(), StoreError> {
        let superseded = Change::of(plan_key(actor, plan_id)).set("state", value(&PlanState::Superseded)?);
        let awaiting = superseded.clone().when_equal("state", value(&PlanState::AwaitingApproval)?);
        let running = superseded.when_equal("state", value(&PlanState::Running)?).when_above("remaining", number(0));
        if self.apply(running).await?.is_none() {
            self.apply(awaiting).await?;
        }
        Ok(())
    }

    /// Counts a plan's deletions as done, once however often it is called.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn finish_deletions(&self, actor: &ActorId, plan_id: &str, deleted: u32) -> Result<(), StoreError> {
        let change = Change::of(plan_key(actor, plan_id))
            .set("deletions_done", value(&true)?)
            .set("deleted", number(deleted))
            .add("remaining", number(-1))
            .when_equal("deletions_done", value(&false)?);
        self.apply(change).await.map(drop)
    }
}

pub(super) fn plan_key(actor: &ActorId, plan_id: &str) -> Item {
    items::key(actor, format!("{PLAN}{plan_id}"))
}
