//! `balancer doctor`

use providers::Level;
use serde_json::{Value, json};

use crate::arguments::Doctor;
use crate::doctor::{examine_account, examine_folder, examine_machine};
use crate::local::Examined;
use crate::outcome::{Outcome, SCHEMA, answer};

/// Checks this machine, or the stack that is named, and the providers of a local run.
pub async fn run(arguments: Doctor) -> anyhow::Result<Outcome> {
    let mut checks = Vec::new();
    if let Some(stack) = &arguments.stack {
        checks.extend(examine_account(stack).await);
    } else {
        checks.extend(examine_machine(arguments.data.as_deref()).await);
    }
    if let Some(data) = &arguments.data {
        checks.extend(examine_folder(data));
    }
    // A stack has its own providers, whose keys only its functions can read.
    if arguments.stack.is_none() || !arguments.providers.are_embedded() {
        checks.extend(arguments.providers.examine().await);
    }
    if arguments.json {
        let checks: Vec<Value> = checks.iter().map(in_json).collect();
        answer(json!({ "schema": SCHEMA, "checks": checks }));
    } else {
        checks.iter().for_each(|check| answer(in_words(check)));
    }
    let is_usable = checks.iter().all(|(_, check)| !check.is_problem());
    Ok(if is_usable { Outcome::Done } else { Outcome::ProblemFound })
}

fn in_words((name, check): &Examined) -> String {
    let level = match check.level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Problem => "problem",
    };
    format!("{level:<7}  {name:<13}  {check}")
}

fn in_json((name, check): &Examined) -> Value {
    json!({ "check": name, "level": check.level, "text": check.text, "remedy": check.remedy })
}
