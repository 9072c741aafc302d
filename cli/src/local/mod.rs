//! `balancer local`: a folder of actors, balanced by the real functions on the embedded stack.

mod actor_files;
mod actors;
mod circumstances;
pub mod data_folder;
mod drain;
mod events;
mod examined;
mod folder_changes;
mod folder_watcher;
mod functions;
mod image_changes;
mod manifest_file;
mod manifest_keeper;
mod missing_images;
mod price;
mod proposal;
mod providers;
mod registry;
mod report;
mod salvage;
pub mod serve;
mod session;
mod signals;
mod snapshot;
mod sync_back;
mod upload;
mod wait;
mod watch;

pub use image_changes::Deleted;
pub use manifest_file::save_beside_run as save_manifest_beside_run;
pub use proposal::ActorProposal;
pub use providers::ProviderArguments;
pub use registry::RunningStack;
pub use report::{ActorReport, Undo, counts};
pub use salvage::record_trash;
pub use session::{Ending, Options, lock, run};
