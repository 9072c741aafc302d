//! Runs whose images a stand-in for the user's own `ComfyUI` generates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use balancer_tests::comfyui::{self, ComfyUi};
use domain::kind::Kind;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::pictures::drawn;

/// The stand-in, and a folder for workflows.
pub(crate) struct Gpu {
    pub(crate) comfyui: ComfyUi,
    dir: TempDir,
    _runtime: Runtime,
}

impl Gpu {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let paint = |kind: Kind, index: usize| drawn(kind)[index % drawn(kind).len()].clone();
        let comfyui = runtime.block_on(ComfyUi::start(Arc::new(paint)));
        Self { comfyui, dir: TempDir::new().unwrap(), _runtime: runtime }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn arguments() -> [&'static str; 2] {
        ["--generator", "comfyui"]
    }

    /// The environment with this workflow.
    pub(crate) fn environment(&self, workflow: &Path) -> [(&'static str, String); 2] {
        [("COMFYUI_URL", self.comfyui.address()), ("COMFYUI_WORKFLOW", workflow.display().to_string())]
    }

    /// A file with this text.
    pub(crate) fn file(&self, text: &str) -> PathBuf {
        let path = self.dir.path().join("workflow.json");
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// The example workflow after this change.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut workflow = serde_json::from_str(&std::fs::read_to_string(comfyui::WORKFLOW).unwrap()).unwrap();
    change(&mut workflow);
    workflow.to_string()
}
