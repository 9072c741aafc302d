//! The derivation of costs: a table in docs/SCALE.md with a row for each figure and a column for each unit of work.

use std::collections::BTreeMap;

use super::Usage;
use super::work::{UNITS, Work};

type Figure = fn(&Usage) -> f64;

/// The derived figures, by the names of the table's rows, and how each is counted.
pub const ROWS: [(&str, Figure); 10] = [
    ("S3 PUT, COPY, LIST", |usage| usage.requests_of(&["S3 PUT", "S3 COPY", "S3 LIST"]) as f64),
    ("S3 GET", |usage| usage.requests_of(&["S3 GET", "S3 HEAD"]) as f64),
    ("S3 DELETE", |usage| usage.requests_of(&["S3 DELETE"]) as f64),
    ("DynamoDB reads", |usage| usage.requests_of(&["DynamoDB GetItem", "DynamoDB Query"]) as f64),
    ("DynamoDB writes", |usage| {
        usage.requests_of(&["DynamoDB PutItem", "DynamoDB UpdateItem", "DynamoDB DeleteItem"]) as f64
    }),
    ("DynamoDB transactions", |usage| usage.requests_of(&["DynamoDB TransactWriteItems"]) as f64),
    ("SQS sends", |usage| usage.requests_of(&["SQS SendMessage", "SQS SendMessageBatch"]) as f64),
    ("messages", |usage| usage.all_messages() as f64),
    ("write units", |usage| usage.write_units - usage.write_units_of_large_plans),
    ("read units", |usage| usage.read_units),
];

/// A table: the factor of each unit of work, by figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Derivation(BTreeMap<String, [f64; UNITS.len()]>);

impl Derivation {
    /// Reads the table below a heading.
    ///
    /// # Panics
    /// If the columns are not those of [`UNITS`], or a cell is not a number.
    #[must_use]
    pub fn read(document: &str, heading: &str) -> Self {
        let (_, below) = document.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
        let lines = below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let mut rows = lines.map(cells);
        assert_eq!(rows.next().unwrap()[1..], UNITS);
        let rows = rows.skip(1).map(|row| (row[0].to_owned(), std::array::from_fn(|at| factor(row[at + 1]))));
        Self(rows.collect())
    }

    /// The value of a figure for this work.
    ///
    /// # Panics
    /// If the table has no such row.
    #[must_use]
    pub fn of(&self, row: &str, work: &Work) -> f64 {
        let factors = self.0.get(row).unwrap_or_else(|| panic!("the table has no row {row:?}"));
        factors.iter().zip(work.0).map(|(factor, amount)| factor * amount).sum()
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// An empty cell is zero.
fn factor(cell: &str) -> f64 {
    if cell.is_empty() { 0.0 } else { cell.parse().unwrap_or_else(|_| panic!("{cell:?} is not a number")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_sums_its_factors_times_the_work() {
        let document =
            format!("## Table\n\ntext\n\n| what | {} |\n|---|\n| S3 GET | 1 | | | 0.5 | | | | |\n", UNITS.join(" | "));
        let derivation = Derivation::read(&document, "## Table");
        assert_eq!(derivation.of("S3 GET", &Work([1.0, 9.0, 9.0, 4.0, 0.0, 0.0, 0.0, 0.0])), 3.0);
    }
}
