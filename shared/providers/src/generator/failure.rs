//! Failures of the services that generate images.

use std::fmt;
use std::time::Duration;

use aws::{AwsError, secrets};
use domain::disposition::{Billed, Disposition};
use domain::format::AspectRatio;
use imaging::DecodeError;
use reqwest::StatusCode;

use crate::checks::{Check, Remedy};
use crate::http::HttpError;

/// What operators call a service and its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceNames {
    /// Such as `Replicate`.
    pub service: &'static str,
    /// The variable with the key.
    pub key: &'static str,
    /// The variable with the base URL.
    pub base_url: &'static str,
    /// The variable that names the model.
    pub model: &'static str,
    /// What the model must be able to do, with an example.
    pub usable_model: &'static str,
    /// How to add credit to the account.
    pub billing: &'static str,
}

/// A call to a service failed. The text follows the name of the service; [`ServiceError`] adds it and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("asks to wait {} s", .retry_after.as_secs())]
    Throttled { retry_after: Duration },
    #[error("says that its account has no credit left ({0})")]
    NoCredit(String),
    #[error("does not accept the key ({0})")]
    Unauthorized(String),
    #[error("knows no such model or address ({0})")]
    Unknown(String),
    /// Nothing was requested from the model.
    #[error("the model {model} can't be used: {problem}")]
    UnusableModel { model: String, problem: String },
    /// Nothing was requested.
    #[error("{problem}; {remedy}")]
    Misconfigured {
        /// A whole clause.
        problem: String,
        remedy: Remedy,
    },
    /// Nothing listens at the address of the user's own server.
    #[error("nothing answers at {address} ({cause})")]
    NotRunning { address: String, cause: String },
    #[error("has a problem: {message}")]
    Unavailable {
        /// Quotes the service.
        message: String,
        retry_after: Option<Duration>,
    },
    /// The service rejected the request before it did any work.
    #[error("can't take the request now: {message}")]
    Overloaded {
        /// Quotes the service.
        message: String,
        retry_after: Option<Duration>,
    },
    /// The response to a creation was lost, and it is too early to conclude that no prediction was created.
    #[error("does not list the prediction yet")]
    Unlisted,
    /// The service accepted the creation, but did not finish the prediction. Another prediction will succeed later.
    #[error("did not finish the image: {0}")]
    Interrupted(String),
    #[error("rejects the prompt: {0}")]
    ContentRejected(String),
    #[error("rejects the request: {0}")]
    Rejected(String),
    #[error("gives an answer that can't be understood: {0}")]
    Unreadable(String),
    /// The address is not one of the service's, so the output is not fetched.
    #[error("has put the output at `{0}`, which is not an address of its own")]
    ForeignAddress(String),
    #[error("does not deliver the output: {0}")]
    NotDelivered(StatusCode),
    #[error("delivers an unusable output: {0}")]
    Unusable(#[from] DecodeError),
    #[error("an image can't be encoded: {0}")]
    Encoding(#[from] image::ImageError),
    #[error("can't be read: {0}; {remedy}", remedy = secrets::REMEDY)]
    Secret(#[from] AwsError),
}

impl Failure {
    /// A variable with an address has another text.
    pub(super) fn no_address(variable: &str, error: impl fmt::Display) -> Self {
        let remedy = Remedy::new(format!("set {variable} to an address such as https://host/path"));
        Self::Misconfigured { problem: format!("{variable} is no address: {error}"), remedy }
    }

    /// A model offers no format near the requested ratio.
    pub(super) fn no_such_ratio(model: &str, wanted: AspectRatio, offered: impl IntoIterator<Item = String>) -> Self {
        let offered: Vec<String> = offered.into_iter().collect();
        Self::Misconfigured {
            problem: format!("{model} offers no format near {wanted}, only {}", offered.join(", ")),
            remedy: Remedy {
                action:
                    "choose another ASPECT_RATIO, another `aspect_ratio` of the actor or the prompt, or another model"
                        .to_owned(),
                then: ", and then request an evaluation",
            },
        }
    }

    /// The required response to this failure.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Http(error) => error.disposition(),
            Self::Throttled { retry_after } => Disposition::RetryAfter(*retry_after),
            Self::Unavailable { retry_after, .. } | Self::Overloaded { retry_after, .. } => {
                Disposition::Outage { retry_after: *retry_after }
            }
            Self::Unreadable(_) | Self::Interrupted(_) | Self::NotRunning { .. } => {
                Disposition::Outage { retry_after: None }
            }
            Self::NoCredit(_) => Disposition::NeedsFunds,
            Self::ContentRejected(_) => Disposition::ContentRejected,
            Self::Unauthorized(_) | Self::Unknown(_) | Self::UnusableModel { .. } | Self::Misconfigured { .. } => {
                Disposition::NeedsOperator
            }
            Self::Rejected(_) | Self::ForeignAddress(_) | Self::Encoding(_) => Disposition::Permanent,
            Self::Unlisted | Self::NotDelivered(_) | Self::Unusable(_) => Disposition::Retry,
            Self::Secret(error) => error.disposition(),
        }
    }

    /// Whether the service may charge an image for the failed call.
    #[must_use]
    pub fn billed(&self) -> Billed {
        match self {
            Self::Http(error) => error.billed(),
            Self::Throttled { .. }
            | Self::Overloaded { .. }
            | Self::NoCredit(_)
            | Self::Unauthorized(_)
            | Self::Unknown(_)
            | Self::UnusableModel { .. }
            | Self::Misconfigured { .. }
            | Self::NotRunning { .. }
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

/// A failure of a certain service, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub struct ServiceError {
    pub names: &'static ServiceNames,
    pub failure: Failure,
}

impl ServiceError {
    /// What happened, without the remedy.
    fn text(&self) -> String {
        let Self { names: ServiceNames { service, key, .. }, failure } = self;
        match failure {
            Failure::Misconfigured { problem, .. } => problem.clone(),
            Failure::Secret(error) => format!("{key} can't be read: {error}"),
            Failure::Http(_) | Failure::Encoding(_) | Failure::UnusableModel { .. } | Failure::NotRunning { .. } => {
                failure.to_string()
            }
            _ => format!("{service} {failure}"),
        }
    }

    /// What the operator must do; `None` if the same request may succeed later.
    fn remedy(&self) -> Option<Remedy> {
        let ServiceNames { service, key, base_url, model, usable_model, billing } = self.names;
        Some(match &self.failure {
            Failure::Misconfigured { remedy, .. } => remedy.clone(),
            Failure::Secret(_) => Remedy::new(secrets::REMEDY),
            Failure::NoCredit(_) => Remedy::new(*billing),
            Failure::Unauthorized(_) => Remedy {
                action: format!("set {key} to a valid one"),
                then: " and restart the functions, which read it only when they start, then `balancer redrive`",
            },
            Failure::Unknown(_) => Remedy::then_redrive(format!("correct {model} or {base_url}")),
            Failure::UnusableModel { .. } => Remedy::new(format!("set {model} to {usable_model}")),
            Failure::NotRunning { .. } => Remedy::new(format!("start {service}, or correct {base_url}")),
            Failure::Unreadable(_) => Remedy::new(format!("see that {base_url} is the service's own address")),
            _ => return None,
        })
    }

    /// This failure as the result of a check.
    #[must_use]
    pub fn to_check(&self) -> Check {
        let remedy = match (self.remedy(), &self.failure) {
            (Some(remedy), _) => remedy.action,
            (None, Failure::Http(_)) => format!("check the connection and {}", self.names.base_url),
            (None, _) => "repeat the check later".to_owned(),
        };
        Check::problem(self.text(), remedy)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remedy() {
            Some(remedy) => write!(f, "{}; {remedy}", self.text()),
            None => f.write_str(&self.text()),
        }
    }
}
