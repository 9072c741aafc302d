//! `balancer doctor`: what is missing or odd on this machine, in a data folder and in a stack, with the remedies.
//! `local/examination.rs` checks the providers.
//!
//! Each check has a name that scripts can rely on:
//!
//! | name | about |
//! |---|---|
//! | `python`, `emulator`, `functions` | what a local stack needs |
//! | `cache`, `disk` | where it keeps its files |
//! | `runs` | the registry of running stacks |
//! | `folder`, `actor` | a data folder, and each actor in it |
//! | `credentials`, `stack`, `event_sources`, `dead_letters`, `permissions` | a stack in AWS |
//! | `vision`, `generator`, `budget` | the models, and money |

mod account;
mod actor;
mod budget;
mod folder;
mod machine;
mod template;

pub use account::examine as examine_account;
pub use budget::BudgetLimits;
pub use folder::examine as examine_folder;
pub use machine::examine as examine_machine;
