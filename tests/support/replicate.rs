//! A stand-in for Replicate: it checks requests as strictly as Replicate would, and counts what it would charge.

mod request;
mod state;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::kind::Kind;
use handlers::Clock;
use jiff::Timestamp;
use serde_json::Value;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, ResponseTemplate};

use crate::server::Server;
use request::kind_of;
use state::{Answer, Endpoint, State};

/// The token that it accepts.
pub const TOKEN: &str = "r8_only_for_tests";

/// The model that it has.
pub const MODEL: &str = "black-forest-labs/flux-kontext-pro";

/// What becomes of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is ready at the first look.
    Succeeds,
    /// It is ready after this time.
    SucceedsAfter(Duration),
    /// It fails, without a charge.
    Fails,
    /// It fails with this message, without a charge.
    FailsWith(&'static str),
    /// It is stopped as it runs, which is charged.
    IsCanceled,
    /// It is given up before it begins to run, without a charge.
    IsAborted,
    /// It has this status for ever.
    Stays(&'static str),
    /// It is begun, and then nobody knows of it.
    IsForgotten,
    /// It is somebody else's, and told of in the oddest way that Replicate may.
    IsOdd,
    /// It is flagged as sensitive, without a charge.
    IsImproper,
    /// The creation is answered with this status and body instead.
    Answers(u16, Value),
    /// It is begun, but the creation is answered with a gateway's error.
    AnswerIsLost,
    /// The creation is never answered, nor begun.
    Hangs,
    /// It succeeds, and its output is this instead of a picture.
    Gives(Vec<u8>),
    /// It succeeds, and its output lies at this address.
    LiesAt(String),
    /// It succeeds, and its output is gone before anybody fetches it.
    IsRemoved,
}

/// A prediction that has been begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Its name.
    pub id: String,
    /// What was asked for.
    pub prompt: String,
    /// The seed it was asked for with.
    pub seed: u64,
    /// What becomes of it.
    pub fate: Outcome,
    at: Timestamp,
    since: Instant,
}

/// What can be asked of the stand-in beside a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The list of predictions.
    List,
    /// One prediction.
    Look,
    /// What it made.
    Output,
}

impl Begun {
    /// Whether it was charged.
    #[must_use]
    pub fn is_charged(&self) -> bool {
        !matches!(
            self.fate,
            Outcome::Fails | Outcome::FailsWith(_) | Outcome::IsImproper | Outcome::IsAborted | Outcome::IsOdd
        )
    }
}

/// What decides the fate of each creation: its index and its prompt.
type Script = dyn Fn(usize, &str) -> Outcome + Send + Sync;

/// What draws: the kind asked for, and an index that makes each picture another.
type Painter = dyn Fn(Kind, usize) -> Vec<u8> + Send + Sync;

/// The stand-in.
pub struct Replicate {
    server: Server,
    state: Arc<State>,
}

impl Replicate {
    /// A stand-in that treats creations as `script` says, and draws as `paint` does.
    pub async fn start(
        clock: Clock,
        script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static,
        paint: impl Fn(Kind, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start().await;
        let state = Arc::new(State {
            begun: Mutex::default(),
            creations: Mutex::default(),
            troubles: Mutex::default(),
            public: Mutex::new(server.uri()),
            script: Box::new(script),
            paint: Box::new(paint),
            clock,
        });
        for (verb, path, place, answer) in [
            ("POST", format!("^/v1/models/{MODEL}/predictions$"), None, State::create as Answer),
            ("GET", "^/v1/predictions$".to_owned(), Some(Place::List), State::list),
            ("GET", "^/v1/predictions/[^/]+$".to_owned(), Some(Place::Look), State::show),
            ("GET", "^/output/[^/]+$".to_owned(), Some(Place::Output), State::output),
        ] {
            let endpoint = Endpoint { state: Arc::clone(&state), place, answer };
            Mock::given(method(verb)).and(path_regex(path)).respond_with(endpoint).mount(&server).await;
        }
        Self { server, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.uri()
    }

    /// Lets outputs lie at this address, behind which the stand-in is.
    pub fn known_as(&self, address: &str) {
        *self.state.public.lock().unwrap() = address.to_owned();
    }

    /// Lets the next request there be answered like this instead.
    pub fn answer_next(&self, place: Place, answer: ResponseTemplate) {
        self.state.troubles.lock().unwrap().push_back((place, answer));
    }

    /// Whether all of that has happened.
    #[must_use]
    pub fn has_answered_so(&self) -> bool {
        self.state.troubles.lock().unwrap().is_empty()
    }

    /// Lets others begin so many predictions meanwhile, with the oddest of entries in the list.
    pub fn let_others_begin(&self, count: usize) {
        let mut begun = self.state.begun.lock().unwrap();
        let at = self.state.clock.now();
        begun.extend((0..count).map(|index| Begun {
            id: format!("other{index}"),
            prompt: String::new(),
            seed: 0,
            fate: Outcome::IsOdd,
            at,
            since: Instant::now(),
        }));
    }

    /// Everything that was begun.
    #[must_use]
    pub fn begun(&self) -> Vec<Begun> {
        self.state.begun.lock().unwrap().clone()
    }

    /// Images that were charged.
    #[must_use]
    pub fn charged(&self) -> usize {
        self.begun().iter().filter(|begun| begun.is_charged()).count()
    }

    /// The pictures that were charged.
    #[must_use]
    pub fn outputs(&self) -> Vec<Vec<u8>> {
        let charged = self.begun().into_iter().enumerate().filter(|(_, begun)| begun.is_charged());
        charged.map(|(index, begun)| (self.state.paint)(kind_of(&begun.prompt), index)).collect()
    }

    /// Requests to create something, whatever became of them.
    #[must_use]
    pub fn creations(&self) -> usize {
        *self.state.creations.lock().unwrap()
    }
}
