//! Keys, and the conversion between items and data.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::actor::ActorId;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn partition(actor: &ActorId) -> String {
    format!("ACTOR#{actor}")
}

/// The actor of an item.
pub(super) fn actor_of(item: &Item) -> Option<ActorId> {
    item.get("pk")?.as_s().ok()?.strip_prefix("ACTOR#")?.parse().ok()
}

pub(super) fn key(actor: &ActorId, sort: impl Into<String>) -> Item {
    raw_key(partition(actor), sort)
}

pub(super) fn raw_key(partition: impl Into<String>, sort: impl Into<String>) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(partition.into())),
        ("sk".to_owned(), AttributeValue::S(sort.into())),
    ])
}

/// The data with its key as a whole item.
pub(super) fn item(key: Item, data: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(data).map_err(|cause| malformed(&key, cause))?;
    item.extend(key);
    Ok(item)
}

pub(super) fn value(data: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(data)
        .map_err(|cause| StoreError::Malformed { item: "to be written".to_owned(), cause })
}

/// The data of an item that was read.
pub(super) fn data<T: DeserializeOwned>(mut item: Item) -> Result<T, StoreError> {
    let key: Item = ["pk", "sk"].iter().filter_map(|name| item.remove_entry(*name)).collect();
    serde_dynamo::from_item(item).map_err(|cause| malformed(&key, cause))
}

/// The sort key of an item without this prefix.
pub(super) fn sort_key_after(item: &Item, prefix: &str) -> Option<String> {
    let sort = item.get("sk")?.as_s().ok()?;
    sort.strip_prefix(prefix).map(str::to_owned)
}

fn malformed(key: &Item, cause: serde_dynamo::Error) -> StoreError {
    let part = |name| key.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    StoreError::Malformed { item: format!("{} {}", part("pk"), part("sk")), cause }
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A set of texts with one member.
pub(super) fn members(member: &str) -> AttributeValue {
    AttributeValue::Ss(vec![member.to_owned()])
}

pub(super) fn millis(moment: Timestamp) -> AttributeValue {
    number(moment.as_millisecond())
}

pub(super) fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

pub(super) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
