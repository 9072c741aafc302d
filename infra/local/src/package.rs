//! Lambda archives of the functions, and the template that refers to them.

use std::fs::{self, Permissions};
use std::io::{self, Cursor, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Error;
use crate::binaries::LOGICAL_IDS;

/// Keeps an executable in `directory`, so that the stack's functions stay the same if a build replaces the file.
/// Returns its path there. A hard link suffices where the file system allows one: a build creates a new file instead of
/// overwriting the old one.
pub(crate) fn keep(executable: &Path, directory: &Path) -> Result<PathBuf, Error> {
    if !executable.is_file() {
        return Err(Error::BinaryMissing { path: executable.to_owned() });
    }
    // A hard link to a symbolic link would be that link.
    let file = executable.canonicalize().map_err(Error::io("cannot find", executable))?;
    let kept = directory.join(version_name(&file).map_err(Error::io("cannot read", executable))?);
    let is_executable = fs::metadata(&file).is_ok_and(|file| file.permissions().mode() & 0o111 != 0);
    let is_kept = kept.exists() || is_executable && fs::hard_link(&file, &kept).is_ok();
    if !is_kept {
        // Another file system, another owner, no permission to execute, or another stack that keeps the file just now.
        copy(&file, directory, &kept).map_err(Error::io("cannot copy", executable))?;
    }
    Ok(kept)
}

/// A file name for this version of an executable.
fn version_name(executable: &Path) -> io::Result<String> {
    let metadata = fs::metadata(executable)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = executable.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{name}-{}-{}", metadata.len(), modified.as_nanos()))
}

/// Copies an executable, completely or not at all.
fn copy(executable: &Path, directory: &Path, kept: &Path) -> io::Result<()> {
    let temporary = tempfile::NamedTempFile::new_in(directory)?;
    fs::copy(executable, temporary.path())?;
    fs::set_permissions(temporary.path(), Permissions::from_mode(0o755))?;
    temporary.persist(kept).map(drop).map_err(|error| error.error)
}

/// An archive whose `bootstrap` runs this executable. It doesn't contain the executable itself: the emulator would
/// receive, hash and unpack about 100 MB for each stack, which takes longer than everything else at its start.
pub(crate) fn archive(executable: &Path) -> Result<Vec<u8>, Error> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let pack = writer.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755)).and_then(|()| {
        writer.write_all(&bootstrap_script(executable))?;
        writer.finish()
    });
    let archive = pack.map_err(|source| Error::Package { path: executable.to_owned(), source })?;
    Ok(archive.into_inner())
}

/// A shell script that runs the executable in its place.
fn bootstrap_script(executable: &Path) -> Vec<u8> {
    let mut script = b"#!/bin/sh\nexec '".to_vec();
    for &byte in executable.as_os_str().as_bytes() {
        match byte {
            b'\'' => script.extend(br"'\''"),
            plain => script.push(plain),
        }
    }
    script.extend(b"'\n");
    script
}

/// The key of a function's archive in the code bucket.
pub(crate) fn archive_key(function: &str) -> String {
    format!("{function}.zip")
}

/// The template with the address of each function's archive in `bucket` as its `CodeUri`, as `sam package` writes it.
/// All other lines are unchanged.
///
/// This works by lines: a line indented by two spaces names a resource, and the `CodeUri:` lines after it belong to
/// that resource. It needs no YAML parser that supports CloudFormation's tags.
pub(crate) fn point_at_archives(template: &str, bucket: &str) -> Result<String, Error> {
    let mut resource = "";
    let mut found = 0;
    let mut lines = Vec::new();
    for line in template.lines() {
        resource = resource_name(line).unwrap_or(resource);
        if LOGICAL_IDS.contains(&resource) && line.trim_start().starts_with("CodeUri:") {
            let indent = &line[..line.len() - line.trim_start().len()];
            lines.push(format!("{indent}CodeUri: s3://{bucket}/{}", archive_key(resource)));
            found += 1;
        } else {
            lines.push(line.to_owned());
        }
    }
    if found == LOGICAL_IDS.len() { Ok(lines.join("\n")) } else { Err(Error::TemplateCode { found }) }
}

fn resource_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.strip_suffix(':')?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");

    #[test]
    fn only_the_functions_code_changes_in_the_template() {
        let pointed = point_at_archives(TEMPLATE, "code").unwrap();
        let changed: Vec<_> = TEMPLATE.lines().zip(pointed.lines()).filter(|(old, new)| old != new).collect();
        assert_eq!(
            changed,
            [
                ("      CodeUri: .", "      CodeUri: s3://code/EvaluationFunction.zip"),
                ("      CodeUri: .", "      CodeUri: s3://code/DeletionFunction.zip"),
                ("      CodeUri: .", "      CodeUri: s3://code/GenerationFunction.zip"),
            ]
        );
    }

    #[test]
    fn a_template_without_the_functions_is_rejected() {
        let refused = point_at_archives("Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n", "code");
        assert!(matches!(refused, Err(Error::TemplateCode { found: 0 })));
    }

    #[test]
    fn a_missing_executable_names_the_build_command() {
        let message = keep(Path::new("/nowhere/evaluation"), Path::new("/")).unwrap_err().to_string();
        assert!(message.contains("/nowhere/evaluation") && message.contains("cargo build"), "{message}");
    }

    #[test]
    fn kept_executable_survives_its_replacement() {
        let directory = tempfile::tempdir().unwrap();
        let (built, functions) = (directory.path().join("evaluation"), directory.path().join("functions"));
        fs::create_dir(&functions).unwrap();
        fs::write(&built, "old").unwrap();
        fs::set_permissions(&built, Permissions::from_mode(0o755)).unwrap();
        let link = directory.path().join("link");
        symlink("evaluation", &link).unwrap();
        let kept = keep(&link, &functions).unwrap();
        assert_eq!(keep(&built, &functions).unwrap(), kept, "it is kept once");
        fs::remove_file(&built).unwrap();
        fs::write(&built, "newer").unwrap();
        assert_eq!(fs::read(&kept).unwrap(), b"old");
        assert_eq!(fs::read(keep(&built, &functions).unwrap()).unwrap(), b"newer");
    }

    #[test]
    fn file_without_permission_to_execute_is_copied() {
        let directory = tempfile::tempdir().unwrap();
        let (source, functions) = (directory.path().join("evaluation"), directory.path().join("functions"));
        fs::create_dir(&functions).unwrap();
        fs::write(&source, "from an archive").unwrap();
        let kept = keep(&source, &functions).unwrap();
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read(&source).unwrap(), fs::read(&kept).unwrap());
    }

    #[test]
    fn bootstrap_script_runs_any_name() {
        let directory = tempfile::tempdir().unwrap();
        let (executable, script) = (directory.path().join("it's a \"$HOME\" \\ name"), directory.path().join("script"));
        symlink("/bin/echo", &executable).unwrap();
        fs::write(&script, bootstrap_script(&executable)).unwrap();
        let output = Command::new("/bin/sh").arg(&script).output().unwrap();
        assert!(output.status.success() && output.stdout == b"\n", "{output:?}");
    }
}
