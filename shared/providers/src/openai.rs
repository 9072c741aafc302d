//! Errors in OpenAI's format, which its API and many other services send.

pub(crate) mod models;

use serde::Deserialize;
use serde_json::Value;

use crate::wording::{Meaning, meaning};

/// The codes for an account that may not spend, with any status.
const NO_FUNDS: [&str; 7] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
];

/// The longest text of an error that is quoted, in characters.
const MAX_QUOTED: usize = 300;

/// The fields of an error that are read; some servers omit the code or the type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) message: String,
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
    /// Reads an error body. A body in another format is the message itself.
    pub(crate) fn read(body: &[u8]) -> Self {
        let text = || Self { message: String::from_utf8_lossy(body).into_owned(), ..Self::default() };
        serde_json::from_slice::<ErrorBody>(body).map_or_else(|_| text(), |body| body.error)
    }

    fn has_code(&self, code: &str) -> bool {
        self.code == code || self.r#type == code
    }

    pub(crate) fn is_about_funds(&self) -> bool {
        NO_FUNDS.iter().any(|code| self.has_code(code))
    }

    /// The meaning of the code, the type or the message; `None` if they concern the request, the key or the account.
    pub(crate) fn meaning(&self) -> Option<Meaning> {
        let message = self.message.to_lowercase();
        let is_about_access = |words: &&str| message.contains(words);
        let is_about_key =
            self.has_code("invalid_api_key") || ["api key", "account", "organization"].iter().any(is_about_access);
        let codes = [&self.code, &self.r#type].into_iter().filter_map(Value::as_str);
        codes.filter_map(meaning).next().or_else(|| meaning(&self.message).filter(|_| !is_about_key))
    }

    pub(crate) fn is_too_long(&self) -> bool {
        self.has_code("context_length_exceeded") || self.message.starts_with("Request too large")
    }

    /// The error's message after `status`, with the field that it concerns. Masks `key`.
    pub(crate) fn describe(&self, status: impl std::fmt::Display, key: &str) -> String {
        let message = match self.param.as_str().filter(|param| !self.message.contains(param)) {
            Some(param) => format!("{param}: {}", self.message),
            None => self.message.clone(),
        };
        let masked = format!("{status} {}", message.replace(key, "…"));
        masked.trim_end().chars().take(MAX_QUOTED).collect()
    }
}
