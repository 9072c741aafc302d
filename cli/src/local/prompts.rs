//! A file with prompts: its check, and its place in a local stack.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use aws::stack::Services;
use domain::files::content_type;
use domain::kind::KindCounts;
use domain::prompts::{Library, PROMPTS_FILE};
use domain::settings::Settings;

use crate::outcome::remark;

/// The content of a file.
pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} can't be read", path.display()))
}

/// The library of a file with this content, or every problem in the form `FILE:LINE: problem`.
pub fn library(path: &Path, bytes: &[u8], target: KindCounts) -> Result<Library, Vec<String>> {
    let name = path.display();
    let library = Library::read(bytes).map_err(|invalid| {
        let problems = invalid.problems.iter().map(|problem| format!("{name}:{}: {}", problem.line, problem.text));
        problems.collect::<Vec<_>>()
    })?;
    match library.missing_kinds(target) {
        Some(problem) => Err(vec![format!("{name}: {problem}")]),
        None => Ok(library),
    }
}

/// What is probably not meant in a usable file.
pub fn warnings(path: &Path, library: &Library, target: KindCounts) -> Vec<String> {
    let name = path.display();
    let of_lines = library.warnings().iter().map(|problem| format!("{name}:{}: {}", problem.line, problem.text));
    let shortages = library.shortages(target).into_iter().map(|shortage| format!("{name}: {shortage}"));
    of_lines.chain(shortages).collect()
}

/// The content of a file for a run with these settings. Fails if it is unusable.
pub fn checked(path: Option<&Path>, settings: &Settings) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(path) = path else { return Ok(None) };
    let target = settings.target.counts();
    let bytes = read(path)?;
    match library(path, &bytes, target) {
        Ok(library) => {
            warnings(path, &library, target).into_iter().for_each(|warning| remark(format!("warning: {warning}")));
            Ok(Some(bytes))
        }
        Err(problems) => bail!("the prompts can't be used:\n  {}", problems.join("\n  ")),
    }
}

/// Puts the prompts into the bucket, or removes those of an earlier run.
pub async fn put(services: &Services, prompts: Option<Vec<u8>>) -> anyhow::Result<()> {
    let key = services.keys.prompts();
    match prompts {
        Some(bytes) => services.bucket.put(&key, bytes, content_type(PROMPTS_FILE)).await.map(drop)?,
        None => services.bucket.delete(&key).await?,
    }
    Ok(())
}
