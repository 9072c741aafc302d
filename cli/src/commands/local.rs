//! `balancer local --data DIR`

mod exporting;

use anyhow::Context;
use serde_json::json;

use crate::arguments::Local;
use crate::local::{ActorReport, Ending, Generator, Options, Undo, new_actor, run as run_session, serve};
use crate::outcome::{Outcome, SCHEMA, answer, remark};
use crate::report;
use crate::sets::Sets;
use exporting::{print_and_export, request_of};

/// Balances the actors of a folder, or only runs the stack.
pub async fn run(arguments: Local) -> anyhow::Result<Outcome> {
    let Local {
        data,
        from,
        mut actors,
        watch,
        dry_run,
        retry,
        export,
        output,
        training,
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
    let data = match &from {
        Some(_) => data.unwrap_or_else(|| new_actor::DEFAULT_DATA.into()),
        None => data.context("--data is missing")?,
    };
    let begun =
        from.as_deref().map(|picture| anyhow::Ok((new_actor::actor_of(picture, &actors)?, picture))).transpose()?;
    if let Some((actor, _)) = &begun {
        actors = vec![actor.clone()];
    }
    if let Some(file) = &report_file {
        report::check_replaceable(file)?;
    }
    let request = request_of(export.zip(output), training, &actors, &data)?;
    if let Some((actor, picture)) = begun {
        new_actor::make(&data, &actor, picture)?;
    }
    let is_embedded = providers.generator == Generator::Embedded;
    let options = Options {
        data: data.clone(),
        actors: actors.clone(),
        watch,
        dashboard,
        dry_run,
        resumable: true,
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
    let mut outcome = Outcome::from(&ending);
    match &ending {
        Ending::Settled(report) => {
            let printed = match &request {
                None => report.print(json, Undo::InFolder).map(|()| report.outcome()),
                Some(request) => print_and_export(report, &data, request, json).await,
            };
            report.actors.iter().filter_map(ActorReport::approval_remedy).for_each(remark);
            report.about_embedded_pictures().filter(|_| is_embedded).into_iter().for_each(remark);
            outcome = printed?;
        }
        Ending::Proposed(actors) if json => answer(json!({ "schema": SCHEMA, "actors": actors })),
        Ending::Proposed(actors) => actors.iter().for_each(|actor| answer(actor.dry_run_in_words())),
        Ending::Interrupted => remark("Stopped. The folder holds everything done so far."),
    }
    if let Some(file) = report_file {
        let written = report::write(&Sets::of_data(&data).await?, &actors, &report::at_end_of_run(&file)).await?;
        remark(format!("report: {}", written.in_words()));
    }
    Ok(outcome)
}
