//! `balancer local --data DIR`

use anyhow::Context;
use serde_json::json;

use crate::arguments::Local;
use crate::local::{ActorReport, Ending, Generator, Options, Undo, run as run_session, serve};
use crate::outcome::{Outcome, SCHEMA, answer, remark};
use crate::report;
use crate::sets::Sets;

/// Balances the actors of a folder, or only runs the stack.
pub async fn run(arguments: Local) -> anyhow::Result<Outcome> {
    let Local {
        data,
        actors,
        watch,
        dry_run,
        retry,
        dashboard,
        report: report_file,
        serve,
        host,
        env_vars,
        events,
        json,
        port,
        logs,
        prompts,
        providers,
        settings,
        cap,
    } = arguments;
    if serve {
        return serve::serve(serve::Options {
            data,
            actors,
            host,
            port,
            env_vars,
            events,
            logs,
            prompts,
            settings,
            cap,
        })
        .await;
    }
    let data = data.context("--data is missing")?;
    if let Some(file) = &report_file {
        report::check_replaceable(file)?;
    }
    let (resumable, is_embedded) = (true, providers.generator == Generator::Embedded);
    let options = Options {
        data: data.clone(),
        actors: actors.clone(),
        watch,
        dashboard,
        dry_run,
        resumable,
        retry,
        json,
        port,
        logs,
        prompts,
        providers,
        settings,
        cap,
    };
    let ending = run_session(options).await?;
    match &ending {
        Ending::Settled(result) => {
            result.print(json, Undo::InFolder)?;
            result.actors.iter().filter_map(ActorReport::approval_remedy).for_each(remark);
            result.about_embedded_pictures().filter(|_| is_embedded).into_iter().for_each(remark);
        }
        Ending::Proposed(actors) if json => answer(json!({ "schema": SCHEMA, "actors": actors })),
        Ending::Proposed(actors) => actors.iter().for_each(|actor| answer(actor.in_words())),
        Ending::Interrupted => remark("Stopped. The folder holds everything done so far."),
    }
    if let Some(file) = report_file {
        let written = report::write(&Sets::of_data(&data)?, &actors, &report::at_end_of_run(&file)).await?;
        remark(format!("report: {}", written.in_words()));
    }
    Ok(Outcome::from(&ending))
}
