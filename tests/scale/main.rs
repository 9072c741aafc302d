//! The cost of one actor, counted on the running stack and compared with the derivation in docs/SCALE.md.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "`--nocapture` shows the figures")]

mod full_actor;
mod small_actors;

use balancer_tests::cost::{Derivation, ROWS, Usage, Work, dollars};

const DOCUMENT: &str = include_str!("../../docs/SCALE.md");

/// The headings of the tables for every stack, and for the additional cost of paid services.
const FREE: &str = "### Requests, derived";
const PAID: &str = "### What the paid services add";

/// The tolerated difference between a counted figure and the derived one. Workers that contend for the same item repeat
/// their requests a random number of times.
const TOLERANCE: f64 = 0.15;

/// Asserts that each counted figure matches the sum that these tables of the document derive.
fn assert_as_derived(usage: &Usage, work: &Work, tables: &[&str]) {
    let tables: Vec<_> = tables.iter().map(|heading| Derivation::read(DOCUMENT, heading)).collect();
    let mut differences = Vec::new();
    println!("{work:?}");
    for (row, figure) in ROWS {
        let (counted, derived) = (figure(usage), tables.iter().map(|table| table.of(row, work)).sum::<f64>());
        println!("{row:<25}{derived:>10.1} derived{counted:>10.1} counted");
        // A difference of one is tolerated even in small figures.
        if (counted - derived).abs() > (derived * TOLERANCE).max(1.0) {
            differences.push(format!("{row}: counted {counted}, derived {derived}"));
        }
    }
    println!("{:<25}{:>10.1} more", "write units, large plans", usage.write_units_of_large_plans);
    // The run is too short for further heartbeats.
    let holds = usage.requests_of(&["SQS ChangeMessageVisibilityBatch"]);
    println!("{:<25}{:>10} of at most {}", "SQS holds", holds, usage.all_messages());
    assert!(holds > 0 && holds <= usage.all_messages(), "one for each batch: {usage:#?}");
    println!("{:?}", dollars(usage));
    assert!(differences.is_empty(), "for {work:?}:\n{}\n{usage:#?}", differences.join("\n"));
}
