//! The executables that the functions run.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::Error;

/// The template's logical ids of the functions, in the order of [`Binaries::each`].
pub(crate) const LOGICAL_IDS: [&str; 3] = ["EvaluationFunction", "DeletionFunction", "GenerationFunction"];

/// The executables that the three functions run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// Judges and plans.
    pub evaluation: PathBuf,
    /// Moves images to the trash.
    pub deletion: PathBuf,
    /// Draws images.
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

    /// The executables, built anew where the sources that this was compiled from are at hand, else those that lie
    /// beside the running program.
    ///
    /// # Errors
    /// When they can't be built. Whether they are there is seen when the stack is created.
    pub async fn locate() -> Result<Self, Error> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        if sources.join("Cargo.lock").is_file() {
            return Self::build(&sources).await;
        }
        let program = std::env::current_exe().map_err(Error::io("cannot find", Path::new("this program")))?;
        Ok(Self::in_dir(program.parent().unwrap_or(Path::new("."))))
    }

    async fn build(sources: &Path) -> Result<Self, Error> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(&cargo);
        build.current_dir(sources).args(["build", "--release", "--locked", "--quiet"]);
        // The whole workspace is selected so that its crates' features are united as in any other build of it, and
        // nothing is compiled twice.
        build.args(["--workspace", "--bin", "evaluation", "--bin", "deletion", "--bin", "generation"]);
        let built = build.kill_on_drop(true).status().await.map_err(|error| not_started(&cargo, error))?;
        if !built.success() {
            return Err(Error::BuildFailed);
        }
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        Ok(Self::in_dir(&sources.join(target).join("release")))
    }

    /// Each executable with its function's logical id.
    pub(crate) fn each(&self) -> [(&'static str, &Path); 3] {
        let [evaluation, deletion, generation] = LOGICAL_IDS;
        [(evaluation, &self.evaluation), (deletion, &self.deletion), (generation, &self.generation)]
    }
}

fn not_started(cargo: &OsStr, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::CargoMissing { cargo: cargo.to_string_lossy().into_owned() };
    }
    Error::io("cannot start", Path::new(cargo))(error)
}
