//! Programs that read exports, in a Python environment of their own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use imaging::sha256;
use serde_json::Value;

const REQUIREMENTS: &str = include_str!("../readers/requirements.txt");

/// The interpreter with what the readers need, made once for all tests, or why there is none.
static PYTHON: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let cache = local_stack::cache_dir().map_err(|error| error.to_string())?;
    let home = cache.join(format!("readers-{}", &sha256(REQUIREMENTS.as_bytes())[..12]));
    let python = home.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    fs::create_dir_all(&cache).map_err(|error| error.to_string())?;
    let partial = tempfile::Builder::new().prefix("readers-partial-").tempdir_in(&cache).unwrap();
    let (new, list) = (partial.path().join("environment"), partial.path().join("requirements.txt"));
    fs::write(&list, REQUIREMENTS).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let base = runtime.block_on(local_stack::prepare_environment()).map_err(|error| error.to_string())?;
    succeed(Command::new(base).args(["-I", "-m", "venv"]).arg(&new))?;
    let pip = ["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r"];
    succeed(Command::new(new.join("bin/python")).args(pip).arg(&list))?;
    match fs::rename(&new, &home) {
        Err(error) if !python.exists() => Err(error.to_string()),
        _ => Ok(python),
    }
});

fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// What the reader of this format reads at a path. `None` if its Python packages can't be installed here; in CI that is a
/// failure.
pub(crate) fn read(format: &str, path: &Path) -> Option<Value> {
    let python = match &*PYTHON {
        Ok(python) => python,
        Err(problem) if env::var_os("CI").is_none() => {
            eprintln!("skipped: the readers' Python packages can't be installed: {problem}");
            return None;
        }
        Err(problem) => panic!("{problem}"),
    };
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/readers/read_export.py");
    let output = Command::new(python)
        .arg("-I")
        .arg(script)
        .arg(format)
        .arg(path)
        .env("HF_HOME", home.path())
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_DATASETS_OFFLINE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
