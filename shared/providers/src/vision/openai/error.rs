//! Failures of the vision service.

use std::fmt;
use std::time::Duration;

use aws::{AwsError, secrets};
use domain::disposition::{Billed, Disposition};

use crate::checks::{Check, Remedy};
use crate::http::HttpError;

/// The longest pause within a session. A longer one defers the message, because a waiting function costs money.
pub(super) const MAX_PAUSE_IN_SESSION: Duration = Duration::from_secs(2);

/// The delay after a 429 without `Retry-After`.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The delay after which the next evaluation continues with the remaining images.
const CONTINUE_AFTER: Duration = Duration::from_secs(1);

/// The vision service did not answer a request.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    Http(#[from] HttpError),
    Throttled {
        retry_after: Option<Duration>,
    },
    /// The price of a request could not be reserved, so it was not sent.
    NoBudget {
        /// The error that required the request, if it was to repeat an earlier one.
        retry_of: Option<String>,
    },
    /// The session's time budget is used up. Its observations are kept.
    OutOfTime,
    Unavailable {
        /// Quotes the service.
        message: String,
        retry_after: Option<Duration>,
    },
    Unreadable(String),
    TaskFailed(#[from] tokio::task::JoinError),
    NoCredit(String),
    Unauthorized(String),
    Unknown(String),
    Invalid(String),
    Encoding(String),
    Secret(#[from] AwsError),
}

impl fmt::Display for OpenAiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remedy() {
            Some(remedy) => write!(f, "{}; {remedy}", self.text()),
            None => f.write_str(&self.text()),
        }
    }
}

impl OpenAiError {
    /// What happened, without the remedy.
    fn text(&self) -> String {
        match self {
            Self::Http(error) => error.to_string(),
            Self::Throttled { retry_after } => {
                let seconds = retry_after.unwrap_or(DEFAULT_RETRY_AFTER).as_secs();
                format!("the vision service asks to wait {seconds} s")
            }
            Self::NoBudget { .. } => "no budget leaves room for another vision request".to_owned(),
            Self::OutOfTime => "the assessment takes longer than one invocation; it will continue".to_owned(),
            Self::Unavailable { message, .. } => format!("the vision service has a problem: {message}"),
            Self::Unreadable(problem) => format!("the vision service's answer can't be understood: {problem}"),
            Self::TaskFailed(error) => format!("encoding the vision request was interrupted: {error}"),
            Self::NoCredit(message) => format!("the account behind OPENAI_API_KEY has no credit left ({message})"),
            Self::Unauthorized(message) => format!("the vision service does not accept OPENAI_API_KEY ({message})"),
            Self::Unknown(message) => format!("the vision service knows no such model or address ({message})"),
            Self::Invalid(message) => format!("the vision service rejects the request ({message})"),
            Self::Encoding(problem) => format!("the vision request can't be encoded: {problem}"),
            Self::Secret(error) => format!("OPENAI_API_KEY can't be read: {error}"),
        }
    }

    /// What the operator must do; `None` if the same request may succeed later.
    fn remedy(&self) -> Option<Remedy> {
        const THEN: &str = ", then ask for an evaluation";
        let (action, then) = match self {
            Self::Http(HttpError::TooLarge { .. }) => {
                ("check that OPENAI_BASE_URL is the address of a service for chat completions", "")
            }
            Self::NoCredit(_) => ("add some or raise its limit", THEN),
            Self::Unauthorized(_) => (
                "set a valid one",
                " and restart the functions, which read it only when they start, then ask for an evaluation",
            ),
            Self::Unknown(_) => ("correct VISION_MODEL or OPENAI_BASE_URL", THEN),
            Self::Invalid(_) => (
                "set VISION_MODEL to a model that takes images and answers by a JSON schema, and VISION_REASONING_EFFORT to an effort that it knows or to nothing",
                THEN,
            ),
            Self::Secret(_) => (secrets::REMEDY, ""),
            _ => return None,
        };
        Some(Remedy { action: action.to_owned(), then })
    }

    /// This failure as the result of a check.
    #[must_use]
    pub fn to_check(&self) -> Check {
        let remedy = match (self.remedy(), self) {
            (Some(remedy), _) => remedy.action,
            (None, Self::Http(_)) => "check the connection and OPENAI_BASE_URL".to_owned(),
            (None, _) => "repeat the check later".to_owned(),
        };
        Check::problem(self.text(), remedy)
    }

    /// The required response to this failure.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Http(HttpError::TooLarge { .. })
            | Self::NoCredit(_)
            | Self::Unauthorized(_)
            | Self::Unknown(_)
            | Self::Invalid(_)
            | Self::Encoding(_) => Disposition::NeedsOperator,
            Self::Http(error) => error.disposition(),
            Self::Throttled { retry_after } => Disposition::RetryAfter(retry_after.unwrap_or(DEFAULT_RETRY_AFTER)),
            Self::OutOfTime => Disposition::RetryAfter(CONTINUE_AFTER),
            Self::Unavailable { retry_after, .. } => Disposition::Outage { retry_after: *retry_after },
            Self::Unreadable(_) => Disposition::Outage { retry_after: None },
            Self::NoBudget { .. } => Disposition::NeedsFunds,
            Self::TaskFailed(_) => Disposition::Retry,
            Self::Secret(error) => error.disposition(),
        }
    }

    /// Whether the service may have charged an answer that the session could not read.
    #[must_use]
    pub fn billed(&self) -> Billed {
        match self {
            Self::Http(error) => error.billed(),
            Self::Unreadable(_) => Billed::Yes,
            Self::Throttled { .. }
            | Self::NoBudget { .. }
            | Self::OutOfTime
            | Self::Unavailable { .. }
            | Self::TaskFailed(_)
            | Self::NoCredit(_)
            | Self::Unauthorized(_)
            | Self::Unknown(_)
            | Self::Invalid(_)
            | Self::Encoding(_)
            | Self::Secret(_) => Billed::No,
        }
    }

    /// The delay that the service asks for. Unlike the disposition it has no default, because the session has its own.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the session itself may repeat the request within seconds. The disposition concerns the message, after
    /// these retries have failed. A request that timed out is not repeated: the next one may take as long.
    pub(super) fn may_retry_in_session(&self) -> bool {
        match self {
            Self::Http(error) => matches!(error, HttpError::Unreachable { .. } | HttpError::Broken { .. }),
            Self::Throttled { .. } | Self::Unavailable { .. } => {
                self.retry_after().is_none_or(|pause| pause <= MAX_PAUSE_IN_SESSION)
            }
            Self::Unreadable(_) => true,
            _ => false,
        }
    }
}
