//! How `send`, `status` and their like find the stack that `local --watch` runs.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use anyhow::{Context, bail};
use balancer::config::QueueUrls;
use local_stack::LocalStack;
use serde::{Deserialize, Serialize};

use super::session::KEY_PREFIX;

const NONE_RUNNING: &str = "start `balancer local --watch`, or name one in AWS with --stack";

/// The embedded stack of this machine that people may talk to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningStack {
    pub endpoint: String,
    pub account: String,
    pub bucket: String,
    pub table: String,
    pub evaluation_queue_url: String,
    pub deletion_queue_url: String,
    pub generation_queue_url: String,
    pub evaluation_dlq_url: String,
    pub deletion_dlq_url: String,
    pub generation_dlq_url: String,
    pub key_prefix: String,
    /// The folder that the stack keeps, if it keeps one.
    pub data: Option<PathBuf>,
}

impl RunningStack {
    /// The stack, with the folder that its functions keep a copy of the images in, where they do.
    pub fn of(stack: &LocalStack, data: Option<PathBuf>) -> Self {
        let outputs = stack.outputs();
        Self {
            endpoint: stack.endpoint().to_owned(),
            account: stack.stack().account().id().to_owned(),
            bucket: outputs.bucket.clone(),
            table: outputs.table.clone(),
            evaluation_queue_url: outputs.evaluation_queue_url.clone(),
            deletion_queue_url: outputs.deletion_queue_url.clone(),
            generation_queue_url: outputs.generation_queue_url.clone(),
            evaluation_dlq_url: outputs.evaluation_dlq_url.clone(),
            deletion_dlq_url: outputs.deletion_dlq_url.clone(),
            generation_dlq_url: outputs.generation_dlq_url.clone(),
            key_prefix: KEY_PREFIX.to_owned(),
            data,
        }
    }

    /// Makes the stack known; it is forgotten when the result is dropped.
    pub fn announce(&self) -> anyhow::Result<Announced> {
        let path = path()?;
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} can't be written", path.display()))?;
        Ok(Announced { path, endpoint: self.endpoint.clone() })
    }

    /// The stack that runs on this machine.
    pub fn find() -> anyhow::Result<Self> {
        let path = path()?;
        let Ok(text) = fs::read(&path) else { bail!("no stack is running here; {NONE_RUNNING}") };
        let stack: Self =
            serde_json::from_slice(&text).with_context(|| format!("{} is damaged; remove it", path.display()))?;
        if stack.answers() {
            return Ok(stack);
        }
        // It was killed and could not take its name back.
        drop(fs::remove_file(&path));
        bail!("the stack that ran here does not answer any more; {NONE_RUNNING}")
    }

    fn answers(&self) -> bool {
        self.endpoint.strip_prefix("http://").is_some_and(|address| TcpStream::connect(address).is_ok())
    }

    /// Where its messages go that were given up.
    pub fn dead_letter_urls(&self) -> QueueUrls {
        QueueUrls {
            evaluation: self.evaluation_dlq_url.clone(),
            deletion: self.deletion_dlq_url.clone(),
            generation: self.generation_dlq_url.clone(),
        }
    }

    /// Its queues.
    pub fn queue_urls(&self) -> QueueUrls {
        QueueUrls {
            evaluation: self.evaluation_queue_url.clone(),
            deletion: self.deletion_queue_url.clone(),
            generation: self.generation_queue_url.clone(),
        }
    }
}

/// A stack that has been made known.
pub struct Announced {
    path: PathBuf,
    endpoint: String,
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Another stack may have been made known since; its name stays.
        let named = fs::read(&self.path).ok().and_then(|text| serde_json::from_slice::<RunningStack>(&text).ok());
        if named.is_some_and(|stack| stack.endpoint == self.endpoint) {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn path() -> anyhow::Result<PathBuf> {
    Ok(local_stack::cache_dir()?.join("running-stack.json"))
}
