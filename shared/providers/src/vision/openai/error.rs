//! What goes wrong with the service, and what helps.

use std::time::Duration;

use aws::{AwsError, secrets};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::form::most_images_in;
use crate::http::{HttpError, Reply};

/// Pauses up to this long are slept through; for longer ones nobody pays a function that waits.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// How long to leave the service alone where it asks for it without saying how long.
const PAUSE: Duration = Duration::from_secs(30);

/// When to go on where only the time was up.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The vision service didn't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum OpenAiError {
    /// No answer, or too long a one. Trying again helps unless the answer is too long.
    #[error("{0}{remedy}", remedy = if .0.may_pass() { "" } else { "; check that OPENAI_BASE_URL is the address of a service for chat completions" })]
    Http(#[from] HttpError),
    /// Too many requests. Trying again later helps.
    #[error("the vision service asks to wait {} s", self.pause().unwrap_or_default().as_secs())]
    Throttled {
        /// How long, if it says so.
        asked: Option<Duration>,
    },
    /// No money is set aside for another request. Trying again helps once there is some.
    #[error("no budget leaves room for another question to the vision model")]
    NoBudget {
        /// Why it was to be asked, if it is a question that was asked before.
        because: Option<String>,
    },
    /// Looking took all the time there is. Going on at once helps: what was seen is kept.
    #[error("judging takes longer than one function may; it goes on")]
    OutOfTime,
    /// The service has a problem of its own. Trying again helps.
    #[error("the vision service has a problem: {said}")]
    Unavailable {
        /// In its own words.
        said: String,
        /// How long it asks to be left alone, if it does.
        asked: Option<Duration>,
    },
    /// The answer can't be understood. Trying again may help.
    #[error("the vision service's answer can't be understood: {0}")]
    Unreadable(String),
    /// The computation was cut off. Trying again may help.
    #[error("drawing what is to be judged was cut off: {0}")]
    CutOff(#[from] tokio::task::JoinError),
    /// The account has no credit left. Trying again helps once a person has added some.
    #[error(
        "the account behind OPENAI_API_KEY has no credit left ({0}); add some or raise its limit, then ask for an evaluation"
    )]
    NoCredit(String),
    /// The key is not accepted. Trying again helps once a person has replaced it.
    #[error(
        "the vision service does not accept OPENAI_API_KEY ({0}); set a valid one and start the functions anew, which read it only as they start, then ask for an evaluation"
    )]
    Unauthorized(String),
    /// No such model, or no such address. Trying again helps once a person has corrected it.
    #[error(
        "the vision service knows no such model or address ({0}); correct VISION_MODEL or OPENAI_BASE_URL, then ask for an evaluation"
    )]
    Unknown(String),
    /// The request is wrong. Trying again won't help.
    #[error(
        "the vision service refuses the request ({0}); set VISION_MODEL to a model that takes images and answers by a JSON schema, and VISION_REASONING_EFFORT to an effort that it knows or to nothing, then ask for an evaluation"
    )]
    Invalid(String),
    /// The request could not be written. Trying again won't help.
    #[error("what is to be judged can't be encoded: {0}")]
    Encoding(String),
    /// The key is missing or can't be read. Trying again may help.
    #[error("OPENAI_API_KEY can't be read: {0}; {remedy}", remedy = secrets::REMEDY)]
    Secret(#[from] AwsError),
}

impl OpenAiError {
    /// How long to wait before asking again, where the answer is only "not now".
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::Throttled { asked } => Some(asked.unwrap_or(PAUSE)),
            Self::OutOfTime => Some(AT_ONCE),
            _ => None,
        }
    }

    /// Whether the same request fails until a person has changed something.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Http(error) => !error.may_pass(),
            Self::NoCredit(_) | Self::Unauthorized(_) | Self::Unknown(_) | Self::Invalid(_) | Self::Encoding(_) => true,
            _ => false,
        }
    }

    /// How long the service itself asks to wait.
    pub(super) fn asked_pause(&self) -> Option<Duration> {
        match self {
            Self::Throttled { asked } | Self::Unavailable { asked, .. } => *asked,
            _ => None,
        }
    }

    /// Whether the service is unavailable for a while, and how long it asks to be left alone, if it does.
    #[must_use]
    pub fn outage(&self) -> Option<Option<Duration>> {
        match self {
            Self::Http(error) => error.may_pass().then_some(None),
            Self::Unavailable { asked, .. } => Some(*asked),
            Self::Unreadable(_) => Some(None),
            _ => None,
        }
    }

    /// Whether the service used all the available time without an answer.
    #[must_use]
    pub fn has_timed_out(&self) -> bool {
        matches!(self, Self::Http(HttpError::TimedOut { .. }))
    }

    /// Whether an answer may have been made, and charged, that nobody has read.
    pub(super) fn may_have_cost(&self) -> bool {
        match self {
            Self::Http(error) => !error.sent_nothing(),
            Self::Unreadable(_) => true,
            _ => false,
        }
    }

    /// Whether asking again within seconds may help. A service that hung once is not waited for a second time.
    pub(super) fn may_pass_soon(&self) -> bool {
        match self {
            Self::Http(error) => matches!(error, HttpError::Unreachable { .. } | HttpError::Broken { .. }),
            Self::Throttled { asked } | Self::Unavailable { asked, .. } => {
                asked.is_none_or(|pause| pause <= LONGEST_SLEEP)
            }
            Self::Unreadable(_) => true,
            _ => false,
        }
    }
}

