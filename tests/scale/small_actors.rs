//! Small actors, of which a test can afford several.

use balancer_tests::cost::{Crowd, Derivation, ROWS};

use crate::{DOCUMENT, FREE, TOLERANCE, assert_as_derived};

/// The comparison excludes the messages that wait for uploads to pause. Their number depends on timing (for the first
/// actors the functions must start), not on the number of actors.
#[tokio::test]
async fn cost_of_small_actors_grows_linearly() {
    let mut crowd = Crowd::start().await;
    crowd.grow(2, |_| ()).await;
    let (two, work_for_two) = crowd.cost().await;
    assert_as_derived(&two, &work_for_two, &[FREE]);

    crowd.grow(2, |_| ()).await;
    let (four, work_for_four) = crowd.cost().await;
    assert_as_derived(&four, &work_for_four, &[FREE]);
    let table = Derivation::read(DOCUMENT, FREE);
    for (row, figure) in ROWS {
        let for_two = figure(&two) - table.of(row, &work_for_two.waits());
        let for_four = figure(&four) - table.of(row, &work_for_four.waits());
        let is_double = (for_four - 2.0 * for_two).abs() <= (2.0 * for_two * TOLERANCE).max(2.0);
        assert!(is_double, "{row}: {for_two} for two actors, {for_four} for four");
    }
}
