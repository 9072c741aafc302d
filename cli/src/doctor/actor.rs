//! One actor's folder.

use std::fs;
use std::path::Path;

use domain::files::images_in_words;
use domain::json;
use domain::manifest::Manifest;
use domain::numbering::surprising_number;
use domain::prompts::PROMPTS_FILE;
use domain::settings::{ACTOR_FILE, ActorSettings, Settings};
use imaging::{MAX_BYTES, decode};
use providers::Check;

use super::folder::is_fine;
use crate::folder::{Contents, ImageFile};
use crate::local::data_folder::{ActorFolder, lossy_name, read_if_there};
use crate::local::prompts;

/// Images below this size on the shorter side have a quality of 4 at most.
const FAR_TOO_SMALL: u32 = 512;

/// How many files a line names.
const MOST_NAMED: usize = 3;

/// Checks a folder. Each text begins with the actor's id.
pub fn examine(folder: &ActorFolder) -> Vec<Check> {
    let mut checks = Vec::new();
    let contents = match folder.contents() {
        Ok(contents) => contents,
        Err(problem) => {
            checks.push(Check::problem(format!("{problem:#}"), "make it readable"));
            Contents::default()
        }
    };
    match folder.obstacle(&contents) {
        Ok(Some(obstacle)) => checks.push(Check::problem(obstacle.found, obstacle.remedy)),
        Ok(None) => {}
        Err(problem) => checks.push(Check::problem(format!("{problem:#}"), "make it readable")),
    }
    checks.extend(own_files(folder));
    checks.extend(base_image(folder));
    checks.extend(images(&contents.images));
    checks.extend(
        contents
            .remarks("training_data")
            .into_iter()
            .map(|remark| Check::warning(remark, "a run leaves them as they are")),
    );
    let names = contents.images.iter().map(|image| image.name.as_str());
    if let Some((name, number)) = surprising_number(names, 0) {
        checks.push(Check::warning(
            format!("new images get numbers after {number}, that of {name}"),
            "rename it, if the number is a date or a camera's",
        ));
    }
    if is_fine(&checks) {
        checks.push(Check::ok(format!("{} and a base image", images_in_words(contents.images.len()))));
    }
    checks.into_iter().map(|check| Check { text: format!("{}: {}", folder.actor, check.text), ..check }).collect()
}

/// The manifest, the settings and the prompts.
fn own_files(folder: &ActorFolder) -> Vec<Check> {
    let mut checks = Vec::new();
    let repair = "repair it, or move it away";
    match read_if_there(&folder.manifest()) {
        Ok(Some(text)) => {
            if let Err(problem) = json::read::<Manifest>(&text) {
                checks.push(Check::problem(format!("manifest.json is not a manifest: {problem}"), repair));
            }
        }
        Ok(None) => {}
        Err(problem) => checks.push(Check::problem(format!("{problem:#}"), repair)),
    }
    let mut settings = Settings::default();
    match content(folder, ACTOR_FILE) {
        Ok(Some(text)) => match ActorSettings::read(&text) {
            Ok(own) => settings = settings.of_actor(&own),
            Err(problem) => checks.push(Check::problem(format!("{ACTOR_FILE} can't be used: {problem}"), repair)),
        },
        Ok(None) => {}
        Err(check) => checks.push(check),
    }
    match content(folder, PROMPTS_FILE) {
        Ok(Some(text)) => checks.extend(prompts_of(&text, &settings)),
        Ok(None) => {}
        Err(check) => checks.push(check),
    }
    checks
}

fn content(folder: &ActorFolder, name: &str) -> Result<Option<Vec<u8>>, Check> {
    let Some(path) = folder.own_file(name) else { return Ok(None) };
    read_if_there(&path).map_err(|problem| Check::problem(format!("{problem:#}"), "repair it, or move it away"))
}

fn prompts_of(text: &[u8], settings: &Settings) -> Vec<Check> {
    let (path, target) = (Path::new(PROMPTS_FILE), settings.target.counts());
    let remedy = "correct it; `balancer prompts check` repeats this check";
    match prompts::library(path, text, target) {
        Ok(library) => {
            let warnings = prompts::warnings(path, &library, target).into_iter();
            warnings.map(|warning| Check::warning(warning, remedy)).collect()
        }
        Err(problems) => problems.into_iter().map(|problem| Check::problem(problem, remedy)).collect(),
    }
}

fn base_image(folder: &ActorFolder) -> Option<Check> {
    let path = match folder.base_image() {
        Ok(Some(path)) => path,
        Ok(None) => {
            return Some(Check::warning(
                "it has no base image, so no image can be generated",
                "put a photograph of it into base_image",
            ));
        }
        Err(problem) => return Some(Check::problem(format!("{problem:#}"), "make it readable")),
    };
    let problem = pixels(&path).err()?;
    let text = format!("the base image {} can't be used: {problem}", lossy_name(&path));
    Some(Check::problem(text, "replace it, or move it away"))
}

/// The sides of an image that was decoded completely.
fn pixels(path: &Path) -> Result<(u32, u32), String> {
    let size = fs::metadata(path).map_err(|error| link_or(path, &error))?.len();
    if size > MAX_BYTES {
        return Err(format!("it has {size} bytes, and {MAX_BYTES} are the most"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    decode(&bytes).map(|image| image.dimensions()).map_err(|error| error.to_string())
}

fn link_or(path: &Path, error: &std::io::Error) -> String {
    match path.read_link() {
        Ok(target) => format!("it is a link to {}, and nothing is there", target.display()),
        Err(_) => error.to_string(),
    }
}

fn images(images: &[ImageFile]) -> Vec<Check> {
    let (mut unusable, mut small) = (Vec::new(), Vec::new());
    for image in images {
        match pixels(&image.path) {
            Err(problem) => unusable.push(format!("{}: {problem}", image.name)),
            Ok((width, height)) if width.min(height) < FAR_TOO_SMALL => {
                small.push(format!("{} {width}×{height}", image.name));
            }
            Ok(_) => {}
        }
    }
    let unusable = listed(&unusable).map(|(count, names)| {
        let text = format!("{} can't be read ({names})", images_in_words(count));
        Check::problem(text, "replace or remove them, or mount the disk that the links lead to")
    });
    let small = listed(&small).map(|(count, names)| {
        let verb = if count == 1 { "has" } else { "have" };
        let text =
            format!("{} {verb} less than {FAR_TOO_SMALL} pixels on the shorter side ({names})", images_in_words(count));
        Check::warning(text, "replace them by larger ones: their quality is 4 of 10 at most")
    });
    unusable.into_iter().chain(small).collect()
}

/// The number of files, and the first of them.
fn listed(files: &[String]) -> Option<(usize, String)> {
    let more = if files.len() > MOST_NAMED { ", …" } else { "" };
    let first = files.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!files.is_empty()).then(|| (files.len(), format!("{first}{more}")))
}
