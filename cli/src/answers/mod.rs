//! What commands answer about an actor: the objects of `--json`, which are the same in every command, and their words.

mod actor;
mod changes;
mod plan;

pub use actor::{Actor, status_in_words};
pub use changes::{Deleted, Generated};
pub use plan::{PlanAnswer, documented_name};
