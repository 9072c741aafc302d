//! `balancer demo`

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::arguments::Demo;
use crate::demo::{ACTOR_ID, Album, write_sample};
use crate::local::data_folder::ActorFolder;
use crate::local::{Ending, Options, ProviderArguments, Undo, run as run_session};
use crate::outcome::{Outcome, answer, remark};
use crate::progress::Waiting;
use crate::target::TargetArguments;

/// Makes a sample actor whose set is out of balance, has it balanced, and draws what has changed.
pub async fn run(arguments: Demo) -> anyhow::Result<Outcome> {
    let Demo { dir, json, port, cap } = arguments;
    prepare(&dir).await?;
    let folder = ActorFolder { actor: ACTOR_ID.parse()?, dir: dir.join(ACTOR_ID) };
    let album = Album::before(&folder)?;
    let options = Options {
        data: dir.clone(),
        actors: vec![folder.actor.clone()],
        watch: false,
        dry_run: false,
        retry: false,
        json,
        port,
        logs: None,
        providers: ProviderArguments::default(),
        target: TargetArguments::default(),
        cap,
    };
    let ending = run_session(options).await?;
    if let Ending::Settled(report) = &ending {
        let sheet = dir.join("before-after.png");
        album.write_sheet(&folder, &sheet)?;
        if json {
            answer(serde_json::to_string(report)?);
        } else {
            answer(format!(
                "{}\n\nbefore and after, as a picture: {}",
                report.in_words(Undo::InFolder),
                sheet.display()
            ));
        }
    }
    Ok(Outcome::from(&ending))
}

/// Makes the sample, unless an earlier run has.
async fn prepare(dir: &Path) -> anyhow::Result<()> {
    if dir.join(ACTOR_ID).is_dir() {
        remark(format!("taking up the sample in {}; remove that folder to begin anew", dir.display()));
        return Ok(());
    }
    fs::create_dir_all(dir).with_context(|| format!("{} can't be created", dir.display()))?;
    // A demo that is cut off here must not leave half an actor to be taken up.
    let unfinished = tempfile::tempdir_in(dir)?;
    let waiting = Waiting::start(&format!("rendering the sample actor into {}", dir.display()));
    let target = unfinished.path().to_owned();
    tokio::task::spawn_blocking(move || write_sample(&target)).await??;
    waiting.finish();
    fs::rename(unfinished.path().join(ACTOR_ID), dir.join(ACTOR_ID))?;
    Ok(())
}
