//! Conditional writes as plain data. `expression` translates them for DynamoDB, and `write` executes them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::items::{Item, millis, text};

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    Update(Change),
    /// Creates this item; its condition is that there is none with its key.
    Create(Item),
    Remove(Removal),
}

/// A conditional update of one item. It creates a missing item unless a condition forbids that.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) key: Item,
    pub(super) actions: Vec<Action>,
    /// All of them must hold.
    pub(super) conditions: Vec<Condition>,
}

/// The conditional removal of one item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Removal {
    pub(super) key: Item,
    /// All of them must hold.
    pub(super) conditions: Vec<Condition>,
}

/// The update of one attribute. A dotted name reaches into a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Set(&'static str, AttributeValue),
    SetIfAbsent(&'static str, AttributeValue),
    /// Adds to a number, or members to a set.
    Add(&'static str, AttributeValue),
    Remove(&'static str),
}

/// A condition on the item as it is before the write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Present(&'static str),
    Absent(&'static str),
    Equal(&'static str, AttributeValue),
    OneOf(&'static str, Vec<AttributeValue>),
    Above(&'static str, AttributeValue),
    AbsentOrEqual(&'static str, AttributeValue),
    AbsentOrBelow(&'static str, AttributeValue),
    AbsentOrAtMost(&'static str, AttributeValue),
    /// The set has no such member.
    Without(&'static str, AttributeValue),
    /// The lease is free, has expired, or is already held by `token`, so a write whose response was lost can be
    /// repeated.
    LeaseFree {
        now: AttributeValue,
        token: AttributeValue,
    },
}

impl Change {
    pub(super) fn of(key: Item) -> Self {
        Self { key, actions: Vec::new(), conditions: Vec::new() }
    }

    pub(super) fn set(self, name: &'static str, value: AttributeValue) -> Self {
        self.and(Action::Set(name, value))
    }

    pub(super) fn set_or_remove(self, name: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    pub(super) fn set_if_absent(self, name: &'static str, value: AttributeValue) -> Self {
        self.and(Action::SetIfAbsent(name, value))
    }

    pub(super) fn add(self, name: &'static str, value: AttributeValue) -> Self {
        self.and(Action::Add(name, value))
    }

    pub(super) fn remove(self, name: &'static str) -> Self {
        self.and(Action::Remove(name))
    }

    /// Takes the item's lease, on condition that it is free.
    pub(super) fn take_lease(self, token: &str, now: Timestamp, until: Timestamp) -> Self {
        self.set("lease_token", text(token))
            .set("lease_until", millis(until))
            .when(Condition::LeaseFree { now: millis(now), token: text(token) })
    }

    /// Extends the item's lease, on condition that `token` holds it.
    pub(super) fn extend_lease(self, token: &str, until: Timestamp) -> Self {
        self.set("lease_until", millis(until)).when_equal("lease_token", text(token))
    }

    /// Ends the item's lease, on condition that `token` holds it.
    pub(super) fn end_lease(self, token: &str) -> Self {
        self.remove("lease_token").remove("lease_until").when_equal("lease_token", text(token))
    }

    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    pub(super) fn when_equal(self, name: &'static str, value: AttributeValue) -> Self {
        self.when(Condition::Equal(name, value))
    }

    pub(super) fn when_absent(self, name: &'static str) -> Self {
        self.when(Condition::Absent(name))
    }

    pub(super) fn when_absent_or_equal(self, name: &'static str, value: AttributeValue) -> Self {
        self.when(Condition::AbsentOrEqual(name, value))
    }

    pub(super) fn when_item_exists(self) -> Self {
        self.when(Condition::Present("pk"))
    }

    fn and(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }
}

impl Removal {
    pub(super) fn of(key: Item) -> Self {
        Self { key, conditions: Vec::new() }
    }

    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

impl From<Change> for Write {
    fn from(change: Change) -> Self {
        Self::Update(change)
    }
}

impl From<Removal> for Write {
    fn from(removal: Removal) -> Self {
        Self::Remove(removal)
    }
}
