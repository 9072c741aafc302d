//! The work that causes the costs.

use domain::actor::ActorId;
use domain::plan::PlanState;

use super::Usage;
use crate::stack::TestStack;

/// The units of work, by the names of the table's columns.
pub const UNITS: [&str; 8] = ["actor", "upload", "wait", "evaluation", "assessment", "plan", "deletion", "generation"];

/// The index of the waits in [`UNITS`]. Their number depends on timing, so it comes from the usage.
const WAIT: usize = 2;

/// The amount of work, in the order of [`UNITS`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work(pub [f64; UNITS.len()]);

impl Work {
    /// The work for these actors, each of which began with this number of uploads.
    pub async fn of(stack: &TestStack, actors: &[ActorId], uploads: u64, usage: &Usage) -> Self {
        let mut sum = [0.0; UNITS.len()];
        sum[WAIT] = usage.waits as f64;
        for actor in actors {
            for (sum, work) in sum.iter_mut().zip(of_one(stack, actor, uploads).await) {
                *sum += work;
            }
        }
        Self(sum)
    }

    /// The waits without the other work.
    #[must_use]
    pub fn waits(&self) -> Self {
        let mut waits = [0.0; UNITS.len()];
        waits[WAIT] = self.0[WAIT];
        Self(waits)
    }
}

async fn of_one(stack: &TestStack, actor: &ActorId, uploads: u64) -> [f64; UNITS.len()] {
    let plans = stack.plans(actor).await;
    // Two concurrent evaluations may make two plans, the second of which supersedes the first.
    assert!(plans.iter().all(|plan| matches!(plan.state, PlanState::Reviewed | PlanState::Superseded)), "{plans:#?}");
    let deleted: u32 = plans.iter().map(|plan| plan.deleted).sum();
    let generated: u32 = plans.iter().map(|plan| plan.generated).sum();
    let evaluations = plans.len() + 1;
    let assessed = uploads + u64::from(generated);
    [
        1.0,
        uploads as f64,
        0.0,
        evaluations as f64,
        assessed as f64,
        plans.len() as f64,
        f64::from(deleted),
        f64::from(generated),
    ]
}
