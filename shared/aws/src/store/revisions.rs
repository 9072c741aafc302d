//! Detects changes of actors by one read of the whole table: for the table of a run on this machine, which has no other
//! change notification. Handlers and the command line on AWS never use it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::actor::ActorId;

use super::items;
use super::{Store, StoreError};

impl Store {
    /// A number for every actor. It differs from an earlier one if any item of the actor has changed since.
    pub async fn revisions(&self) -> Result<BTreeMap<ActorId, u64>, StoreError> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let mut found = scan.into_paginator().items().send();
        let mut revisions: BTreeMap<ActorId, u64> = BTreeMap::new();
        while let Some(item) = found.next().await {
            let item = item.map_err(|error| self.error("Scan", "revisions", &error))?;
            if let Some(actor) = items::actor_of(&item) {
                let revision = revisions.entry(actor).or_default();
                *revision = revision.wrapping_add(hash(of_map(&item)));
            }
        }
        Ok(revisions)
    }
}

/// Equal for equal values, in whatever order their maps are read.
fn of_value(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::M(map) => hash(of_map(map)),
        AttributeValue::L(list) => hash(list.iter().map(of_value).collect::<Vec<_>>()),
        plain => hash(format!("{plain:?}")),
    }
}

fn of_map(map: &HashMap<String, AttributeValue>) -> u64 {
    map.iter().fold(0, |sum: u64, (name, value)| sum.wrapping_add(hash((name, of_value(value)))))
}

fn hash(value: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> AttributeValue {
        AttributeValue::S(value.to_owned())
    }

    fn map(fields: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn the_order_of_a_map_makes_no_difference() {
        let image = |fields: &[(&str, AttributeValue)]| map(&[("image", AttributeValue::M(map(fields)))]);
        let (one, two) = (("a", text("1")), ("b", text("2")));
        assert_eq!(of_map(&image(&[one.clone(), two.clone()])), of_map(&image(&[two.clone(), one.clone()])));
        assert_ne!(of_map(&image(&[one.clone(), two])), of_map(&image(&[one.clone(), ("b", text("3"))])));
        assert_ne!(of_map(&image(std::slice::from_ref(&one))), of_map(&map(&[one])));
    }
}
