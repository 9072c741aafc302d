//! The emulator's private Python environment, which is installed once and shared by all runs.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::process::Command;
use tracing::info;

use crate::private_file::create_private_dir;
use crate::{Error, python};

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Fails if the interpreter of the environment was upgraded or the packages were removed.
const CHECK: &str = "
import importlib.util, sys
sys.exit(not all(map(importlib.util.find_spec, ('ministack', 'samtranslator'))))
";

/// Installs the emulator's Python environment if it is missing, and returns its interpreter.
///
/// The environment is in [`cache_dir`], under a name that contains a hash of the pinned requirements. Concurrent
/// processes wait for the first one. An interrupted installation leaves no environment under the final name. Progress
/// goes to `tracing` at level INFO.
pub async fn prepare_environment() -> Result<PathBuf, Error> {
    prepare_in(&cache_dir()?).await
}

/// The directory for data that later runs use again: `$BALANCER_CACHE_DIR`, else
/// `$XDG_CACHE_HOME/training-data-balancer`, else `~/.cache/training-data-balancer`.
pub fn cache_dir() -> Result<PathBuf, Error> {
    let directory = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    directory("BALANCER_CACHE_DIR")
        .or_else(|| directory("XDG_CACHE_HOME").map(|cache| cache.join("training-data-balancer")))
        .or_else(|| directory("HOME").map(|home| home.join(".cache/training-data-balancer")))
        .ok_or(Error::NoCacheDirectory)
}

/// The emulator's environment, as far as it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// This interpreter has the emulator's packages.
    Ready(PathBuf),
    /// No run has installed it yet, or the pinned packages have changed since.
    Missing,
    /// Its interpreter was upgraded, or its packages were removed. The next run installs it again.
    Broken(PathBuf),
}

/// Looks for the emulator's environment, and changes nothing.
pub async fn installed() -> Result<Installed, Error> {
    let home = cache_dir()?.join(environment_name());
    Ok(match home.exists() {
        false => Installed::Missing,
        true if is_usable(&home).await => Installed::Ready(interpreter(&home)),
        true => Installed::Broken(home),
    })
}

async fn prepare_in(cache: &Path) -> Result<PathBuf, Error> {
    let name = environment_name();
    let home = cache.join(&name);
    if is_usable(&home).await {
        return Ok(interpreter(&home));
    }
    create_private_dir(cache).map_err(Error::io("cannot create", cache))?;
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(Error::io("cannot create", &lock_path))?;
    wait_for(&lock).await.map_err(Error::io("cannot lock", &lock_path))?;
    // Another process may have installed the environment while it held the lock.
    if !is_usable(&home).await {
        install(cache, &name).await?;
        remove_leftovers(cache, &name);
    }
    Ok(interpreter(&home))
}

/// Polls the lock, so that the caller can cancel the wait.
async fn wait_for(lock: &File) -> io::Result<()> {
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn environment_name() -> String {
    format!("emulator-{}", requirements_hash())
}

fn requirements_hash() -> String {
    let digest = Sha256::digest(REQUIREMENTS);
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn interpreter(home: &Path) -> PathBuf {
    home.join("bin/python")
}

async fn is_usable(home: &Path) -> bool {
    let check = Command::new(interpreter(home)).args(["-I", "-c", CHECK]).kill_on_drop(true).output().await;
    check.is_ok_and(|output| output.status.success())
}

/// Removes the directories of interrupted installations. The caller must hold the lock. The installer of a killed
/// process may still write to its directory; the next installation then removes the rest.
fn remove_leftovers(cache: &Path, name: &str) {
    let prefix = format!("{name}.partial-");
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Installs into a temporary directory and renames it, so that the final name always refers to a complete environment.
/// Its scripts still contain the old path, so callers may use only the interpreter.
async fn install(cache: &Path, name: &str) -> Result<(), Error> {
    let python = python::find()?.executable;
    info!("setting up the local emulator (first run only, needs PyPI)");
    let partial = tempfile::Builder::new()
        .prefix(&format!("{name}.partial-"))
        .tempdir_in(cache)
        .map_err(Error::io("cannot create a directory in", cache))?;
    let home = partial.path().join("environment");
    let requirements = partial.path().join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(Error::io("cannot write", &requirements))?;
    run(Command::new(&python).args(["-I", "-m", "venv"]).arg(&home)).await?;
    run(Command::new(interpreter(&home))
        .args(["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--require-hashes", "--only-binary", ":all:", "--no-deps", "--retries", "2"])
        .arg("--requirement")
        .arg(&requirements))
    .await?;
    let finished = cache.join(name);
    if finished.exists() {
        // It was complete, but its Python has changed since.
        fs::remove_dir_all(&finished).map_err(Error::io("cannot remove", &finished))?;
    }
    fs::rename(&home, &finished).map_err(Error::io("cannot move the environment to", &finished))?;
    info!("the local emulator is set up");
    Ok(())
}

/// Runs a command, and kills it if the returned future is dropped.
async fn run(command: &mut Command) -> Result<(), Error> {
    let program = PathBuf::from(command.as_std().get_program());
    let output = command.kill_on_drop(true).output().await.map_err(Error::io("cannot run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::Install { output: last_lines(&String::from_utf8_lossy(&text), 8) })
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_pinned_by_version_and_hash() {
        let requirements = REQUIREMENTS.lines().filter(|line| !line.starts_with(['#', ' ']));
        for requirement in requirements {
            assert!(requirement.contains("==") && requirement.ends_with('\\'), "{requirement}");
        }
        assert!(REQUIREMENTS.contains("ministack==1.5.33 \\\n    --hash=sha256:"));
    }

    #[test]
    fn only_an_interrupted_installation_is_removed() {
        let cache = tempfile::tempdir().unwrap();
        for name in ["emulator-a.partial-1", "emulator-b.partial-1", "emulator-b"] {
            fs::create_dir(cache.path().join(name)).unwrap();
        }
        remove_leftovers(cache.path(), "emulator-a");
        assert!(!cache.path().join("emulator-a.partial-1").exists());
        assert!(cache.path().join("emulator-b").exists());
        assert!(cache.path().join("emulator-b.partial-1").exists());
    }

    #[tokio::test]
    async fn empty_directory_is_not_a_usable_environment() {
        assert!(!is_usable(tempfile::tempdir().unwrap().path()).await);
    }
}
