//! Folders of one test for a run with a local stack, and a limit on concurrent stacks.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::{Condvar, LazyLock, Mutex};

use assert_cmd::Command;
use aws::stack::{Services, StackRef};
use local_stack::{Credentials, sdk_config};
use serde_json::Value;
use tempfile::TempDir;

use super::run::balancer;

/// The number of concurrent stacks. More would only slow each other down.
const MAX_STACKS: usize = 4;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// The emulator's environment, made once for all tests.
static ENVIRONMENT: LazyLock<PathBuf> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let interpreter = runtime.block_on(local_stack::prepare_environment()).unwrap();
    interpreter.ancestors().nth(2).unwrap().to_owned()
});

/// A data folder, a cache and a directory for temporary files for one test, which may run a stack.
pub(crate) struct Place {
    root: TempDir,
    _permit: Permit,
}

impl Place {
    /// Waits until another stack may run.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["data", "cache", "tmp"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        symlink(&*ENVIRONMENT, root.path().join("cache").join(ENVIRONMENT.file_name().unwrap())).unwrap();
        Self { root, _permit: Permit::acquire() }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// The directory of the stack's temporary files.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// The cache directory, which persists between runs.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    /// The services of the only stack that runs here.
    pub(crate) fn services(&self) -> Services {
        let [registered] = self.registered().try_into().unwrap();
        let registered = std::fs::read(registered).unwrap();
        let (stack, keys): (StackRef, Value) =
            (serde_json::from_slice(&registered).unwrap(), serde_json::from_slice(&registered).unwrap());
        let [id, secret] = ["access_key_id", "secret_access_key"].map(|name| keys[name].as_str().unwrap().to_owned());
        stack.services(&sdk_config(stack.endpoint.as_deref().unwrap(), &Credentials::new(id, secret)))
    }

    /// The Python that runs the emulator. It has boto3.
    pub(crate) fn python(&self) -> PathBuf {
        ENVIRONMENT.join("bin/python")
    }

    /// The files by which commands find the running stacks of this place.
    pub(crate) fn registered(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.cache().join("running")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|json| json == "json")).collect()
    }

    /// The command, with the cache and temporary directory of this place.
    pub(crate) fn balancer(&self) -> Command {
        let mut command = balancer();
        command.env("BALANCER_CACHE_DIR", self.cache()).env("TMPDIR", self.tmp());
        command
    }

    /// `balancer local` on the data folder.
    pub(crate) fn local(&self) -> Command {
        let mut command = self.balancer();
        command.args(["local", "--data"]).arg(self.data()).args(super::actors::SIX);
        command
    }

    /// The same, to be run in the background.
    pub(crate) fn local_in_background(&self) -> Process {
        self.local_in_background_on(&self.data())
    }

    /// The same on another data folder.
    pub(crate) fn local_in_background_on(&self, data: &Path) -> Process {
        // If the tests run under `nohup`, the command would inherit that SIGHUP is ignored.
        let mut command = Process::new("env");
        command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_balancer")]);
        command.env("BALANCER_CACHE_DIR", self.cache()).env("TMPDIR", self.tmp()).env_remove("RUST_LOG");
        command.args(["local", "--data"]).arg(data).args(super::actors::SIX);
        command
    }

    /// The processes that were started here and still run.
    pub(crate) fn processes(&self) -> Vec<String> {
        processes_naming(&self.tmp())
    }
}

/// The command lines that name a path; zombies have none.
fn processes_naming(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(path)).collect()
}

struct Permit;

impl Permit {
    fn acquire() -> Self {
        let mut running = ENDED.wait_while(RUNNING.lock().unwrap(), |running| *running >= MAX_STACKS).unwrap();
        *running += 1;
        Self
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap() -= 1;
        ENDED.notify_one();
    }
}
