//! A data folder.

use std::path::Path;
use std::sync::Mutex;

use local_stack::has_state;
use providers::{Check, Level};
use rustix::fs::{Access, access};

use super::actor;
use crate::local::data_folder::{ActorFolder, STATE_FOLDER, Survey};
use crate::local::{Examined, RunningStack};
use crate::progress::Progress;

/// Checks a data folder and each actor in it. Decodes every image.
pub fn examine(data: &Path) -> Vec<Examined> {
    let data = match data.canonicalize() {
        Ok(data) if data.is_dir() => data,
        Ok(data) => {
            return vec![(
                "folder",
                Check::problem(format!("{} is no folder", data.display()), "name the data folder"),
            )];
        }
        Err(error) => {
            let text = format!("the data folder {} can't be read: {error}", data.display());
            return vec![("folder", Check::problem(text, "check the name and the permissions"))];
        }
    };
    let mut checks = of_folder(&data);
    let folders = match Survey::of(&data) {
        Ok(Survey { folders, skipped }) => {
            checks.extend(skipped);
            folders
        }
        Err(problem) => {
            checks.push(Check::problem(format!("{problem:#}"), "make it readable"));
            Vec::new()
        }
    };
    if folders.is_empty() && !checks.iter().any(Check::is_problem) {
        checks.push(Check::problem(
            format!("{} holds no actor", data.display()),
            format!("put images into {}", data.join("{actor_id}").join("training_data").display()),
        ));
    }
    let checks = checks.into_iter().map(|check| ("folder", check));
    checks.chain(all(&folders).into_iter().map(|check| ("actor", check))).collect()
}

fn of_folder(data: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    if data.to_str().is_none() {
        let text = format!("the path {} is not UTF-8, which the functions need", data.display());
        checks.push(Check::problem(text, "rename the folder"));
    }
    if data.join("training_data").is_dir() || data.join("base_image").is_dir() {
        let text = format!("{} looks like the folder of one actor", data.display());
        checks.push(Check::problem(text, "give the folder above it"));
    }
    if access(data, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let text = format!("{} can't be written", data.display());
        checks.push(Check::problem(text, "change its permissions"));
    }
    let running = RunningStack::on(data).ok().flatten();
    if let Some(stack) = &running {
        checks.push(Check::ok(format!("the stack at {} runs on it", stack.endpoint())));
    } else if has_state(&data.join(STATE_FOLDER)) {
        checks.push(Check::warning(
            format!("an interrupted run has left its work in {}", data.join(STATE_FOLDER).display()),
            "run `balancer local` on the folder, which continues that work",
        ));
    }
    checks
}

/// The checks of all actors, in their order. Decoding takes most of the time, so it uses every processor.
fn all(folders: &[ActorFolder]) -> Vec<Check> {
    let progress = Progress::start("reading actors", folders.len() as u64);
    let next = Mutex::new(0..folders.len());
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            let index = next.lock().ok().and_then(|mut next| next.next());
            let Some(index) = index else { return };
            let checks = actor::examine(&folders[index]);
            if let Ok(mut found) = found.lock() {
                found.push((index, checks));
            }
            progress.step();
        }
    };
    std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (0..processors.min(folders.len())).for_each(|_| drop(scope.spawn(work)));
    });
    progress.finish();
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().flat_map(|(_, checks)| checks.into_iter().map(visible)).collect()
}

/// File names may contain characters that a terminal interprets.
fn visible(check: Check) -> Check {
    let Check { level, text, remedy } = check;
    let visible = |text: String| domain::files::visible(&text);
    Check { level, text: visible(text), remedy: remedy.map(visible) }
}

/// Whether nothing is wrong.
pub(super) fn is_fine(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.level == Level::Ok)
}
