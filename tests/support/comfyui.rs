//! A stand-in for ComfyUI. It validates prompts as ComfyUI does, and counts the executed ones.

mod state;
mod validation;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::kind::Kind;
use serde_json::Value;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, ResponseTemplate};

use crate::server::Server;
use state::{Answer, Endpoint, State};

/// A workflow of this repository that the stand-in has every node and file for.
pub const WORKFLOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/comfyui/flux-kontext-dev.json");

/// The node types of the stand-in, as ComfyUI describes them.
#[must_use]
pub fn object_info() -> Value {
    serde_json::from_str(include_str!("comfyui/object_info.json")).unwrap()
}

/// The result of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The image is ready at the first poll, as a PNG.
    Succeeds,
    /// The image is ready after this time.
    SucceedsAfter(Duration),
    /// The prompt waits in the queue behind those of the user.
    StaysQueued,
    /// A node raises an exception of this type, with this message.
    Fails(&'static str, &'static str),
    /// The user cancels it.
    Cancelled,
    /// It succeeds, but no node saves an image.
    SavesNothing,
    /// The prompt is queued, and a proxy answers with an error.
    ResponseLost,
    /// Nothing is queued, and the response has this status and body.
    Responds(u16, String),
    /// The image has these bytes.
    Output(Vec<u8>),
    /// The user deletes the image before the first fetch.
    OutputDeleted,
}

/// A prompt that ComfyUI has accepted.
#[derive(Debug, Clone)]
pub struct Prompt {
    pub id: String,
    /// The text of the library's prompt in it.
    pub text: String,
    pub seed: u64,
    /// The width and the height of the image.
    pub size: (u64, u64),
    /// The width and the height of each uploaded reference image.
    pub references: Vec<(u32, u32)>,
    pub outcome: Outcome,
    kind: Kind,
    workflow: Value,
    extra_data: Value,
    since: Instant,
    /// Whether ComfyUI has been restarted since, or its history has been cleared.
    is_forgotten: bool,
}

/// A resource of the stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    ObjectInfo,
    Upload,
    History,
    Queue,
    View,
}

type Script = dyn Fn(usize) -> Outcome + Send + Sync;
type Painter = dyn Fn(Kind, usize) -> Vec<u8> + Send + Sync;

/// The stand-in. The server ends when it is dropped.
pub struct ComfyUi {
    server: Server,
    state: Arc<State>,
}

impl ComfyUi {
    /// A stand-in whose prompts succeed, with images from `paint`.
    pub async fn start(paint: Arc<Painter>) -> Self {
        let server = Server::start().await;
        let state = Arc::new(State {
            script: Mutex::new(Box::new(|_| Outcome::Succeeds)),
            paint,
            info: Mutex::new(object_info()),
            prompts: Mutex::default(),
            requests: Mutex::default(),
            uploads: Mutex::default(),
            overrides: Mutex::default(),
        });
        for (verb, path, resource, answer) in [
            ("GET", "^/object_info$", Some(Resource::ObjectInfo), State::object_info as Answer),
            ("POST", "^/upload/image$", Some(Resource::Upload), State::upload),
            ("POST", "^/prompt$", None, State::queue_prompt),
            ("GET", "^/history/[^/]+$", Some(Resource::History), State::history),
            ("GET", "^/queue$", Some(Resource::Queue), State::queue),
            ("GET", "^/view$", Some(Resource::View), State::view),
        ] {
            let endpoint = Endpoint { state: Arc::clone(&state), resource, answer };
            Mock::given(method(verb)).and(path_regex(path)).respond_with(endpoint).mount(&server).await;
        }
        Self { server, state }
    }

    /// Its base URL.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.uri()
    }

    /// Determines the outcomes of the valid requests for prompts by their index.
    pub fn script(&self, script: impl Fn(usize) -> Outcome + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Box::new(script);
    }

    /// Replaces the response to the next request for this resource. Overrides apply in their order.
    pub fn override_next(&self, resource: Resource, answer: ResponseTemplate) {
        self.state.overrides.lock().unwrap().push_back((resource, answer));
    }

    /// Whether every override has been used.
    #[must_use]
    pub fn has_used_overrides(&self) -> bool {
        self.state.overrides.lock().unwrap().is_empty()
    }

    /// Changes the installed node types and files.
    pub fn change_info(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.state.info.lock().unwrap());
    }

    /// Forgets the queue and the history.
    pub fn restart(&self) {
        self.state.prompts.lock().unwrap().iter_mut().for_each(|prompt| prompt.is_forgotten = true);
    }

    /// Every accepted prompt.
    #[must_use]
    pub fn prompts(&self) -> Vec<Prompt> {
        self.state.prompts.lock().unwrap().clone()
    }

    /// The number of prompts that give an image.
    #[must_use]
    pub fn executed(&self) -> usize {
        let has_image = |outcome: &Outcome| {
            !matches!(outcome, Outcome::StaysQueued | Outcome::Fails(..) | Outcome::Cancelled | Outcome::SavesNothing)
        };
        self.prompts().iter().filter(|prompt| has_image(&prompt.outcome)).count()
    }

    /// The names of the uploaded files.
    #[must_use]
    pub fn uploads(&self) -> Vec<String> {
        self.state.uploads.lock().unwrap().keys().cloned().collect()
    }
}
