//! `balancer demo`

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::arguments::Demo;
use crate::demo::{ACTOR_ID, Album, write_sample};
use crate::local::data_folder::ActorFolder;
use crate::local::{Ending, Options, ProviderArguments, Undo, run as run_session};
use crate::outcome::{Outcome, answer, remark};
use crate::report;
use crate::sets::Sets;
use crate::target::SettingsArguments;

/// Balances a sample actor, and writes a picture of its set before and after and a report.
pub async fn run(arguments: Demo) -> anyhow::Result<Outcome> {
    let Demo { dir, json, port, prompts, cap } = arguments;
    prepare(&dir)?;
    let folder = ActorFolder { actor: ACTOR_ID.parse()?, dir: dir.join(ACTOR_ID) };
    let album = Album::before(&folder)?;
    let options = Options {
        data: dir.clone(),
        actors: vec![folder.actor.clone()],
        watch: false,
        dashboard: false,
        dry_run: false,
        resumable: false,
        retry: false,
        json,
        port,
        logs: None,
        prompts,
        providers: ProviderArguments::default(),
        settings: SettingsArguments::default(),
        cap,
    };
    let ending = run_session(options).await?;
    if let Ending::Settled(result) = &ending {
        let sheet = dir.join("before-after.jpg");
        album.write_sheet(&folder, &sheet)?;
        let page = write_report(&dir).await?;
        if json {
            answer(serde_json::to_string(result)?);
        } else {
            answer(format!(
                "{}\n\nbefore and after, as a picture: {}\nthe set, as a page: {page}",
                result.in_words(Undo::InFolder),
                sheet.display()
            ));
        }
        result.about_embedded_pictures().into_iter().for_each(remark);
    }
    Ok(Outcome::from(&ending))
}

async fn write_report(dir: &Path) -> anyhow::Result<String> {
    let options = report::at_end_of_run(&dir.join("report.html"));
    Ok(report::write(&Sets::of_data(dir).await?, &[], &options).await?.in_words())
}

/// Writes the sample actor, unless an earlier run has.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    if dir.join(ACTOR_ID).is_dir() {
        remark(format!("reusing the sample actor in {}; remove that folder to start again", dir.display()));
        return Ok(());
    }
    fs::create_dir_all(dir).with_context(|| format!("{} can't be created", dir.display()))?;
    // The actor's folder appears only once it is complete, because the next demo reuses it.
    let unfinished = tempfile::tempdir_in(dir)?;
    write_sample(unfinished.path())?;
    fs::rename(unfinished.path().join(ACTOR_ID), dir.join(ACTOR_ID))?;
    Ok(())
}
