//! Keeps every actor's set of training images balanced.
//!
//! Read it from the inside out:
//!
//! - [`domain`] is what the product is about, as pure functions: assessments, the planner, numbers, prompts.
//! - [`imaging`] and [`grid`] are pure too: reading and measuring images, drawing many of them on one page.
//! - [`messages`], [`keys`] and [`config`] are the contracts: what the queues carry, where objects lie, what the
//!   environment says.
//! - [`adapters`] reach S3, DynamoDB, SQS and the two models.
//! - [`stages`] are evaluation, deletion and generation.
//! - [`exchange`] takes manifests in and gives them out.
//! - [`lambda`] is the one place that knows SQS batches, [`functions`] the one that wires everything up; [`metrics`] tells
//!   CloudWatch what was done, [`panics`] keeps mistakes apart.

pub mod adapters;
pub mod config;
pub mod domain;
pub mod exchange;
pub mod functions;
pub mod grid;
pub mod imaging;
pub mod json;
pub mod keys;
pub mod lambda;
pub mod messages;
pub mod metrics;
pub mod panics;
pub mod restore;
pub mod stages;

/// The name of this build, derived from all sources of the functions (`build.rs`). Each function contains it, so that
/// the command can recognize functions of its own build.
pub const BUILD: &str = concat!("balancer-build:", env!("BALANCER_BUILD"));
