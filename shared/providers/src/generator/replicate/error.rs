//! Failures of Replicate.

use std::time::Duration;

use aws::{AwsError, secrets};
use domain::disposition::{Billed, Disposition};
use imaging::DecodeError;
use reqwest::StatusCode;

use crate::http::HttpError;

/// A call to Replicate failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplicateError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("Replicate asks to wait {} s", .retry_after.as_secs())]
    Throttled { retry_after: Duration },
    #[error("the account at Replicate has no credit left ({0}); add some at replicate.com/account/billing")]
    NoCredit(String),
    #[error(
        "Replicate does not accept REPLICATE_API_TOKEN ({0}); set a valid one and restart the functions, which read it only when they start, then `balancer redrive`"
    )]
    Unauthorized(String),
    #[error(
        "Replicate knows no such model or address ({0}); correct REPLICATE_MODEL or REPLICATE_BASE_URL, then `balancer redrive`"
    )]
    Unknown(String),
    /// Nothing was requested from the model.
    #[error(
        "the model {model} can't be used: {problem}; set REPLICATE_MODEL to a model that generates an image from a prompt and a reference image, such as black-forest-labs/flux-kontext-pro"
    )]
    UnusableModel { model: String, problem: String },
    #[error("Replicate has a problem: {message}")]
    Unavailable {
        /// Quotes the service.
        message: String,
        retry_after: Option<Duration>,
    },
    /// The response to a creation was lost, and it is too early to conclude that no prediction was created.
    #[error("Replicate does not list the prediction yet")]
    Unlisted,
    /// Replicate accepted the creation, but did not finish the prediction. Another prediction will succeed later.
    #[error("Replicate did not finish the image: {0}")]
    Interrupted(String),
    #[error("Replicate rejects the prompt: {0}")]
    ContentRejected(String),
    #[error("Replicate rejects the request: {0}")]
    Rejected(String),
    #[error("Replicate's answer can't be understood: {0}")]
    Unreadable(String),
    /// The address is not one of Replicate's, so the output is not fetched.
    #[error("Replicate's output lies at `{0}`, which is not Replicate's")]
    ForeignAddress(String),
    #[error("Replicate's output can't be fetched: {0}")]
    NotDelivered(StatusCode),
    #[error("Replicate's output is unusable: {0}")]
    Unusable(#[from] DecodeError),
    #[error("an image can't be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    #[error("REPLICATE_API_TOKEN can't be read: {0}; {remedy}", remedy = secrets::REMEDY)]
    Secret(#[from] AwsError),
}

impl ReplicateError {
    /// The required response to this failure.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Http(error) => error.disposition(),
            Self::Throttled { retry_after } => Disposition::RetryAfter(*retry_after),
            Self::Unavailable { retry_after, .. } => Disposition::Outage { retry_after: *retry_after },
            Self::Unreadable(_) | Self::Interrupted(_) => Disposition::Outage { retry_after: None },
            Self::NoCredit(_) => Disposition::NeedsFunds,
            Self::ContentRejected(_) => Disposition::ContentRejected,
            Self::Unauthorized(_) | Self::Unknown(_) | Self::UnusableModel { .. } => Disposition::NeedsOperator,
            Self::Rejected(_) | Self::ForeignAddress(_) | Self::Encoding(_) => Disposition::Permanent,
            Self::Unlisted | Self::NotDelivered(_) | Self::Unusable(_) => Disposition::Retry,
            Self::Secret(error) => error.disposition(),
        }
    }

    /// Whether Replicate may charge a prediction for the failed call.
    #[must_use]
    pub fn billed(&self) -> Billed {
        match self {
            Self::Http(error) => error.billed(),
            Self::Throttled { .. }
            | Self::NoCredit(_)
            | Self::Unauthorized(_)
            | Self::Unknown(_)
            | Self::UnusableModel { .. }
            | Self::ContentRejected(_)
            | Self::Rejected(_)
            | Self::Interrupted(_)
            | Self::Encoding(_)
            | Self::Secret(_) => Billed::No,
            Self::Unavailable { .. } | Self::Unlisted | Self::Unreadable(_) => Billed::Unknown,
            Self::ForeignAddress(_) | Self::NotDelivered(_) | Self::Unusable(_) => Billed::Yes,
        }
    }

    /// Whether fetching the paid output again may help. The disposition can't tell: a response that is too large is a
    /// permanent failure of a creation, but an output may only have been damaged in transit.
    #[must_use]
    pub fn is_damaged_output(&self) -> bool {
        matches!(self, Self::Http(HttpError::TooLarge { .. }) | Self::NotDelivered(_) | Self::Unusable(_))
    }
}
