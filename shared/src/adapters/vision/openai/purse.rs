//! The money for one judging: no request is sent before its highest price is set aside.

use tokio::sync::{Mutex, oneshot};

use super::error::OpenAiError;
use crate::adapters::vision::{Tell, Word};
use crate::domain::money::MicroUsd;

/// What is set aside for a judging.
pub(super) struct Purse {
    /// Whoever keeps the books.
    tell: Tell,
    money: Mutex<Money>,
}

#[derive(Default)]
struct Money {
    /// Set aside, and meant for no request yet.
    free: MicroUsd,
    spent: MicroUsd,
}

impl Purse {
    pub(super) fn new(tell: Tell) -> Self {
        Self { tell, money: Mutex::default() }
    }

    /// Has money set aside until so much is free.
    ///
    /// # Errors
    /// If the books leave no room for it.
    pub(super) async fn fill(&self, amount: MicroUsd) -> Result<(), OpenAiError> {
        self.filled(&mut *self.money.lock().await, amount).await
    }

    /// Takes the highest price of a request out, before it is sent.
    ///
    /// # Errors
    /// If that much is not free, and the books leave no room for more.
    pub(super) async fn take(&self, price: MicroUsd) -> Result<(), OpenAiError> {
        let mut money = self.money.lock().await;
        self.filled(&mut money, price).await?;
        money.free = money.free.saturating_sub(price);
        Ok(())
    }

    /// Puts back what a request did not cost of the price that was taken out for it.
    pub(super) async fn put_back(&self, price: MicroUsd, cost: MicroUsd) {
        let mut money = self.money.lock().await;
        money.free += price.saturating_sub(cost);
        money.spent += cost;
    }

    /// What all requests have cost.
    pub(super) async fn spent(&self) -> MicroUsd {
        self.money.lock().await.spent
    }

    async fn filled(&self, money: &mut Money, amount: MicroUsd) -> Result<(), OpenAiError> {
        let missing = amount.saturating_sub(money.free);
        if missing == MicroUsd::ZERO {
            return Ok(());
        }
        let (granted, grant) = oneshot::channel();
        // Nobody who keeps books, no money.
        let _ = self.tell.send(Word::NeedsMoney { amount: missing, granted });
        if !grant.await.unwrap_or(false) {
            return Err(OpenAiError::NoBudget);
        }
        money.free += missing;
        Ok(())
    }
}
