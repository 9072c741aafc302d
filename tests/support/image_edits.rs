//! A stand-in for OpenAI's image edits. It checks requests as strictly as OpenAI, and counts the images that OpenAI would
//! charge.

mod request;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::kind::Kind;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, Request, Respond, ResponseTemplate};

pub use request::Edit;

use crate::openai::Models;
use crate::prompt_kinds::kind_of;
use crate::server::Server;

/// The key that the stand-in accepts.
pub const KEY: &str = "sk-images-only-for-tests";

/// The model that the stand-in offers.
pub const MODEL: &str = "gpt-image-2";

/// The result of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Succeeds,
    /// The image arrives after this time.
    SucceedsAfter(Duration),
    /// The image is generated and charged, and a gateway answers with an error.
    ResponseLost,
    /// The image is generated and charged, but the response never arrives.
    NeverAnswered,
    /// No image is generated; the response has this status and body.
    Responds(u16, Value),
    /// The request is charged, and the response has this body, which is text or JSON.
    Body(Value),
    /// The image has these bytes.
    Output(Vec<u8>),
}

type Script = dyn Fn(usize, &Edit) -> Outcome + Send + Sync;
type Painter = dyn Fn(Kind, usize) -> Vec<u8> + Send + Sync;

/// The stand-in. The server ends when it is dropped.
pub struct ImageEdits {
    server: Server,
    state: Arc<State>,
}

struct State {
    script: Mutex<Box<Script>>,
    paint: Arc<Painter>,
    /// The accepted requests, with their outcomes.
    edits: Mutex<Vec<(Edit, Outcome)>>,
    /// The requests that the service has rejected as invalid.
    violations: Mutex<Vec<String>>,
}

impl ImageEdits {
    /// A stand-in whose requests succeed, with images from `paint`.
    pub async fn start(paint: Arc<Painter>) -> Self {
        let server = Server::start().await;
        let state = Arc::new(State {
            script: Mutex::new(Box::new(|_, _| Outcome::Succeeds)),
            paint,
            edits: Mutex::default(),
            violations: Mutex::default(),
        });
        let endpoint = Endpoint(Arc::clone(&state));
        Mock::given(method("POST")).and(path("/v1/images/edits")).respond_with(endpoint).mount(&server).await;
        let models = Models::new(KEY, MODEL);
        Mock::given(method("GET")).and(path("/v1/models")).respond_with(models).mount(&server).await;
        Self { server, state }
    }

    /// Its base URL, without `/v1`.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.uri()
    }

    /// Determines the outcomes of the next requests by their index and content.
    pub fn script(&self, script: impl Fn(usize, &Edit) -> Outcome + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Box::new(script);
    }

    /// The accepted requests.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        self.state.edits.lock().unwrap().iter().map(|(edit, _)| edit.clone()).collect()
    }

    /// The number of charged images.
    #[must_use]
    pub fn charged(&self) -> usize {
        let edits = self.state.edits.lock().unwrap();
        edits.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Responds(..))).count()
    }

    /// What OpenAI would have rejected in the requests.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.state.violations.lock().unwrap().clone()
    }
}

struct Endpoint(Arc<State>);

impl Respond for Endpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let state = &self.0;
        let authorization = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        if authorization != Some(&format!("Bearer {KEY}")) {
            return problem(401, "invalid_api_key", "Incorrect API key provided.");
        }
        let edit = match Edit::read(request) {
            Ok(edit) => edit,
            Err(violation) => {
                state.violations.lock().unwrap().push(violation.clone());
                return problem(400, "invalid_value", &violation);
            }
        };
        let index = state.edits.lock().unwrap().len();
        let outcome = (state.script.lock().unwrap())(index, &edit);
        let image = || (state.paint)(kind_of(&edit.prompt), index);
        let answer = match &outcome {
            Outcome::Succeeds => answered(&image()),
            Outcome::SucceedsAfter(time) => answered(&image()).set_delay(*time),
            Outcome::ResponseLost => ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>"),
            Outcome::NeverAnswered => answered(&image()).set_delay(Duration::from_secs(3600)),
            Outcome::Responds(status, body) => ResponseTemplate::new(*status).set_body_json(body),
            Outcome::Body(Value::String(text)) => ResponseTemplate::new(200).set_body_string(text.clone()),
            Outcome::Body(body) => ResponseTemplate::new(200).set_body_json(body),
            Outcome::Output(bytes) => answered(bytes),
        };
        state.edits.lock().unwrap().push((edit, outcome));
        answer
    }
}

fn answered(image: &[u8]) -> ResponseTemplate {
    let body = json!({ "created": 1, "data": [{ "b64_json": STANDARD.encode(image) }], "usage": {} });
    ResponseTemplate::new(200).set_body_json(body)
}

/// A response without success, in OpenAI's format.
fn problem(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(failure(code, message))
}

/// An error body in OpenAI's format.
#[must_use]
pub fn failure(code: &str, message: &str) -> Value {
    json!({ "error": { "message": message, "type": "image_generation_error", "param": null, "code": code } })
}
