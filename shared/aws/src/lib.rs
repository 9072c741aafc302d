//! The clients of AWS: bucket, table, queues and secrets. No type of the SDK leaves this crate, except the configuration
//! that its callers pass in.

mod error;

pub mod bucket;
pub mod exchange;
pub mod metrics;
pub mod queues;
pub mod secrets;
pub mod stack;
pub mod store;

pub use aws_config::SdkConfig;

pub use error::AwsError;
