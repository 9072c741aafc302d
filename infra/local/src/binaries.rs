//! The executables of the functions.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{fs, io};

use memchr::memmem;
use serde_json::Value;
use tokio::process::Command;

use crate::Error;

/// The template's logical ids of the functions, in the order of [`Binaries::each`].
pub(crate) const LOGICAL_IDS: [&str; 3] = ["EvaluationFunction", "DeletionFunction", "GenerationFunction"];

/// The executables of the three functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    pub evaluation: PathBuf,
    pub deletion: PathBuf,
    pub generation: PathBuf,
}

impl Binaries {
    /// `evaluation`, `deletion` and `generation` in one directory, such as `target/release`.
    #[must_use]
    pub fn in_dir(directory: &Path) -> Self {
        Self {
            evaluation: directory.join("evaluation"),
            deletion: directory.join("deletion"),
            generation: directory.join("generation"),
        }
    }

    /// The executables of this build beside the running program; `None` if they are missing or belong to another build.
    pub fn beside_program(build: &str) -> Result<Option<Self>, Error> {
        let found = Self::in_dir(&program_directory()?);
        Ok(found.are_of(build)?.then_some(found))
    }

    /// The names of the executables beside the running program that are missing or belong to another build.
    pub fn unusable_beside_program(build: &str) -> Result<Vec<&'static str>, Error> {
        let found = Self::in_dir(&program_directory()?);
        let executables =
            [("evaluation", &found.evaluation), ("deletion", &found.deletion), ("generation", &found.generation)];
        let mut unusable = Vec::new();
        for (name, executable) in executables {
            if !is_of(executable, build)? {
                unusable.push(name);
            }
        }
        Ok(unusable)
    }

    /// Whether this machine has the sources of this program, from which the executables can be compiled.
    #[must_use]
    pub fn have_sources() -> bool {
        sources().join("Cargo.lock").is_file()
    }

    /// Compiles the executables from the sources of this program. The first time takes minutes. Fails if the sources
    /// are missing or have changed since this program was built.
    pub async fn compile(build: &str) -> Result<Self, Error> {
        let directory = program_directory()?;
        let sources = sources();
        if !Self::have_sources() {
            return Err(Error::FunctionsMissing { directory });
        }
        let compiled = cargo_build(&sources, target_directory(&directory)).await?;
        if compiled.are_of(build)? { Ok(compiled) } else { Err(Error::SourcesChanged { sources }) }
    }

    /// The executables of this build, compiled if necessary.
    pub async fn locate(build: &str) -> Result<Self, Error> {
        match Self::beside_program(build)? {
            Some(found) => Ok(found),
            None => Self::compile(build).await,
        }
    }

    /// Whether all executables exist and belong to this build: each contains the name of its build.
    fn are_of(&self, build: &str) -> Result<bool, Error> {
        for (_, executable) in self.each() {
            if !is_of(executable, build)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each executable with its function's logical id.
    pub(crate) fn each(&self) -> [(&'static str, &Path); 3] {
        let [evaluation, deletion, generation] = LOGICAL_IDS;
        [(evaluation, &self.evaluation), (deletion, &self.deletion), (generation, &self.generation)]
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn is_of(executable: &Path, build: &str) -> Result<bool, Error> {
    match fs::read(executable) {
        Ok(bytes) => Ok(memmem::find(&bytes, build.as_bytes()).is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("cannot read", executable)(error)),
    }
}

/// The directory of the running program, or its parent for a test: tests are one directory below the other programs.
fn program_directory() -> Result<PathBuf, Error> {
    let program = std::env::current_exe().map_err(Error::io("cannot find", Path::new("this program")))?;
    let directory = program.parent().unwrap_or(Path::new("."));
    let directory = if directory.ends_with("deps") { directory.parent().unwrap_or(directory) } else { directory };
    Ok(directory.to_owned())
}

/// The cargo target directory that contains a directory such as `target/release`, if there is one. A build in it reuses
/// the compiled dependencies.
fn target_directory(directory: &Path) -> Option<&Path> {
    directory.parent().filter(|parent| parent.join(".rustc_info.json").is_file())
}

async fn cargo_build(sources: &Path, target: Option<&Path>) -> Result<Binaries, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(&cargo);
    build.current_dir(sources).args(["build", "--release", "--locked", "--quiet"]);
    // Selecting the whole workspace unites the features of all dependencies. All other builds use the same features (a
    // test compares them), so cargo compiles no dependency twice.
    build.args(["--workspace", "--bin", "evaluation", "--bin", "deletion", "--bin", "generation"]);
    // Cargo reports the paths of the executables on standard output, and errors on standard error.
    build.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    if let Some(target) = target {
        build.arg("--target-dir").arg(target);
    }
    let built = build.kill_on_drop(true).output().await.map_err(|error| not_started(&cargo, error))?;
    if !built.status.success() {
        return Err(Error::BuildFailed);
    }
    let artifacts = artifacts(&String::from_utf8_lossy(&built.stdout));
    let named = |name: &str| artifacts.get(name).cloned().ok_or(Error::BuildFailed);
    Ok(Binaries { evaluation: named("evaluation")?, deletion: named("deletion")?, generation: named("generation")? })
}

/// The executables in cargo's messages, which are one line of JSON for each artifact.
fn artifacts(messages: &str) -> BTreeMap<String, PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = |message: Value| {
        let path = message["executable"].as_str()?;
        Some((message["target"]["name"].as_str()?.to_owned(), PathBuf::from(path)))
    };
    messages.filter_map(executable).collect()
}

fn not_started(cargo: &OsStr, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::CargoMissing { cargo: cargo.to_string_lossy().into_owned() };
    }
    Error::io("cannot start", Path::new(cargo))(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILD: &str = "build-of-a-test:0123";

    fn functions(contents: [&str; 3]) -> (tempfile::TempDir, Binaries) {
        let directory = tempfile::tempdir().unwrap();
        let binaries = Binaries::in_dir(directory.path());
        for ((_, path), content) in binaries.each().into_iter().zip(contents) {
            fs::write(path, format!("\u{0}ELF{content}\u{0}")).unwrap();
        }
        (directory, binaries)
    }

    #[test]
    fn functions_are_used_only_if_all_are_of_this_build() {
        let (_directory, same) = functions([BUILD; 3]);
        assert!(same.are_of(BUILD).unwrap());
        for stale in 0..3 {
            let mut contents = [BUILD; 3];
            contents[stale] = "build-of-a-test:4567";
            let (_directory, binaries) = functions(contents);
            assert!(!binaries.are_of(BUILD).unwrap(), "{stale} is stale");
        }
        fs::remove_file(&same.deletion).unwrap();
        assert!(!same.are_of(BUILD).unwrap(), "one is missing");
    }

    #[test]
    fn cargo_output_names_the_executables() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"name":"balancer"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"deletion"},"executable":"/t/release/deletion"}
{"reason":"build-finished","success":true}
"#;
        let expected = [("deletion".to_owned(), PathBuf::from("/t/release/deletion"))];
        assert_eq!(artifacts(messages), expected.into());
    }
}
