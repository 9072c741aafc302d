//! Actors with so little to do that several can be afforded.

use balancer_tests::cost::{Crowd, Derivation, ROWS};

use crate::{DOCUMENT, FREE, TOLERANCE, assert_as_derived};

/// Waiting is left out of the doubling: how often evaluation waits is a matter of the clock (the first actors find
/// functions that must start), not of how many actors there are.
#[tokio::test]
async fn small_actors_cost_what_is_derived_and_twice_as_many_cost_twice_as_much() {
    let mut crowd = Crowd::start().await;
    crowd.grow(2, |_| ()).await;
    let (two, work_for_two) = crowd.cost().await;
    assert_as_derived(&two, &work_for_two, &[FREE]);

    crowd.grow(2, |_| ()).await;
    let (four, work_for_four) = crowd.cost().await;
    assert_as_derived(&four, &work_for_four, &[FREE]);
    let table = Derivation::read(DOCUMENT, FREE);
    for (row, figure) in ROWS {
        let once = figure(&two) - table.of(row, &work_for_two.waits());
        let twice = figure(&four) - table.of(row, &work_for_four.waits());
        let is_double = (twice - 2.0 * once).abs() <= (2.0 * once * TOLERANCE).max(2.0);
        assert!(is_double, "{row}: {once} for two actors, {twice} for four");
    }
}
