//! `balancer doctor`

use serde_json::{Value, json};

use crate::arguments::Doctor;
use crate::local::Examined;
use crate::outcome::{Outcome, SCHEMA, answer};
use providers::Level;

/// Checks the providers and their settings.
pub async fn run(arguments: Doctor) -> anyhow::Result<Outcome> {
    let checks = arguments.providers.examine().await;
    if arguments.json {
        let checks: Vec<Value> = checks.iter().map(in_json).collect();
        answer(json!({ "schema": SCHEMA, "checks": checks }));
    } else {
        checks.iter().for_each(|check| answer(in_words(check)));
    }
    let is_usable = checks.iter().all(|(_, check)| !check.is_problem());
    Ok(if is_usable { Outcome::Done } else { Outcome::ProblemFound })
}

fn in_words((subject, check): &Examined) -> String {
    let level = match check.level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Problem => "problem",
    };
    format!("{level:<7}  {subject:<9}  {check}")
}

fn in_json((subject, check): &Examined) -> Value {
    json!({ "subject": subject, "level": check.level, "text": check.text, "remedy": check.remedy })
}
