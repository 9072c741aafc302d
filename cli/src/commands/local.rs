//! `balancer local --data DIR`

use crate::arguments::Local;
use crate::local::{Options, Run, run as run_session};
use crate::outcome::{Outcome, answer, remark};

/// Balances the actors of a folder.
pub async fn run(arguments: Local) -> anyhow::Result<Outcome> {
    let Local { data, actors, watch, dry_run, json, port, logs, target } = arguments;
    let ended = run_session(Options { data, actors, watch, dry_run, port, logs, target }).await?;
    match &ended {
        Run::Settled(report) if json => {
            report.actors.iter().for_each(|actor| remark(actor.sentence()));
            answer(serde_json::to_string(report)?);
        }
        Run::Settled(report) => answer(report.in_words()),
        Run::DryRun => {}
        Run::Interrupted => remark("interrupted; the folder is as far as the work had come"),
    }
    Ok(Outcome::from(&ended))
}
