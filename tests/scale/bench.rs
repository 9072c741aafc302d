//! The cost of each of many small actors on one local stack, as their number grows.
//!
//! `cargo bench -p balancer-tests --bench scale -- [ACTORS]`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its results")]

use std::time::Instant;

use balancer_tests::cost::{Crowd, ROWS, UNITS, Usage, Work, dollars};

/// The default number of actors.
const ACTORS: usize = 500;

/// The number of lines in the table.
const STEPS: usize = 5;

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`.
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(ACTORS);
    let mut crowd = Crowd::start().await;
    let (mut last, mut actors, began) = (None, 0, Instant::now());
    print_row(["", "", "requests", "messages", "write units", "read units", ""].map(str::to_owned));
    print_row(["actors", "requests", "per actor", "per actor", "per actor", "per actor", "seconds"].map(str::to_owned));
    for step in 1..=STEPS {
        let target = count * step / STEPS;
        crowd.grow(target - actors, |left| eprint!("\r{target} actors: {left} messages are left    ")).await;
        actors = target;
        let (usage, work) = crowd.cost().await;
        print_line(actors, &usage, began);
        last = Some((usage, work));
    }
    if let Some((usage, work)) = last {
        print_averages(&usage, &work, actors);
    }
}

fn print_line(actors: usize, usage: &Usage, began: Instant) {
    eprint!("\r{:50}\r", "");
    let all = usage.all_requests();
    let each = |sum: f64| format!("{:.1}", sum / actors as f64);
    print_row([
        actors.to_string(),
        all.to_string(),
        each(all as f64),
        each(usage.all_messages() as f64),
        each(usage.write_units),
        each(usage.read_units),
        began.elapsed().as_secs().to_string(),
    ]);
}

fn print_row(cells: [String; 7]) {
    println!("{}", cells.map(|cell| format!("{cell:>12}")).concat());
}

/// Prints the average cost of an actor by figure, by operation and by service.
fn print_averages(usage: &Usage, work: &Work, actors: usize) {
    let each = |sum: f64| sum / actors as f64;
    println!("\nper actor:");
    for (unit, amount) in UNITS.iter().zip(work.0) {
        println!("{unit:<40}{:>10.2}", each(amount));
    }
    println!();
    for (row, figure) in ROWS {
        println!("{row:<40}{:>10.2}", each(figure(usage)));
    }
    println!("{:<40}{:>10.2}", "KB received", each(usage.received as f64 / 1e3));
    println!();
    for ((function, operation), count) in &usage.requests {
        println!("{:<40}{:>10.2}", format!("{function}: {operation}"), each(*count as f64));
    }
    println!("\ndollars for a million actors:");
    for (service, dollars) in dollars(usage) {
        println!("{service:<40}{:>10.2}", each(dollars) * 1e6);
    }
}
