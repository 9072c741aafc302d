//! What one actor costs, counted on the running stack and held against what docs/SCALE.md derives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "`--nocapture` shows the figures")]

mod full_actor;
mod small_actors;

use balancer_tests::cost::{Derivation, ROWS, Usage, Work, dollars};

const DOCUMENT: &str = include_str!("../../docs/SCALE.md");

/// What the document says of every stack, and of one with paid services in addition.
const FREE: &str = "### Requests, derived";
const PAID: &str = "### What the paid services add";

/// The tolerated difference between a counted figure and the derived one. Workers that contend for the same item repeat
/// their requests, and how often is a matter of chance.
const TOLERANCE: f64 = 0.15;

/// Asserts that what was counted is what these tables of the document derive, figure by figure.
fn assert_as_derived(usage: &Usage, work: &Work, tables: &[&str]) {
    let tables: Vec<_> = tables.iter().map(|heading| Derivation::read(DOCUMENT, heading)).collect();
    let mut wrong = Vec::new();
    println!("{work:?}");
    for (row, figure) in ROWS {
        let (counted, derived) = (figure(usage), tables.iter().map(|table| table.of(row, work)).sum::<f64>());
        println!("{row:<25}{derived:>10.1} derived{counted:>10.1} counted");
        // One request more or less is no difference where there are but a few.
        if (counted - derived).abs() > (derived * TOLERANCE).max(1.0) {
            wrong.push(format!("{row}: counted {counted}, derived {derived}"));
        }
    }
    println!("{:<25}{:>10.1} more", "write units, large plans", usage.write_units_of_large_plans);
    println!("{:?}", dollars(usage));
    assert!(wrong.is_empty(), "for {work:?}:\n{}\n{usage:#?}", wrong.join("\n"));
}
