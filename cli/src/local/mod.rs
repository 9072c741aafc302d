//! `balancer local`: a folder of actors, balanced by the real functions on the embedded stack.

mod absence;
mod belongings;
mod changes;
mod circumstances;
pub mod data_folder;
mod drain;
mod events;
mod folder_watcher;
mod functions;
mod keeper;
mod leave;
mod manifest_file;
mod news;
mod price;
mod proposal;
mod providers;
mod report;
mod roster;
mod running;
mod salvage;
pub mod serve;
mod session;
mod settle;
mod signals;
mod snapshot;
mod upload;
mod watch;

pub use changes::Deleted;
pub use leave::{replace, write_whole};
pub use manifest_file::save_beside_run as save_manifest_beside_run;
pub use proposal::ActorProposal;
pub use providers::ProviderArguments;
pub use report::{ActorReport, Undo, counts};
pub use running::RunningStack;
pub use salvage::record_trash as salvage_trash;
pub use session::{Ending, Options, lock, run};
