//! `balancer local`: a folder of actors, balanced by the real functions on the embedded stack.

mod belongings;
pub mod data_folder;
mod events;
mod folder_watcher;
mod leave;
mod news;
mod proposal;
mod providers;
mod report;
mod roster;
mod running;
pub mod serve;
mod session;
mod settle;
mod upload;
mod watch;

pub use leave::write_whole;
pub use providers::ProviderArguments;
pub use report::Report;
pub use running::RunningStack;
pub use session::{Ending, Options, lock, run};
