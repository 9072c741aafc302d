//! Parking of actors whose work a budget or an account doesn't cover, and the metrics of money.

use aws::metrics::Metric;
use aws::store::{Store, StoreError};
use domain::actor::ActorId;
use domain::budget::{Budget, Charge, Limit};
use domain::lifecycle::actor::{ActorEvent, OnBehalf};

use crate::{Clock, HandlerError};

/// Emits the metrics of a payment: the amount, and the used share of the day's budget.
pub(crate) async fn report_payment(store: &Store, budget: &Budget, paid: Charge) {
    Metric::DollarsSpent(paid.amount).emit();
    if let Ok(spending) = store.spending(paid.day).await {
        Metric::BudgetUsedPercent { committed: spending.committed, budget: budget.daily }.emit();
    }
}

/// Parks an actor until `limit`, or the account with a service, has money again. Returns the error that defers the
/// message.
pub(crate) async fn park(
    store: &Store,
    clock: &Clock,
    budget: &Budget,
    actor: &ActorId,
    behalf: OnBehalf<'_>,
    limit: Option<Limit>,
    reason: String,
) -> Result<HandlerError, StoreError> {
    Metric::Parked.emit();
    let parked = ActorEvent::WorkParked { limit, reason: reason.clone() };
    store.change_standing(actor, behalf, &parked, clock.now()).await?;
    Ok(HandlerError::deferred(reason, budget.poll))
}

/// Parks an actor whose next work would exceed `limit`.
pub(crate) async fn park_over_budget(
    store: &Store,
    clock: &Clock,
    budget: &Budget,
    actor: &ActorId,
    behalf: OnBehalf<'_>,
    limit: Limit,
    reason: String,
) -> Result<HandlerError, StoreError> {
    if limit == Limit::Daily {
        // The rest may not cover another image and yet exceed the tenth at which the alarm starts. So report 100 %.
        Metric::BudgetUsedPercent { committed: budget.daily, budget: budget.daily }.emit();
    }
    park(store, clock, budget, actor, behalf, Some(limit), reason).await
}
