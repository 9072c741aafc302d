//! The money for one judging: no request is sent before its highest price is set aside.

use domain::money::MicroUsd;
use tokio::sync::{Mutex, oneshot};
use tracing::warn;

use super::error::OpenAiError;
use crate::vision::{AssessmentEvent, EventSender};

/// What is set aside for a judging.
pub(super) struct CostReservation {
    /// Whoever keeps the books.
    tell: EventSender,
    /// Locked while more is asked for, so that nobody asks for it a second time.
    money: Mutex<Money>,
}

#[derive(Default)]
struct Money {
    set_aside: MicroUsd,
    /// The highest prices of the requests that are not answered yet.
    under_way: MicroUsd,
    spent: MicroUsd,
}

impl CostReservation {
    pub(super) fn new(tell: EventSender) -> Self {
        Self { tell, money: Mutex::default() }
    }

    /// Has money set aside until so much is free.
    ///
    /// # Errors
    /// If the books leave no room for it.
    pub(super) async fn fill(&self, amount: MicroUsd) -> Result<(), OpenAiError> {
        self.fill_up(&mut *self.money.lock().await, amount).await
    }

    /// Takes the highest price of a request out, before it is sent.
    ///
    /// # Errors
    /// If that much is not free, and the books leave no room for more.
    pub(super) async fn take(&self, price: MicroUsd) -> Result<(), OpenAiError> {
        let mut money = self.money.lock().await;
        self.fill_up(&mut money, price).await?;
        money.under_way += price;
        Ok(())
    }

    /// Notes what a request did cost for which its highest price was taken out. The rest is free again; if a service counts
    /// more than it should, that is missing for the next request.
    pub(super) async fn pay(&self, price: MicroUsd, cost: MicroUsd) {
        if cost > price {
            warn!(%price, %cost, "the vision service counts more tokens than were thought possible");
        }
        let mut money = self.money.lock().await;
        money.under_way = money.under_way.saturating_sub(price);
        money.spent += cost;
    }

    /// What all requests have cost.
    pub(super) async fn spent(&self) -> MicroUsd {
        self.money.lock().await.spent
    }

    async fn fill_up(&self, money: &mut Money, amount: MicroUsd) -> Result<(), OpenAiError> {
        let missing = (money.spent + money.under_way + amount).saturating_sub(money.set_aside);
        if missing == MicroUsd::ZERO {
            return Ok(());
        }
        let (granted, grant) = oneshot::channel();
        // Nobody who keeps books, no money.
        let _ = self.tell.send(AssessmentEvent::ReservationNeeded { amount: missing, granted });
        if !grant.await.unwrap_or(false) {
            return Err(OpenAiError::NoBudget { because: None });
        }
        money.set_aside += missing;
        Ok(())
    }
}
