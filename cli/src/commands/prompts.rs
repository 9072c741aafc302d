//! `balancer prompts list`, `check` and `export`

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use domain::kind::{Kind, KindCounts};
use domain::prompts::{BUILT_IN_FILE, Library, Prompt};
use domain::target::Target;
use serde_json::{Value, json};

use crate::arguments::{Check, Export, List, Prompts, PromptsCommand};
use crate::atomic_file;
use crate::local::prompts::{library, read, warnings};
use crate::outcome::{Outcome, SCHEMA, answer, remark};
use crate::table::{Heading, render};

/// Lists, checks or exports prompts.
pub fn run(arguments: &Prompts) -> anyhow::Result<Outcome> {
    match &arguments.command {
        PromptsCommand::List(arguments) => list(arguments),
        PromptsCommand::Check(arguments) => check(arguments),
        PromptsCommand::Export(arguments) => export(arguments),
    }
}

fn list(arguments: &List) -> anyhow::Result<Outcome> {
    let library = match &arguments.prompts {
        None => Cow::Borrowed(Library::built_in()),
        Some(path) => {
            let library = library(path, &read(path)?, KindCounts::default());
            Cow::Owned(library.map_err(|problems| unusable(&problems))?)
        }
    };
    let prompts = library.prompts().iter().filter(|prompt| arguments.kind.is_none_or(|kind| prompt.kind == kind));
    if arguments.json {
        let prompts: Vec<Value> = prompts.map(in_json).collect();
        let (revision, outfits) = (library.revision(), library.outfits());
        answer(json!({ "schema": SCHEMA, "revision": revision, "outfits": outfits, "prompts": prompts }));
        return Ok(Outcome::Done);
    }
    let outfit = |prompt: &Prompt| if prompt.varies_outfit() { "vary" } else { "keep" };
    let row = |prompt: &Prompt| {
        let Prompt { id, kind, framing, angle, scene, .. } = prompt;
        vec![
            id.clone(),
            kind.to_string(),
            framing.to_string(),
            angle.to_string(),
            outfit(prompt).to_owned(),
            scene.clone(),
        ]
    };
    let headings = ["prompt", "kind", "framing", "angle", "outfit", "scene"].map(Heading::Words);
    answer(render(&headings, &prompts.map(row).collect::<Vec<_>>()));
    Ok(Outcome::Done)
}

fn in_json(prompt: &Prompt) -> Value {
    let Prompt { id, kind, framing, angle, text, scene } = prompt;
    let outfit = if prompt.varies_outfit() { "vary" } else { "keep" };
    json!({
        "id": id, "kind": kind, "framing": framing, "angle": angle, "outfit": outfit, "text": text, "scene": scene,
    })
}

fn check(arguments: &Check) -> anyhow::Result<Outcome> {
    let (total, shares) = (arguments.target_total, arguments.target_shares);
    let target = Target { total, shares, ..Target::default() }.counts();
    let path = &arguments.file;
    let checked = library(path, &read(path)?, target);
    let warned = checked.as_ref().map(|library| warnings(path, library, target)).unwrap_or_default();
    if arguments.json {
        let problems = checked.as_ref().err().map(Vec::as_slice).unwrap_or_default();
        let counts = checked.as_ref().ok().map(Library::counts);
        answer(json!({ "schema": SCHEMA, "problems": problems, "warnings": warned, "prompts": counts }));
    }
    warned.iter().filter(|_| !arguments.json).for_each(|warning| remark(format!("warning: {warning}")));
    let library = checked.map_err(|problems| unusable(&problems))?;
    if !arguments.json {
        answer(summary(path, &library));
    }
    Ok(Outcome::Done)
}

fn summary(path: &Path, library: &Library) -> String {
    let counts = library.counts();
    let counts = Kind::ALL.map(|kind| format!("{} {}", counts[kind], kind.in_words())).join(", ");
    let own = library.own_prompts().count();
    let revision = library.revision().unwrap_or_default();
    format!("{}: {counts} prompts, {own} of them not built in; revision {revision}", path.display())
}

fn unusable(problems: &[String]) -> anyhow::Error {
    // Each problem begins a line, as editors expect it.
    problems.iter().for_each(remark);
    let count = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    anyhow::anyhow!("the prompts can't be used: {count}")
}

fn export(arguments: &Export) -> anyhow::Result<Outcome> {
    let Some(path) = &arguments.output else {
        answer(BUILT_IN_FILE.trim_end());
        return Ok(Outcome::Done);
    };
    if arguments.force {
        atomic_file::replace(path, BUILT_IN_FILE.as_bytes())?;
    } else {
        match File::create_new(path) {
            Ok(mut file) => file.write_all(BUILT_IN_FILE.as_bytes()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                bail!("{} exists; choose another name, or pass --force to overwrite it", path.display())
            }
            Err(error) => Err(error),
        }
        .with_context(|| format!("{} can't be written", path.display()))?;
    }
    answer(path.display());
    Ok(Outcome::Done)
}
