//! `balancer local`: a folder of actors, balanced by the real functions on the embedded stack.

pub mod data_folder;
mod leave;
mod proposal;
mod report;
mod running;
pub mod serve;
mod session;
mod settle;
mod upload;
mod watch;

pub use report::Report;
pub use running::RunningStack;
pub use session::{Ending, Options, run};
