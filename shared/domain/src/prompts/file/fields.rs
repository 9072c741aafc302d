//! The fields of a table, with their lines.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The lines of a text.
pub(super) struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text)
    }

    /// The line of a byte, from 1.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.0.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// A value and its line.
pub(super) struct Field<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// A table, and the fields in it that nothing has taken yet.
pub(super) struct Fields<'t> {
    /// The line at which the table begins.
    pub(super) line: usize,
    left: BTreeMap<&'t str, Field<&'t DeValue<'t>>>,
}

impl<'t> Fields<'t> {
    pub(super) fn of(table: &Field<&'t DeTable<'t>>, lines: &Lines<'_>) -> Self {
        let fields = table.value.iter().map(|(name, value)| {
            let line = lines.at(name.span().start);
            (name.get_ref().as_ref(), Field { value: value.get_ref(), line })
        });
        Self { line: table.line, left: fields.collect() }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Field<&'t DeValue<'t>>> {
        self.left.remove(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// The names that nothing has taken.
    pub(super) fn left(self) -> impl Iterator<Item = Field<&'t str>> {
        self.left.into_iter().map(|(name, field)| Field { value: name, line: field.line })
    }
}
