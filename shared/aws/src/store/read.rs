//! Consistent reads: a handler must see everything that was written before.

use domain::actor::ActorId;
use serde::de::DeserializeOwned;

use super::items::{self, Item, text};
use super::{Store, StoreError};

impl Store {
    pub(super) async fn get<T: DeserializeOwned>(&self, key: Item) -> Result<Option<T>, StoreError> {
        self.get_item(key).await?.map(items::data).transpose()
    }

    pub(super) async fn get_item(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let found = request.send().await.map_err(|error| self.error("GetItem", "", &error))?;
        Ok(found.item)
    }

    pub(super) async fn query(&self, actor: &ActorId, sort_prefix: &str) -> Result<Vec<Item>, StoreError> {
        self.query_partition(items::partition(actor), sort_prefix).await
    }

    pub(super) async fn query_partition(&self, partition: String, sort_prefix: &str) -> Result<Vec<Item>, StoreError> {
        let mut found = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND begins_with(sk, :prefix)")
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":prefix", text(sort_prefix))
            .into_paginator()
            .items()
            .send();
        let mut all = Vec::new();
        while let Some(item) = found.next().await {
            all.push(item.map_err(|error| self.error("Query", sort_prefix, &error))?);
        }
        Ok(all)
    }
}
