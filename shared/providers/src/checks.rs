//! The results of checking something before it is used.

use std::fmt;

use serde::Serialize;

/// Whether something can be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    /// It works, but probably not as intended.
    Warning,
    /// It can't be used.
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

/// What the operator must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    pub action: String,
    /// The end of the sentence for a stack that runs already: how its functions notice, and how the work goes on.
    pub then: &'static str,
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

impl Remedy {
    /// A remedy after which nothing else is needed.
    #[must_use]
    pub fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), then: "" }
    }

    /// A remedy after which the failed messages must be retried.
    #[must_use]
    pub fn then_redrive(action: impl Into<String>) -> Self {
        Self { action: action.into(), then: ", then `balancer redrive`" }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.action, self.then)
    }
}
