//! What there was to do, which is what costs are derived from.

use domain::actor::ActorId;
use domain::plan::PlanState;

use super::Usage;
use crate::stack::TestStack;

/// What costs are counted by, as the table's columns are called.
pub const UNITS: [&str; 8] = ["actor", "upload", "wait", "evaluation", "judgement", "plan", "deletion", "image made"];

/// How often evaluation keeps itself waiting is chance: it was counted with the rest.
const WAIT: usize = 2;

/// How much there was to do, in the order of [`UNITS`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work(pub [f64; UNITS.len()]);

impl Work {
    /// What was done for these actors, of which each began with so many uploads, at this usage.
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

    /// The waiting alone.
    #[must_use]
    pub fn waits(&self) -> Self {
        let mut waits = [0.0; UNITS.len()];
        waits[WAIT] = self.0[WAIT];
        Self(waits)
    }
}

async fn of_one(stack: &TestStack, actor: &ActorId, uploads: u64) -> [f64; UNITS.len()] {
    let plans = stack.plans(actor).await;
    // Two evaluations at once may make two plans, of which the second overtakes the first.
    assert!(plans.iter().all(|plan| matches!(plan.state, PlanState::Reviewed | PlanState::Superseded)), "{plans:#?}");
    let deleted: u32 = plans.iter().map(|plan| plan.deleted).sum();
    let made: u32 = plans.iter().map(|plan| plan.generated).sum();
    let evaluations = plans.len() + 1;
    let judged = uploads + u64::from(made);
    [
        1.0,
        uploads as f64,
        0.0,
        evaluations as f64,
        judged as f64,
        plans.len() as f64,
        f64::from(deleted),
        f64::from(made),
    ]
}
