//! What `balancer local` carries from one run to the next. Each function scans the whole table: handlers and the command
//! line on AWS never use them.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::ActorId;
use domain::plan::Plan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::items::{self, Item, text};
use super::slots::SlotRecord;
use super::spending::{Spending, actor_day_key, day_key};
use super::{Store, StoreError};

/// The sums of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayAccounts {
    pub day: Date,
    /// The sums of all actors together.
    pub total: Spending,
    pub actors: BTreeMap<ActorId, Spending>,
}

/// The actors whose work has not ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Those with a plan or a deletion under way.
    pub work: BTreeSet<ActorId>,
    /// Those with an image that may be paid for and is not in its place.
    pub images: BTreeSet<ActorId>,
}

impl DayAccounts {
    /// Whether nothing was spent or reserved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == Spending::default()
    }
}

impl Store {
    /// The sums of a day.
    pub async fn accounts(&self, day: Date) -> Result<DayAccounts, StoreError> {
        let mut accounts = DayAccounts { day, total: self.spending(day).await?, actors: BTreeMap::new() };
        for item in self.scan(&format!("SPENDING#{day}")).await? {
            if let Some(actor) = items::actor_of(&item) {
                accounts.actors.insert(actor, items::data(item)?);
            }
        }
        Ok(accounts)
    }

    /// Writes the sums of a day into a table that has none of that day.
    pub async fn import_accounts(&self, accounts: &DayAccounts) -> Result<(), StoreError> {
        let total = (day_key(accounts.day), &accounts.total);
        let actors = accounts.actors.iter().map(|(actor, sums)| (actor_day_key(actor, accounts.day), sums));
        for (key, sums) in actors.chain([total]) {
            let put = self.client.put_item().table_name(&self.table).set_item(Some(items::item(key, sums)?));
            put.send().await.map_err(|error| self.error("PutItem", "SPENDING", &error))?;
        }
        Ok(())
    }

    /// The actors with unfinished work.
    pub async fn unfinished(&self) -> Result<Unfinished, StoreError> {
        let mut unfinished = Unfinished::default();
        for item in self.scan("PLAN#").await? {
            if let Some(actor) = items::actor_of(&item)
                && items::data::<Plan>(item)?.observed().is_under_way()
            {
                unfinished.work.insert(actor);
            }
        }
        let claimed = self.scan("IMAGE#").await?.into_iter().filter(|image| image.contains_key("deleting"));
        unfinished.work.extend(claimed.filter_map(|image| items::actor_of(&image)));
        for item in self.scan("SLOT#").await? {
            if let Some(actor) = items::actor_of(&item)
                && items::data::<SlotRecord>(item)?.progress.state.is_under_way()
            {
                unfinished.images.insert(actor);
            }
        }
        Ok(unfinished)
    }

    /// The items of all actors with this prefix.
    async fn scan(&self, sort_prefix: &str) -> Result<Vec<Item>, StoreError> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let scan = scan.filter_expression("begins_with(sk, :prefix)");
        let mut found = scan.expression_attribute_values(":prefix", text(sort_prefix)).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(item) = found.next().await {
            all.push(item.map_err(|error| self.error("Scan", sort_prefix, &error))?);
        }
        Ok(all)
    }
}
