//! Executes writes.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Delete, Put, ReturnValue, TransactWriteItem, Update};
use backon::Retryable;

use super::change::{Change, Removal, Write};
use super::expression::Expressions;
use super::items::Item;
use super::{CONTENTION_BACKOFF, Store, StoreError, condition_failed};
use crate::AwsError;

impl Store {
    /// Makes the change. Returns the whole item as it is afterwards, or `None` if a condition didn't hold.
    pub(super) async fn apply(&self, change: Change) -> Result<Option<Item>, StoreError> {
        let Expressions { update, condition, names, values } = Expressions::of(&change.actions, &change.conditions);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_update_expression(update)
            .set_condition_expression(condition)
            .set_key(Some(change.key))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew);
        match (|| request.clone().send()).retry(CONTENTION_BACKOFF).when(is_conflict).await {
            Ok(updated) => Ok(Some(updated.attributes.unwrap_or_default())),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(self.error("UpdateItem", "", &error)),
        }
    }

    /// Removes an item. `false` if a condition didn't hold.
    pub(super) async fn remove_item(&self, removal: Removal) -> Result<bool, StoreError> {
        let Expressions { condition, names, values, .. } = Expressions::of(&[], &removal.conditions);
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_condition_expression(condition)
            .set_key(Some(removal.key))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        match (|| request.clone().send()).retry(CONTENTION_BACKOFF).when(is_conflict).await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(self.error("DeleteItem", "", &error)),
        }
    }

    /// Makes all writes or none, in one attempt. `false` if a condition didn't hold or another transaction interfered.
    pub(super) async fn transact(&self, writes: &[Write]) -> Result<Vec<Failure>, StoreError> {
        let attempt = || async {
            let failures = self.try_transact(writes).await?;
            let is_conflict = failures.contains(&Failure::Conflict) && !failures.contains(&Failure::Condition);
            if is_conflict { Err(Contention::Conflict) } else { Ok(failures) }
        };
        match attempt.retry(CONTENTION_BACKOFF).when(|error| matches!(error, Contention::Conflict)).await {
            Ok(failures) => Ok(failures),
            Err(Contention::Store(error)) => Err(error),
            Err(Contention::Conflict) => Err(StoreError::Contended("change the same items")),
        }
    }

    /// Makes all writes or none, in one attempt. `false` if a condition didn't hold, or another transaction held an
    /// item.
    pub(super) async fn transact_once(&self, writes: &[Write]) -> Result<bool, StoreError> {
        Ok(self.try_transact(writes).await?.is_empty())
    }

    async fn try_transact(&self, writes: &[Write]) -> Result<Vec<Failure>, StoreError> {
        let items = writes.iter().map(|write| self.in_transaction(write)).collect::<Result<_, _>>();
        let items =
            items.map_err(|error| AwsError::new("DynamoDB", "TransactWriteItems", &self.table, error.to_string()))?;
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Vec::new()),
            Err(error) => failures(&error).ok_or_else(|| self.error("TransactWriteItems", "", &error)),
        }
    }

    fn in_transaction(&self, write: &Write) -> Result<TransactWriteItem, BuildError> {
        let transaction = TransactWriteItem::builder();
        Ok(match write {
            Write::Update(change) => {
                let Expressions { update, condition, names, values } =
                    Expressions::of(&change.actions, &change.conditions);
                let update = Update::builder()
                    .table_name(&self.table)
                    .set_update_expression(update)
                    .set_condition_expression(condition)
                    .set_key(Some(change.key.clone()))
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                transaction.update(update.build()?)
            }
            Write::Create(item) => {
                let put = Put::builder().table_name(&self.table).set_item(Some(item.clone()));
                transaction.put(put.condition_expression("attribute_not_exists(pk)").build()?)
            }
            Write::Remove(removal) => {
                let Expressions { condition, names, values, .. } = Expressions::of(&[], &removal.conditions);
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .set_condition_expression(condition)
                    .set_key(Some(removal.key.clone()))
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                transaction.delete(delete.build()?)
            }
        }
        .build())
    }
}

/// Whether a transaction held the item at that moment. The SDK doesn't retry this by itself.
fn is_conflict<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// The failure of one write of a transaction that was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// None; another write of the transaction failed.
    None,
    /// Its condition didn't hold.
    Condition,
    /// Another transaction held the same item.
    Conflict,
}

/// `None` if the transaction failed for another reason than conditions and conflicts.
fn failures<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Vec<Failure>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()? else {
        return None;
    };
    let failure = |reason: &CancellationReason| match reason.code() {
        None | Some("None") => Some(Failure::None),
        Some("ConditionalCheckFailed") => Some(Failure::Condition),
        Some("TransactionConflict") => Some(Failure::Conflict),
        Some(_) => None,
    };
    let failures: Vec<Failure> = cancelled.cancellation_reasons().iter().map(failure).collect::<Option<_>>()?;
    failures.iter().any(|failure| *failure != Failure::None).then_some(failures)
}

/// Why one attempt at a transaction failed.
enum Contention {
    Conflict,
    Store(StoreError),
}

impl From<StoreError> for Contention {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
