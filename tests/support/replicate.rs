//! A stand-in for Replicate. It checks requests as strictly as Replicate, and counts the images that Replicate would
//! charge.

mod models;
mod request;
mod state;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::kind::Kind;
use handlers::Clock;
use jiff::Timestamp;
use serde_json::{Map, Value};
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, ResponseTemplate};

use crate::prompt_kinds::kind_of;
use crate::server::Server;
pub use models::version_of;
use state::{Answer, Endpoint, State};

/// The token that the stand-in accepts.
pub const TOKEN: &str = "r8_only_for_tests";

/// The result of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The image is ready at the first poll.
    Succeeds,
    /// The image is ready after this time.
    SucceedsAfter(Duration),
    /// The prediction fails, without a charge.
    Fails,
    /// The prediction fails with this message, without a charge.
    FailsWith(&'static str),
    /// The prediction is stopped while it runs, which is charged.
    Canceled,
    /// The prediction is stopped before it runs, without a charge.
    Aborted,
    /// The prediction keeps this status.
    StaysIn(&'static str),
    /// The prediction is created, but polls don't find it.
    Forgotten,
    /// A prediction of another client, whose entry has as many nulls as Replicate allows.
    Malformed,
    /// The content is flagged as sensitive, without a charge.
    ContentRejected,
    /// No prediction is created; the response has this status and body.
    Responds(u16, Value),
    /// The prediction is created, and the response arrives after this time.
    RespondsAfter(Duration),
    /// The prediction is created, but the response is a gateway's error.
    ResponseLost,
    /// No prediction is created, and the response never arrives.
    NeverAnswered,
    /// The prediction succeeds, and its output has these bytes.
    Output(Vec<u8>),
    /// The prediction succeeds, and its output lies at this address.
    OutputAt(String),
    /// The prediction succeeds, and its output is removed before the first fetch.
    OutputRemoved,
}

/// A created prediction.
#[derive(Debug, Clone)]
pub struct CreatedPrediction {
    pub id: String,
    /// `owner/name`.
    pub model: String,
    /// Whether the request named a version.
    pub has_version: bool,
    /// The prompt without the mark at its end.
    pub prompt: String,
    /// What was sent, with the image shortened.
    pub input: Map<String, Value>,
    pub outcome: Outcome,
    at: Timestamp,
    since: Instant,
}

/// A resource of the stand-in that clients read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Account,
    Model,
    List,
    Prediction,
    Output,
}

impl CreatedPrediction {
    /// The seed, if the model has one.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        self.input.get("seed")?.as_u64()
    }

    /// The names of the inputs that were sent.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        self.input.keys().map(String::as_str).collect()
    }

    /// Whether it was charged.
    #[must_use]
    pub fn is_charged(&self) -> bool {
        !matches!(
            self.outcome,
            Outcome::Fails | Outcome::FailsWith(_) | Outcome::ContentRejected | Outcome::Aborted | Outcome::Malformed
        )
    }
}

/// Determines the outcome of a creation by its index and its prompt.
type Script = dyn Fn(usize, &str) -> Outcome + Send + Sync;

/// Draws an image of this kind; each index gives another image.
pub type Painter = dyn Fn(Kind, usize) -> Vec<u8> + Send + Sync;

/// The stand-in. The server ends when it is dropped.
pub struct Replicate {
    server: Server,
    state: Arc<State>,
}

impl Replicate {
    /// A stand-in whose creations have the outcomes of `script`, and whose outputs come from `paint`.
    pub async fn start(
        clock: Clock,
        script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static,
        paint: impl Fn(Kind, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::painted_by(clock, script, Arc::new(paint)).await
    }

    /// [`Self::start`] with a painter that other stand-ins share.
    pub async fn painted_by(
        clock: Clock,
        script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static,
        paint: Arc<Painter>,
    ) -> Self {
        let server = Server::start().await;
        let state = Arc::new(State {
            predictions: Mutex::default(),
            creations: Mutex::default(),
            lookups: Mutex::default(),
            overrides: Mutex::default(),
            public: Mutex::new(server.uri()),
            script: Box::new(script),
            paint,
            clock,
        });
        for (verb, path, resource, answer) in [
            ("POST", "^/v1/models/[^/]+/[^/]+/predictions$", None, State::create_by_name as Answer),
            ("POST", "^/v1/predictions$", None, State::create_by_version),
            ("GET", "^/v1/account$", Some(Resource::Account), State::show_account),
            ("GET", "^/v1/models/[^/]+/[^/]+$", Some(Resource::Model), State::show_model),
            ("GET", "^/v1/models/[^/]+/[^/]+/versions/[^/]+$", Some(Resource::Model), State::show_version),
            ("GET", "^/v1/predictions$", Some(Resource::List), State::list),
            ("GET", "^/v1/predictions/[^/]+$", Some(Resource::Prediction), State::show),
            ("GET", "^/output/[^/]+$", Some(Resource::Output), State::output),
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

    /// Sets the address of outputs and pages, if clients reach the stand-in through a proxy.
    pub fn set_public_address(&self, address: &str) {
        *self.state.public.lock().unwrap() = address.to_owned();
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

    /// Adds predictions of other clients, with malformed entries in the list.
    pub fn add_foreign_predictions(&self, count: usize) {
        let mut predictions = self.state.predictions.lock().unwrap();
        let at = self.state.clock.now();
        predictions.extend((0..count).map(|index| CreatedPrediction {
            id: format!("other{index}"),
            model: String::new(),
            has_version: false,
            prompt: String::new(),
            input: Map::new(),
            outcome: Outcome::Malformed,
            at,
            since: Instant::now(),
        }));
    }

    /// Every created prediction.
    #[must_use]
    pub fn predictions(&self) -> Vec<CreatedPrediction> {
        self.state.predictions.lock().unwrap().clone()
    }

    /// The number of charged images.
    #[must_use]
    pub fn charged(&self) -> usize {
        self.predictions().iter().filter(|prediction| prediction.is_charged()).count()
    }

    /// The charged images.
    #[must_use]
    pub fn outputs(&self) -> Vec<Vec<u8>> {
        let charged = self.predictions().into_iter().enumerate().filter(|(_, prediction)| prediction.is_charged());
        charged.map(|(index, prediction)| (self.state.paint)(kind_of(&prediction.prompt), index)).collect()
    }

    /// The number of answered look-ups of models.
    #[must_use]
    pub fn lookups(&self) -> usize {
        *self.state.lookups.lock().unwrap()
    }

    /// The number of creation requests, including rejected ones.
    #[must_use]
    pub fn creations(&self) -> usize {
        *self.state.creations.lock().unwrap()
    }
}
