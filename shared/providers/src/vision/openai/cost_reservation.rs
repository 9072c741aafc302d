//! The reserved cost of one assessment session: the session sends no request before its highest price is reserved.

use domain::money::MicroUsd;
use tokio::sync::{Mutex, oneshot};
use tracing::warn;

use super::error::OpenAiError;
use crate::vision::{AssessmentEvent, EventSender};

/// The amounts of one session, which its concurrent requests share.
pub(super) struct CostReservation {
    events: EventSender,
    /// Locked during a reservation, so that two requests don't reserve the same missing amount.
    amounts: Mutex<Amounts>,
}

#[derive(Default)]
struct Amounts {
    reserved: MicroUsd,
    /// The highest prices of the requests without an answer yet.
    in_flight: MicroUsd,
    spent: MicroUsd,
}

impl CostReservation {
    pub(super) fn new(events: EventSender) -> Self {
        Self { events, amounts: Mutex::default() }
    }

    /// Reserves more until this amount is free.
    ///
    /// # Errors
    /// [`OpenAiError::NoBudget`] if a budget leaves no room for it.
    pub(super) async fn reserve(&self, amount: MicroUsd) -> Result<(), OpenAiError> {
        self.ensure_free(&mut *self.amounts.lock().await, amount).await
    }

    /// Takes the highest price of a request out of the reservation, and reserves more if that much is not free.
    ///
    /// # Errors
    /// [`OpenAiError::NoBudget`] if a budget leaves no room for it.
    pub(super) async fn take(&self, price: MicroUsd) -> Result<(), OpenAiError> {
        let mut amounts = self.amounts.lock().await;
        self.ensure_free(&mut amounts, price).await?;
        amounts.in_flight += price;
        Ok(())
    }

    /// Records the cost of a request whose highest price was taken. The remainder is free again. If a service counts
    /// more tokens than the maximum, the next request has to reserve the difference.
    pub(super) async fn settle(&self, price: MicroUsd, cost: MicroUsd) {
        if cost > price {
            warn!(%price, %cost, "vision request cost more than its highest price");
        }
        let mut amounts = self.amounts.lock().await;
        amounts.in_flight = amounts.in_flight.saturating_sub(price);
        amounts.spent += cost;
    }

    /// The cost of all requests so far.
    pub(super) async fn spent(&self) -> MicroUsd {
        self.amounts.lock().await.spent
    }

    async fn ensure_free(&self, amounts: &mut Amounts, amount: MicroUsd) -> Result<(), OpenAiError> {
        let missing = (amounts.spent + amounts.in_flight + amount).saturating_sub(amounts.reserved);
        if missing == MicroUsd::ZERO {
            return Ok(());
        }
        let (granted, grant) = oneshot::channel();
        // Without a receiver nothing is granted.
        let _ = self.events.send(AssessmentEvent::ReservationNeeded { amount: missing, granted });
        if !grant.await.unwrap_or(false) {
            return Err(OpenAiError::NoBudget { retry_of: None });
        }
        amounts.reserved += missing;
        Ok(())
    }
}
