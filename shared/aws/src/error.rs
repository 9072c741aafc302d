//! The error of a failed call to AWS.

use std::error::Error;

use domain::disposition::Disposition;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// A call to AWS that failed after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{service} {operation} of {target} failed: {cause}")]
pub struct AwsError {
    service: &'static str,
    operation: &'static str,
    target: String,
    cause: String,
}

impl AwsError {
    /// The required response to this failure: the next delivery may succeed, and after the last one the dead-letter
    /// queue keeps the message.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        Disposition::Retry
    }

    pub(crate) fn new(
        service: &'static str,
        operation: &'static str,
        target: impl Into<String>,
        cause: impl Into<String>,
    ) -> Self {
        Self { service, operation, target: target.into(), cause: cause.into() }
    }

    pub(crate) fn of<E, R>(service: &'static str, operation: &'static str, target: &str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let cause = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => DisplayErrorContext(error).to_string(),
        };
        Self::new(service, operation, target, cause)
    }
}
