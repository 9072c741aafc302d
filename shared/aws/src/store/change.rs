//! Conditional writes as plain data. `expression` translates them for DynamoDB, and `write` executes them.

use aws_sdk_dynamodb::types::AttributeValue;

use super::items::Item;

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    Update(Change),
    /// Creates this item; its condition is that there is none with its key.
    Create(Item),
    /// Removes the item under the conditions of the change.
    Remove(Change),
}

/// A conditional update of one item. It creates a missing item unless a condition forbids that.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) key: Item,
    pub(super) actions: Vec<Action>,
    /// All of them must hold.
    pub(super) conditions: Vec<Condition>,
}

/// The update of one attribute. A dotted name reaches into a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Set(String, AttributeValue),
    SetIfAbsent(String, AttributeValue),
    /// Adds to a number, or members to a set.
    Add(String, AttributeValue),
    /// Takes members out of a set.
    Take(String, AttributeValue),
    Remove(String),
}

/// A condition on the item as it is before the write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Present(String),
    Absent(String),
    Equal(String, AttributeValue),
    OneOf(String, Vec<AttributeValue>),
    Above(String, AttributeValue),
    AbsentOrEqual(String, AttributeValue),
    AbsentOrBelow(String, AttributeValue),
    AbsentOrAtMost(String, AttributeValue),
    /// The set has no such member.
    Without(String, AttributeValue),
    /// The lease is free, has expired, or is already held by `token`, so a write whose response was lost can be repeated.
    Free {
        now: AttributeValue,
        token: AttributeValue,
    },
}

impl Change {
    pub(super) fn of(key: Item) -> Self {
        Self { key, actions: Vec::new(), conditions: Vec::new() }
    }

    pub(super) fn set(self, name: &str, value: AttributeValue) -> Self {
        self.and(Action::Set(name.to_owned(), value))
    }

    pub(super) fn set_or_remove(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    pub(super) fn set_if_absent(self, name: &str, value: AttributeValue) -> Self {
        self.and(Action::SetIfAbsent(name.to_owned(), value))
    }

    pub(super) fn add(self, name: &str, value: AttributeValue) -> Self {
        self.and(Action::Add(name.to_owned(), value))
    }

    pub(super) fn take(self, name: &str, members: AttributeValue) -> Self {
        self.and(Action::Take(name.to_owned(), members))
    }

    pub(super) fn remove(self, name: &str) -> Self {
        self.and(Action::Remove(name.to_owned()))
    }

    pub(super) fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    pub(super) fn when_equal(self, name: &str, value: AttributeValue) -> Self {
        self.when(Condition::Equal(name.to_owned(), value))
    }

    pub(super) fn when_absent(self, name: &str) -> Self {
        self.when(Condition::Absent(name.to_owned()))
    }

    pub(super) fn when_absent_or_equal(self, name: &str, value: AttributeValue) -> Self {
        self.when(Condition::AbsentOrEqual(name.to_owned(), value))
    }

    pub(super) fn when_item_exists(self) -> Self {
        self.when(Condition::Present("pk".to_owned()))
    }

    fn and(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }
}

impl From<Change> for Write {
    fn from(change: Change) -> Self {
        Self::Update(change)
    }
}
