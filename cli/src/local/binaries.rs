//! The three functions' executables.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use local_stack::Binaries;
use tokio::process::Command;

const FUNCTIONS: [&str; 3] = ["evaluation", "deletion", "generation"];

/// The executables, built anew where the sources are at hand, else those beside this program.
///
/// # Errors
/// If they can be neither built nor found.
pub async fn locate() -> anyhow::Result<Binaries> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if sources.join("Cargo.toml").is_file() {
        return build(&sources).await;
    }
    let beside = std::env::current_exe().context("this program's own place can't be told")?;
    let dir = beside.parent().unwrap_or(Path::new("."));
    match FUNCTIONS.iter().find(|function| !dir.join(function).is_file()) {
        None => Ok(Binaries::in_dir(dir)),
        Some(missing) => bail!("the {missing} function is not beside this program in {}", dir.display()),
    }
}

async fn build(sources: &Path) -> anyhow::Result<Binaries> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(sources).args(["build", "--release", "--locked", "--quiet"]);
    // The whole workspace is selected so that its crates' features are united as in any other build of it, and
    // nothing is compiled twice.
    build.arg("--workspace");
    for function in FUNCTIONS {
        build.args(["--bin", function]);
    }
    let built = build.kill_on_drop(true).status().await.context("cargo can't be started; is Rust installed?")?;
    if !built.success() {
        bail!("the functions can't be built; cargo says why above");
    }
    Ok(Binaries::in_dir(&target_dir(sources).join("release")))
}

fn target_dir(sources: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => sources.join(dir),
        None => sources.join("target"),
    }
}
