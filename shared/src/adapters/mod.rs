//! What reaches the outside: S3, DynamoDB, SQS, the plain files beside them, and the two models. No SDK type leaves
//! this module.

mod aws;
pub mod bucket;
pub mod generator;
pub mod http;
pub mod local_copy;
pub mod moving;
pub mod names_on_disk;
pub mod queues;
mod secrets;
pub mod store;
pub mod vision;

pub use aws::AwsError;