/// The vendor's words for an account that may not spend, whatever the status.
const NO_MONEY: [&str; 7] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
];

/// Error codes of content filters.
const REFUSED_CONTENT: [&str; 6] = [
    "content_policy_violation",
    "image_content_policy_violation",
    "content_filter",
    "invalid_prompt",
    "moderation_blocked",
    "responsible_ai_policy_violation",
];

/// Phrases with the same meaning, in lower case, of services that send no code.
const REFUSED_CONTENT_IN_WORDS: [&str; 7] = [
    "content policy",
    "content management policy",
    "moderation",
    "moderated",
    "usage policy",
    "safety system",
    "was flagged",
];

/// The part of an error that is read; some servers leave the code or the type out.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: String,
    r#type: Value,
    code: Value,
    /// The request field that the error concerns.
    param: Value,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Problem,
}

impl Problem {
    fn is(&self, word: &str) -> bool {
        self.code == word || self.r#type == word
    }

    /// Whether nothing helps but money, or a higher limit.
    fn is_about_money(&self) -> bool {
        NO_MONEY.iter().any(|word| self.is(word))
    }

    /// Whether the service refuses an image or its content, and not the request or the key.
    fn is_about_content(&self) -> bool {
        let said = self.message.to_lowercase();
        let is_in_words = REFUSED_CONTENT_IN_WORDS.iter().any(|words| said.contains(words));
        let is_about_key = said.contains("api key") || self.is("invalid_api_key");
        REFUSED_CONTENT.iter().any(|code| self.is(code)) || is_in_words && !is_about_key
    }

    /// The error's message, with the field that it concerns.
    fn in_words(&self) -> String {
        match self.param.as_str().filter(|param| !self.message.contains(param)) {
            Some(param) => format!("{param}: {}", self.message),
            None => self.message.clone(),
        }
    }

    fn is_too_long(&self) -> bool {
        self.is("context_length_exceeded") || self.message.starts_with("Request too large")
    }
}

/// What an answer without success means: that the images can't be judged so, or that the service can't be asked.
/// `key` is struck out of what the service says.
pub(super) fn unsuccessful(reply: &Reply, key: &str) -> Result<Answer, OpenAiError> {
    let problem = problem(&reply.body);
    let said = format!("{} {}", reply.status, problem.in_words().replace(key, "…"));
    let said = said.trim_end().chars().take(300).collect();
    let unavailable = |said| OpenAiError::Unavailable { said, asked: reply.retry_after };
    Err(match reply.status {
        StatusCode::PAYLOAD_TOO_LARGE => return Ok(Answer::TooLong),
        _ if problem.is_too_long() => return Ok(Answer::TooLong),
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY
            if problem.is_about_content() =>
        {
            return Ok(Answer::Refused(said));
        }
        StatusCode::PAYMENT_REQUIRED => OpenAiError::NoCredit(said),
        _ if problem.is_about_money() => OpenAiError::NoCredit(said),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
            if let Some(most) = most_images_in(&problem.message) =>
        {
            return Ok(Answer::TooManyImages(most));
        }
        StatusCode::TOO_MANY_REQUESTS => OpenAiError::Throttled { asked: reply.retry_after },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => OpenAiError::Unauthorized(said),
        StatusCode::NOT_FOUND => OpenAiError::Unknown(said),
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT => unavailable(said),
        status if status.is_server_error() => unavailable(said),
        _ => OpenAiError::Invalid(said),
    })
}

/// What is wrong, without what surrounds it.
fn problem(body: &[u8]) -> Problem {
    let text = || Problem { message: String::from_utf8_lossy(body).into_owned(), ..Problem::default() };
    serde_json::from_slice::<ErrorBody>(body).map_or_else(|_| text(), |body| body.error)
}
