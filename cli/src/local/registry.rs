//! The registry of the stacks that run on this machine, by which commands find them.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use aws::stack::StackRef;
use domain::actor::ActorId;
use local_stack::{Credentials, LocalStack, create_private_dir};
use serde::{Deserialize, Serialize};

use super::data_folder;
use crate::outcome::remark;
use crate::stack_parameters::StackParameters;

const NONE_RUNNING: &str = "no stack is running here; start `balancer local --data DIR --watch` and repeat the command, or name a stack in AWS with --stack (with --data DIR, commands such as `images`, `pin` and `restore` work on the folder of a finished run)";

/// A stack that runs on this machine, and the way to reach it.
#[derive(Clone, Serialize, Deserialize)]
pub struct RunningStack {
    #[serde(flatten)]
    pub stack: StackRef,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// The parameters of its template, without secrets.
    #[serde(default)]
    pub parameters: StackParameters,
    /// The folder of its actors, if there is one.
    pub data: Option<PathBuf>,
    /// Whether its functions keep the folder identical to the bucket.
    pub keeps_data: bool,
}

impl RunningStack {
    pub fn of(stack: &LocalStack, data: Option<PathBuf>, keeps_data: bool) -> Self {
        let credentials = stack.stack().credentials();
        Self {
            stack: stack.outputs().stack.clone(),
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            parameters: StackParameters(stack.outputs().parameters.clone()),
            data,
            keeps_data,
        }
    }

    /// Registers the stack until the result is dropped or this process ends in any way: the file stays locked until
    /// then. Only its owner may read the file, because it contains the access key.
    pub fn register(&self) -> anyhow::Result<Registration> {
        let directory = directory()?;
        let failed = || format!("{} can't be written", directory.display());
        create_private_dir(&directory).with_context(failed)?;
        // Fails if the directory belongs to another user.
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).with_context(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(&directory).with_context(failed)?;
        file.as_file().lock().with_context(failed)?;
        file.write_all(&serde_json::to_vec_pretty(self)?).with_context(failed)?;
        let address = self.endpoint().trim_start_matches("http://").replace(':', "-");
        let path = directory.join(format!("{address}.json"));
        let lock = file.persist(&path).with_context(failed)?;
        Ok(Registration { path, _lock: lock })
    }

    /// The intended stack: the one of this folder, else the only one, else the one whose folder contains these actors.
    pub fn find(data: Option<&Path>, actors: &[ActorId]) -> anyhow::Result<Self> {
        let mut running = Self::all()?;
        if running.is_empty() {
            bail!(NONE_RUNNING);
        }
        let addresses: Vec<String> = running.iter().map(Self::in_words).collect();
        let list = addresses.join("\n  ");
        if let Some(data) = data {
            running.retain(|stack| stack.is_of(data));
            if running.is_empty() {
                bail!("no stack is running for {}; running are:\n  {list}", data.display());
            }
        } else if running.len() > 1 && !actors.is_empty() {
            running.retain(|stack| stack.has(actors));
        }
        // A stack without a folder of its own loses its records when it ends.
        let is_narrowed = data.is_some() || !actors.is_empty();
        if is_narrowed && running.iter().any(|stack| stack.keeps_data) {
            running.retain(|stack| stack.keeps_data);
        }
        match running.pop() {
            Some(stack) if running.is_empty() => Ok(stack),
            _ => bail!("more than one stack is running; choose one with --data DIR:\n  {list}"),
        }
    }

    /// The stack that keeps this folder identical to its bucket, if there is one.
    pub fn on(data: &Path) -> anyhow::Result<Option<Self>> {
        Ok(Self::all()?.into_iter().find(|stack| stack.is_of(data) && stack.keeps_data))
    }

    /// Every running stack; removes the files of killed stacks.
    pub(super) fn all() -> anyhow::Result<Vec<Self>> {
        let Ok(entries) = fs::read_dir(directory()?) else { return Ok(Vec::new()) };
        let mut running = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Ok(file) = File::open(&path) else { continue };
            match file.try_lock_shared() {
                Ok(()) => drop(fs::remove_file(&path)),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => match serde_json::from_reader(file) {
                    Ok(stack) => running.push(stack),
                    Err(problem) => remark(format!(
                        "ignored {}: another version of balancer runs this stack ({problem}); use that version for it",
                        path.display()
                    )),
                },
            }
        }
        running.sort_by(|one: &Self, other| (&one.data, one.endpoint()).cmp(&(&other.data, other.endpoint())));
        Ok(running)
    }

    fn is_of(&self, data: &Path) -> bool {
        let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
        self.data.as_deref() == Some(&data)
    }

    fn has(&self, actors: &[ActorId]) -> bool {
        self.data.as_deref().is_some_and(|data| data_folder::actors(data, actors).is_ok())
    }

    fn in_words(&self) -> String {
        match &self.data {
            Some(data) => format!("{} ({})", data.display(), self.endpoint()),
            None => format!("a stack without a folder ({})", self.endpoint()),
        }
    }

    /// The address of the emulator.
    pub fn endpoint(&self) -> &str {
        self.stack.endpoint.as_deref().unwrap_or_default()
    }

    pub fn credentials(&self) -> Credentials {
        Credentials::new(self.access_key_id.clone(), self.secret_access_key.clone())
    }

    /// The folder that the functions keep identical to the bucket.
    pub fn kept_data(&self) -> Option<PathBuf> {
        self.data.clone().filter(|_| self.keeps_data)
    }
}

/// The entries of the registry, by their state.
#[derive(Debug, Default)]
pub struct Registry {
    /// The folders and addresses of running stacks.
    pub running: Vec<String>,
    /// The number of entries that killed stacks have left.
    pub stale: usize,
    /// Running stacks of other versions.
    pub foreign: Vec<PathBuf>,
}

impl Registry {
    /// Reads the entries, and changes none.
    pub fn read() -> anyhow::Result<Self> {
        let mut found = Self::default();
        let Ok(entries) = fs::read_dir(directory()?) else { return Ok(found) };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_entry = path.extension().is_some_and(|extension| extension == "json");
            let Some(file) = is_entry.then(|| File::open(&path).ok()).flatten() else { continue };
            match file.try_lock_shared() {
                Ok(()) => found.stale += 1,
                Err(_) => match serde_json::from_reader::<_, RunningStack>(file) {
                    Ok(stack) => found.running.push(stack.in_words()),
                    Err(_) => found.foreign.push(path),
                },
            }
        }
        Ok(found)
    }
}

/// The entry of a running stack; removed when it is dropped.
pub struct Registration {
    path: PathBuf,
    /// Held while the stack runs.
    _lock: File,
}

impl Drop for Registration {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

/// The folder of the files by which commands find stacks.
pub(super) fn directory() -> anyhow::Result<PathBuf> {
    Ok(local_stack::cache_dir()?.join("running"))
}
