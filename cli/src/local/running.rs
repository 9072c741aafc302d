//! How `send` and `status` find the stack that `local --watch` runs.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use balancer::config::QueueUrls;
use serde::{Deserialize, Serialize};

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
}

impl RunningStack {
    /// Makes the stack known; it is forgotten when the result is dropped.
    pub fn announce(&self) -> anyhow::Result<Announced> {
        let path = path()?;
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} can't be written", path.display()))?;
        Ok(Announced(path))
    }

    /// The stack that runs on this machine.
    pub fn find() -> anyhow::Result<Self> {
        let path = path()?;
        let text = fs::read(&path)
            .context("no stack is running here; start `balancer local --watch`, or name one in AWS with --stack")?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged; remove it", path.display()))
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
pub struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        // A file that is left behind names a port where nobody answers, and `send` says so.
        drop(fs::remove_file(&self.0));
    }
}

fn path() -> anyhow::Result<PathBuf> {
    Ok(local_stack::cache_dir()?.join("running-stack.json"))
}
