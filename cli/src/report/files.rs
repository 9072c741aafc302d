//! The files of a report.

use std::fs::File as Disk;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::Part;
use crate::atomic_file::replace;
use crate::outcome::{WrongUsage, remark};
use crate::pages::report::{File, MARK};

/// Distributes the actors over files. One that exceeds the limit by itself gets a file of its own.
pub fn pack(parts: Vec<Part>, summary: &str, max_bytes: usize) -> Vec<File> {
    let empty = || File { rows: Vec::new(), sections: Vec::new(), summary: summary.to_owned(), part: (1, 1) };
    let mut files = vec![empty()];
    let mut bytes = 0;
    for Part { row, section } in parts {
        if bytes > 0 && bytes + section.len() > max_bytes {
            files.push(empty());
            bytes = 0;
        }
        bytes += section.len();
        if let Some(file) = files.last_mut() {
            file.rows.push(row);
            file.sections.push(section);
        }
    }
    let all = files.len();
    for (number, file) in (1..).zip(&mut files) {
        file.part = (number, all);
    }
    files
}

/// Writes the documents, each completely or not at all, and reports files of an earlier report that remain.
pub fn write(output: &Path, documents: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = (1..=documents.len()).map(|number| path_of(output, number)).collect();
    for path in &paths {
        check_replaceable(path)?;
    }
    for (path, document) in paths.iter().zip(documents) {
        replace(path, document.as_bytes())?;
    }
    let left = path_of(output, documents.len() + 1);
    if is_report(&left)? == Some(true) {
        remark(format!("{} is a part of an earlier report; remove it", left.display()));
    }
    Ok(paths)
}

/// Fails if the file exists and is no report, so that a mistyped name never costs a file.
pub fn check_replaceable(path: &Path) -> anyhow::Result<()> {
    match is_report(path)? {
        Some(false) => bail!(WrongUsage(format!("{} exists and is no report; choose another name", path.display()))),
        Some(true) | None => Ok(()),
    }
}

/// Whether the file is a report; `None` if there is none.
fn is_report(path: &Path) -> anyhow::Result<Option<bool>> {
    let file = match Disk::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("{} can't be read", path.display()))?,
    };
    if file.metadata()?.is_dir() {
        return Ok(Some(false));
    }
    let mut beginning = Vec::new();
    file.take(MARK.len() as u64).read_to_end(&mut beginning)?;
    Ok(Some(beginning == MARK.as_bytes()))
}

/// The path of a file of the report, from 1: FILE.html, FILE-2.html, FILE-3.html.
fn path_of(output: &Path, number: usize) -> PathBuf {
    if number == 1 {
        return output.to_owned();
    }
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let extension = output.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    output.with_file_name(format!("{stem}-{number}{}", extension.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    fn part(bytes: usize) -> Part {
        Part { row: html! {}, section: "x".repeat(bytes) }
    }

    #[test]
    fn actors_are_split_by_size_in_order() {
        let files = pack(vec![part(6), part(5), part(4), part(30), part(1)], "", 10);
        let sizes: Vec<Vec<usize>> = files.iter().map(|file| file.sections.iter().map(String::len).collect()).collect();
        assert_eq!(sizes, [vec![6], vec![5, 4], vec![30], vec![1]]);
        assert_eq!(files[1].part, (2, 4));
    }

    #[test]
    fn further_files_are_numbered() {
        assert_eq!(path_of(Path::new("d/sets.html"), 2), Path::new("d/sets-2.html"));
        assert_eq!(path_of(Path::new("sets"), 3), Path::new("sets-3"));
    }

    #[test]
    fn only_reports_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.html");
        std::fs::write(&path, "my notes").unwrap();
        let problem = write(&path, &[MARK.to_owned()]).unwrap_err().to_string();
        assert!(problem.contains("is no report"), "{problem}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");
        std::fs::write(&path, format!("{MARK} old")).unwrap();
        write(&path, &[format!("{MARK} new")]).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("new"));
    }
}
