//! The results of checking a generator and its settings before it is used.

use std::fmt;

use serde::Serialize;

use super::failure::ServiceError;

/// Whether something can be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    /// It works, but probably not as intended.
    Warning,
    /// No image can be generated.
    Problem,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub level: Level,
    /// What was found, as a clause that names the file, node or setting.
    pub text: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Check {
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self { level: Level::Ok, text: text.into(), remedy: None }
    }

    #[must_use]
    pub fn warning(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, text: text.into(), remedy: Some(remedy.into()) }
    }

    #[must_use]
    pub fn problem(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, text: text.into(), remedy: Some(remedy.into()) }
    }

    /// The failure of a service. What follows the last semicolon of its text is the remedy.
    pub(super) fn problem_of(error: &ServiceError) -> Self {
        let text = error.to_string();
        let (text, remedy) = text.rsplit_once("; ").unwrap_or((&text, "repeat the check later"));
        Self::problem(text, remedy.trim_end_matches(", then `balancer redrive`"))
    }

    #[must_use]
    pub fn is_problem(&self) -> bool {
        self.level == Level::Problem
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{}; {remedy}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
