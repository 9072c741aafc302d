//! `balancer local --data DIR`

mod exporting;

use std::path::{Path, PathBuf};

use anyhow::bail;
use domain::actor::ActorId;
use serde_json::json;

use crate::answers::Actor;
use crate::arguments::Local;
use crate::export::Request;
use crate::local::{ActorReport, Ending, Generator, Options, Report, Undo, lock, new_actor, run as run_session, serve};
use crate::outcome::{Outcome, SCHEMA, answer, remark};
use crate::report;
use crate::sets::Sets;
use exporting::{print_and_export, request_of};

/// Balances the actors of a folder, or only runs the stack.
pub async fn run(mut arguments: Local) -> anyhow::Result<Outcome> {
    if arguments.serve {
        return serve::serve(options_of_serve(arguments)).await;
    }
    let afterwards = Afterwards::prepare(&mut arguments)?;
    let ending = run_session(options(arguments, &afterwards.data)).await?;
    afterwards.finish(&ending).await
}

/// What the command does after the run.
struct Afterwards {
    data: PathBuf,
    actors: Vec<ActorId>,
    json: bool,
    export: Option<Request>,
    report: Option<PathBuf>,
    /// Whether the embedded generator draws.
    is_embedded: bool,
}

impl Afterwards {
    /// Finds everything that would fail afterwards, because a run may cost money. Makes the actor of `--from`.
    fn prepare(arguments: &mut Local) -> anyhow::Result<Self> {
        let data = match (&arguments.from, &arguments.data) {
            (_, Some(data)) => data.clone(),
            (Some(_), None) => new_actor::DEFAULT_DATA.into(),
            (None, None) => bail!("--data is missing"),
        };
        let begun = match arguments.from.take() {
            Some(picture) => Some((new_actor::actor_of(&picture, &arguments.actors)?, picture)),
            None => None,
        };
        if let Some((actor, _)) = &begun {
            arguments.actors = vec![actor.clone()];
        }
        if let Some(file) = &arguments.report {
            report::check_replaceable(file)?;
        }
        let wanted = arguments.export.zip(arguments.output.take());
        let export = request_of(wanted, arguments.training.clone(), &arguments.actors, &data)?;
        if let Some((actor, picture)) = begun {
            // A run that can't begin must not leave an actor that another run would generate images for.
            arguments.providers.read(false)?;
            let _lock = if data.is_dir() { Some(lock(&data)?) } else { None };
            new_actor::make(&data, &actor, &picture)?;
        }
        Ok(Self {
            data,
            actors: arguments.actors.clone(),
            json: arguments.json,
            export,
            report: arguments.report.take(),
            is_embedded: arguments.providers.generator == Generator::Embedded,
        })
    }

    /// Prints the result, and writes the export and the report.
    async fn finish(&self, ending: &Ending) -> anyhow::Result<Outcome> {
        let outcome = match ending {
            Ending::Settled(result) => self.settled(result).await,
            Ending::Proposed(actors) => {
                self.print_proposals(actors);
                Ok(Outcome::from(ending))
            }
            Ending::Interrupted => {
                remark("Stopped. The folder holds everything done so far.");
                Ok(Outcome::from(ending))
            }
        };
        if let Some(file) = &self.report {
            let sets = Sets::of_data(&self.data).await?;
            let written = report::write(&sets, &self.actors, &report::at_end_of_run(file)).await?;
            remark(format!("report: {}", written.in_words()));
        }
        outcome
    }

    async fn settled(&self, result: &Report) -> anyhow::Result<Outcome> {
        let printed = match &self.export {
            None => result.print(self.json, Undo::InFolder).map(|()| result.outcome()),
            Some(request) => print_and_export(result, &self.data, request, self.json).await,
        };
        result.actors.iter().filter_map(ActorReport::approval_remedy).for_each(remark);
        result.about_embedded_pictures().filter(|_| self.is_embedded).into_iter().for_each(remark);
        printed
    }

    fn print_proposals(&self, actors: &[Actor]) {
        if self.json {
            answer(json!({ "schema": SCHEMA, "actors": actors }));
        } else {
            actors.iter().for_each(|actor| answer(actor.dry_run_in_words()));
        }
    }
}

fn options(arguments: Local, data: &Path) -> Options {
    let Local { actors, watch, dashboard, dry_run, retry, json, port, logs, prompts, providers, settings, cap, .. } =
        arguments;
    Options {
        data: data.to_owned(),
        actors,
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
    }
}

fn options_of_serve(arguments: Local) -> serve::Options {
    let Local { data, actors, host, port, env_vars, events, logs, prompts, settings, cap, .. } = arguments;
    serve::Options { data, actors, host, port, env_vars, events, logs, prompts, settings, cap }
}
