//! What can go wrong with Replicate, and what helps.

use std::time::Duration;

use aws::{AwsError, secrets};
use imaging::DecodeError;
use reqwest::StatusCode;

use crate::http::HttpError;

/// Replicate didn't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ReplicateError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Too many requests. Trying again later helps.
    #[error("Replicate asks to wait {} s", .pause.as_secs())]
    Throttled {
        /// How long.
        pause: Duration,
    },
    /// The account has no credit left. Trying again helps once a person has added some.
    #[error("the account at Replicate has no credit left ({0}); add some at replicate.com/account/billing")]
    NoCredit(String),
    /// The token is not accepted. Trying again helps once a person has replaced it.
    #[error(
        "Replicate does not accept REPLICATE_API_TOKEN ({0}); set a valid one and start the functions anew, which read it only as they start, then `balancer redrive`"
    )]
    Unauthorized(String),
    /// No such model, or no such address. Trying again helps once a person has corrected it.
    #[error(
        "Replicate knows no such model or address ({0}); correct REPLICATE_MODEL or REPLICATE_BASE_URL, then `balancer redrive`"
    )]
    Unknown(String),
    /// Replicate has a problem of its own. Trying again helps.
    #[error("Replicate has a problem: {said}")]
    Unavailable {
        /// In its own words.
        said: String,
        /// How long it asks to be left alone, if it does.
        asked: Option<Duration>,
    },
    /// What was asked for before may have begun, and it is too early to say that it has not. Trying again helps.
    #[error("Replicate does not list yet what it was asked for")]
    Unlisted,
    /// Replicate did not finish the prediction. A later retry helps.
    #[error("Replicate did not finish the image: {0}")]
    Interrupted(String),
    /// Replicate rejects the prompt for its content. Another prompt helps.
    #[error("Replicate refuses the prompt: {0}")]
    Improper(String),
    /// The request is wrong. Trying again won't help.
    #[error("Replicate refuses the request: {0}")]
    Refused(String),
    /// The answer can't be understood. Trying again may help.
    #[error("Replicate's answer can't be understood: {0}")]
    Unreadable(String),
    /// The output lies where no output of Replicate's does, so it isn't fetched. Trying again won't help.
    #[error("Replicate's output lies at `{0}`, which is not Replicate's")]
    Elsewhere(String),
    /// The output was not delivered. Fetching it again may help.
    #[error("Replicate's output can't be fetched: {0}")]
    NotDelivered(StatusCode),
    /// The fetched data are unusable as an image. A retry helps if they were damaged in transit.
    #[error("Replicate's output is unusable: {0}")]
    Unusable(#[from] DecodeError),
    /// The image could not be written as a JPEG. Trying again won't help.
    #[error("Replicate's output can't be converted: {0}")]
    Encoding(#[from] image::ImageError),
    /// The token is missing or can't be read.
    #[error("REPLICATE_API_TOKEN can't be read: {0}; {remedy}", remedy = secrets::REMEDY)]
    Secret(#[from] AwsError),
}

impl ReplicateError {
    /// How long to wait before the same request, where the answer is only "not now".
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::Throttled { pause } => Some(*pause),
            _ => None,
        }
    }

    /// Whether it is certain that nothing was begun.
    #[must_use]
    pub fn began_nothing(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::NoCredit(_)
                | Self::Unauthorized(_)
                | Self::Unknown(_)
                | Self::Improper(_)
                | Self::Refused(_)
                | Self::Encoding(_)
        ) || matches!(self, Self::Http(error) if error.sent_nothing())
    }

    /// Whether Replicate is unavailable for a while, and how long it asks to be left alone, if it does.
    #[must_use]
    pub fn outage(&self) -> Option<Option<Duration>> {
        match self {
            Self::Http(error) => error.may_pass().then_some(None),
            Self::Unavailable { asked, .. } => Some(*asked),
            Self::Unreadable(_) => Some(None),
            _ => None,
        }
    }

    /// Whether an output arrived as something other than an image. A retry may help, and the output is paid for
    /// already.
    #[must_use]
    pub fn is_damaged_output(&self) -> bool {
        match self {
            Self::Http(error) => !error.may_pass(),
            Self::NotDelivered(_) | Self::Unusable(_) => true,
            _ => false,
        }
    }

    /// Whether the image itself is the trouble, so that only another one can help.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Http(error) => !error.may_pass(),
            Self::Refused(_) | Self::Elsewhere(_) | Self::Encoding(_) => true,
            _ => false,
        }
    }
}
