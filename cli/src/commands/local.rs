//! `balancer local --data DIR`

use anyhow::Context;
use serde_json::json;

use crate::arguments::Local;
use crate::local::{Ending, Options, run as run_session, serve};
use crate::outcome::{Outcome, answer, remark};

/// Balances the actors of a folder, or only runs the stack.
pub async fn run(arguments: Local) -> anyhow::Result<Outcome> {
    let Local { data, actors, watch, dry_run, serve, host, env_vars, events, json, port, logs, providers, target, cap } =
        arguments;
    if serve {
        return serve::serve(serve::Options { data, actors, host, port, env_vars, events, logs, target, cap }).await;
    }
    let data = data.context("--data is missing")?;
    let options = Options { data, actors, watch, dry_run, json, port, logs, providers, target, cap };
    let ending = run_session(options).await?;
    match &ending {
        Ending::Settled(report) => {
            report.say(json)?;
            if report.actors.iter().any(|actor| actor.awaits_approval) {
                remark(
                    "The stack is gone, so there is nothing left to approve: look at what would go with --dry-run, then run this again with --max-deleted-percent 100.",
                );
            }
        }
        Ending::Proposed(actors) if json => answer(json!({ "actors": actors })),
        Ending::Proposed(actors) => actors.iter().for_each(|actor| answer(actor.in_words())),
        Ending::Interrupted => remark("interrupted; the folder is as far as the work had come"),
    }
    Ok(Outcome::from(&ending))
}
