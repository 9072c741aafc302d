//! The evaluation, deletion and generation handlers, their configuration and wiring, and their Lambda runtime.

mod actors;
pub mod base_image;
mod clock;
pub mod config;
pub mod delete;
mod dispatch;
pub mod evaluate;
pub mod generate;
mod handler;
pub mod heartbeat;
pub mod lambda;
mod listing;
pub mod local_copy;
pub mod moving;
pub mod names_on_disk;
mod outage;
pub mod panics;
mod parking;
mod prompts;
pub mod restore;
pub mod wiring;

pub use clock::Clock;
use handler::lease_token;
pub use handler::{Handler, HandlerError, Message};
use parking::{park, park_over_budget, report_payment};

/// The name of this build, derived from all sources of the functions (`build.rs`). Each function contains it, so that
/// the command can recognize functions of its own build.
pub const BUILD: &str = concat!("balancer-build:", env!("BALANCER_BUILD"));
