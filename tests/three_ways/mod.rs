//! The three ways to use the product: uploads to S3, manual messages, and invocations of the functions.

mod invoked;
mod logged;
mod manual;
mod uploads;
