//! A conditional change of one item, written as sentences instead of expression strings.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Delete, ReturnValue, TransactWriteItem, Update};
use backon::Retryable;

use super::items::Item;
use super::{CONTENTION_BACKOFF, Store, StoreError, condition_failed};
use crate::AwsError;

/// What is to change in an item, and what must hold for it. The item is made if it isn't there, unless a condition
/// says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Change {
    key: Item,
    sets: Vec<String>,
    adds: Vec<String>,
    takes: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    pub(super) fn of(key: Item) -> Self {
        Self {
            key,
            sets: Vec::new(),
            adds: Vec::new(),
            takes: Vec::new(),
            removes: Vec::new(),
            conditions: Vec::new(),
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// A dotted `attribute` reaches into a map.
    pub(super) fn set(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.sets.push(format!("{name} = {value}"));
        self
    }

    pub(super) fn set_if_absent(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.sets.push(format!("{name} = if_not_exists({name}, {value})"));
        self
    }

    /// What `from` was before the change.
    pub(super) fn set_from(mut self, attribute: &str, from: &str) -> Self {
        let (name, from) = (self.name(attribute), self.name(from));
        self.sets.push(format!("{name} = {from}"));
        self
    }

    pub(super) fn add(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.adds.push(format!("{name} {value}"));
        self
    }

    /// Takes members out of a set.
    pub(super) fn take(mut self, attribute: &str, members: AttributeValue) -> Self {
        let (name, members) = (self.name(attribute), self.value(members));
        self.takes.push(format!("{name} {members}"));
        self
    }

    pub(super) fn remove(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        self.removes.push(name);
        self
    }

    pub(super) fn when_equal(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("{name} = {value}"));
        self
    }

    pub(super) fn when_one_of(mut self, attribute: &str, values: Vec<AttributeValue>) -> Self {
        let name = self.name(attribute);
        let values: Vec<String> = values.into_iter().map(|value| self.value(value)).collect();
        self.conditions.push(format!("{name} IN ({})", values.join(", ")));
        self
    }

    pub(super) fn when_other(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} <> {value})"));
        self
    }

    pub(super) fn when_above(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("{name} > {value}"));
        self
    }

    pub(super) fn when_absent_or_below(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} < {value})"));
        self
    }

    pub(super) fn when_absent_or_equal(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} = {value})"));
        self
    }

    pub(super) fn when_absent_or_at_most(mut self, attribute: &str, value: AttributeValue) -> Self {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} <= {value})"));
        self
    }

    /// The lease is free, has expired, or is already held by `token`, so a call whose response was lost can be repeated.
    pub(super) fn when_free(mut self, until: &str, now: AttributeValue, holder: &str, token: AttributeValue) -> Self {
        let (until, now) = (self.name(until), self.value(now));
        let (holder, token) = (self.name(holder), self.value(token));
        self.conditions.push(format!("(attribute_not_exists({until}) OR {until} < {now} OR {holder} = {token})"));
        self
    }

    pub(super) fn when_present(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        self.conditions.push(format!("attribute_exists({name})"));
        self
    }

    pub(super) fn when_absent(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        self.conditions.push(format!("attribute_not_exists({name})"));
        self
    }

    /// The set `attribute` has no such member.
    pub(super) fn when_without(mut self, attribute: &str, member: AttributeValue) -> Self {
        let (name, member) = (self.name(attribute), self.value(member));
        self.conditions.push(format!("NOT contains({name}, {member})"));
        self
    }

    pub(super) fn when_item_exists(self) -> Self {
        self.when_present("pk")
    }

    fn name(&mut self, attribute: &str) -> String {
        // Every name gets a placeholder: `status`, `round` and many more are reserved words.
        let placeholders = attribute.split('.').map(|part| format!("#{part}")).collect::<Vec<_>>();
        self.names.extend(placeholders.iter().map(|name| (name.clone(), name[1..].to_owned())));
        placeholders.join(".")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    fn update_expression(&self) -> String {
        [("SET", &self.sets), ("ADD", &self.adds), ("DELETE", &self.takes), ("REMOVE", &self.removes)]
            .into_iter()
            .filter(|(_, clauses)| !clauses.is_empty())
            .map(|(verb, clauses)| format!("{verb} {}", clauses.join(", ")))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn condition_expression(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    /// The change as part of a transaction.
    pub(super) fn in_transaction(self, store: &Store) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&store.table)
            .update_expression(self.update_expression())
            .set_condition_expression(self.condition_expression())
            .set_key(Some(self.key))
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .build()
            .map_err(|error| AwsError::new("DynamoDB", "TransactWriteItems", &store.table, error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The removal of the item, under the change's conditions, as part of a transaction.
    pub(super) fn removal_in_transaction(self, store: &Store) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&store.table)
            .set_condition_expression(self.condition_expression())
            .set_key(Some(self.key))
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .build()
            .map_err(|error| AwsError::new("DynamoDB", "TransactWriteItems", &store.table, error.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

impl Store {
    /// Makes the change. Returns the whole item as it is then, or `None` if a condition didn't hold.
    pub(super) async fn apply(&self, change: Change) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .update_expression(change.update_expression())
            .set_condition_expression(change.condition_expression())
            .set_key(Some(change.key))
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values))
            .return_values(ReturnValue::AllNew);
        match (|| request.clone().send()).retry(CONTENTION_BACKOFF).when(is_conflict).await {
            Ok(updated) => Ok(Some(updated.attributes.unwrap_or_default())),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(self.error("UpdateItem", "", &error)),
        }
    }

    /// Removes the item under the change's conditions. `false` if one didn't hold.
    pub(super) async fn remove_item(&self, change: Change) -> Result<bool, StoreError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_condition_expression(change.condition_expression())
            .set_key(Some(change.key))
            .set_expression_attribute_names((!change.names.is_empty()).then_some(change.names))
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values));
        match (|| request.clone().send()).retry(CONTENTION_BACKOFF).when(is_conflict).await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(self.error("DeleteItem", "", &error)),
        }
    }

    /// Makes all changes or none. `false` if a condition didn't hold, or another transaction was at it.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        Ok(self.try_transact(items).await?.is_empty())
    }

    /// Makes all changes or none. Returns what was the matter with each; nothing if all are made.
    pub(super) async fn try_transact(&self, items: Vec<TransactWriteItem>) -> Result<Vec<Failure>, StoreError> {
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Vec::new()),
            Err(error) => failures(&error).ok_or_else(|| self.error("TransactWriteItems", "", &error)),
        }
    }
}

/// Whether a transaction was at the item in that moment. The SDK doesn't try again by itself.
fn is_conflict<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// What was the matter with one change of a transaction that was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing; another change stood in the way.
    None,
    /// Its condition didn't hold.
    Condition,
    /// Another transaction was at the same item.
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
