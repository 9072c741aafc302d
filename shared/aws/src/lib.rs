//! The clients of AWS: bucket, table, queues and secrets. Callers pass in the configuration or a client of the SDK;
//! no other type of it leaves this crate.

mod error;

pub mod bucket;
pub mod exchange;
pub mod metrics;
pub mod queues;
pub mod secrets;
pub mod stack;
pub mod store;

pub use aws_config::SdkConfig;

pub use error::{AwsError, Cause, CauseKind};
