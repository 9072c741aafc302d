//! Resumes the work of a killed run: its queues, and with them its messages, ended with it.

use std::time::Duration;

use aws::queues::Queue;
use domain::actor::ActorId;
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::messages::{Cause, EvaluationCommand};
use domain::plan::{Origin, Plan, PlanState};
use domain::status::Status;
use handlers::Clock;

use super::actors::Actors;

/// Requests that the unfinished work of an actor is resumed. If no plan is unfinished, requests an evaluation as the first
/// one of a run does.
pub async fn resume(actors: &Actors, actor: &ActorId, is_suspended: bool) -> anyhow::Result<()> {
    let services = &actors.services;
    let record = services.store.actor(actor).await?.unwrap_or_default();
    let is_active = |plan: &Plan| record.active_plan.as_ref() == Some(&plan.plan_id);
    // The end of any plan leads to an evaluation.
    let mut is_at_work = false;
    for plan in services.store.plans(actor).await? {
        let awaits_review = plan.state == PlanState::Completed && (is_active(&plan) || plan.origin == Origin::Manual);
        is_at_work |= plan.is_under_way() || awaits_review;
        if plan.is_under_way() && record.status == Status::Parked {
            // Otherwise the run would end before its workers have found out whether there is money.
            let behalf = OnBehalf::Plan(&plan.plan_id);
            let now = Clock::system().now();
            services.store.change_standing(actor, behalf, &ActorEvent::WorkResumed, now).await?;
        }
    }
    let command = EvaluationCommand::because(actor.clone(), Cause::Resume);
    services.queues.send(Queue::Evaluation, &command, Duration::ZERO).await?;
    if is_at_work { Ok(()) } else { actors.request_first_evaluation(actor, is_suspended).await }
}
