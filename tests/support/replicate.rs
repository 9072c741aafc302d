//! A stand-in for Replicate: it checks requests as strictly as Replicate would, and counts what it would charge.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use balancer::domain::kind::Kind;
use balancer::domain::prompts;
use balancer::imaging::decode;
use balancer::stages::Clock;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The token that it accepts.
pub const TOKEN: &str = "r8_only_for_tests";

/// The model that it has.
pub const MODEL: &str = "black-forest-labs/flux-kontext-pro";

/// What becomes of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is ready at the first look.
    Succeeds,
    /// It is ready after this time.
    SucceedsAfter(Duration),
    /// It fails, without a charge.
    Fails,
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
    pub fate: Fate,
    at: jiff::Timestamp,
    since: Instant,
}

impl Begun {
    /// Whether it was charged.
    #[must_use]
    pub fn is_charged(&self) -> bool {
        !matches!(self.fate, Fate::Fails | Fate::IsImproper)
    }
}

/// What decides the fate of each creation: its index and its prompt.
type Script = dyn Fn(usize, &str) -> Fate + Send + Sync;

/// What draws: the kind asked for, and an index that makes each picture another.
type Painter = dyn Fn(Kind, usize) -> Vec<u8> + Send + Sync;

/// The stand-in.
pub struct Replicate {
    server: MockServer,
    state: Arc<State>,
}

struct State {
    begun: Mutex<Vec<Begun>>,
    creations: Mutex<usize>,
    public: Mutex<String>,
    script: Box<Script>,
    paint: Box<Painter>,
    clock: Clock,
}

impl Replicate {
    /// A stand-in that treats creations as `script` says, and draws as `paint` does.
    pub async fn start(
        clock: Clock,
        script: impl Fn(usize, &str) -> Fate + Send + Sync + 'static,
        paint: impl Fn(Kind, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(State {
            begun: Mutex::default(),
            creations: Mutex::default(),
            public: Mutex::new(server.uri()),
            script: Box::new(script),
            paint: Box::new(paint),
            clock,
        });
        for (verb, path, answer) in [
            ("POST", format!("^/v1/models/{MODEL}/predictions$"), State::create as Answer),
            ("GET", "^/v1/predictions$".to_owned(), State::list),
            ("GET", "^/v1/predictions/[^/]+$".to_owned(), State::show),
            ("GET", "^/output/[^/]+$".to_owned(), State::output),
        ] {
            let endpoint = Endpoint { state: Arc::clone(&state), answer };
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

type Answer = fn(&State, &Request) -> ResponseTemplate;

struct Endpoint {
    state: Arc<State>,
    answer: Answer,
}

impl Respond for Endpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let is_output = request.url.path().starts_with("/output/");
        let token = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        match token {
            None if is_output => (self.answer)(&self.state, request),
            Some(token) if !is_output && token == format!("Bearer {TOKEN}") => (self.answer)(&self.state, request),
            _ => refusal(401, "You did not pass a valid authentication token"),
        }
    }
}

fn refusal(status: u16, detail: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "detail": detail, "status": status }))
}

impl State {
    fn create(&self, request: &Request) -> ResponseTemplate {
        let (prompt, seed) = match checked(&request.body) {
            Ok(asked) => asked,
            Err(problem) => return refusal(422, &problem),
        };
        let index = {
            let mut creations = self.creations.lock().unwrap();
            *creations += 1;
            *creations - 1
        };
        let fate = (self.script)(index, &prompt);
        match fate {
            Fate::Answers(status, body) => return ResponseTemplate::new(status).set_body_json(body),
            Fate::Hangs => return ResponseTemplate::new(201).set_delay(Duration::from_secs(3600)),
            _ => {}
        }
        let is_lost = fate == Fate::AnswerIsLost;
        let mut begun = self.begun.lock().unwrap();
        let id = format!("prediction{}", begun.len());
        begun.push(Begun { id, prompt, seed, fate, at: self.clock.now(), since: Instant::now() });
        if is_lost {
            refusal(502, "Bad gateway")
        } else {
            ResponseTemplate::new(201).set_body_json(self.describe(begun.last().unwrap(), false))
        }
    }

    fn list(&self, request: &Request) -> ResponseTemplate {
        const PAGE: usize = 100;
        let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor");
        let skipped: usize = cursor.map_or(0, |(_, value)| value.parse().unwrap());
        let begun = self.begun.lock().unwrap();
        let results: Vec<Value> =
            begun.iter().rev().skip(skipped).take(PAGE).map(|begun| self.describe(begun, false)).collect();
        let has_more = begun.len() > skipped + PAGE;
        let next =
            has_more.then(|| format!("{}/v1/predictions?cursor={}", self.public.lock().unwrap(), skipped + PAGE));
        ResponseTemplate::new(200).set_body_json(json!({ "previous": null, "next": next, "results": results }))
    }

    fn show(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap();
        let begun = self.begun.lock().unwrap();
        match begun.iter().find(|begun| begun.id == id) {
            Some(found) => ResponseTemplate::new(200).set_body_json(self.describe(found, true)),
            None => refusal(404, "Prediction not found"),
        }
    }

    fn output(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap().trim_end_matches(".jpg");
        let begun = self.begun.lock().unwrap();
        let Some(index) = begun.iter().position(|begun| begun.id == id) else { return refusal(404, "Not found") };
        match &begun[index].fate {
            Fate::IsRemoved => refusal(404, "Not found"),
            Fate::Gives(bytes) => ResponseTemplate::new(200).set_body_raw(bytes.clone(), "image/jpeg"),
            _ => {
                let kind = kind_of(&begun[index].prompt);
                ResponseTemplate::new(200).set_body_raw((self.paint)(kind, index), "image/jpeg")
            }
        }
    }

    fn describe(&self, begun: &Begun, is_look: bool) -> Value {
        let output = format!("{}/output/{}.jpg", self.public.lock().unwrap(), begun.id);
        let (status, output, error) = match &begun.fate {
            _ if !is_look => ("starting", Value::Null, Value::Null),
            Fate::Fails => ("failed", Value::Null, json!("CUDA out of memory")),
            Fate::IsImproper => ("failed", Value::Null, json!("The input or output was flagged as sensitive. (E005)")),
            Fate::SucceedsAfter(time) if begun.since.elapsed() < *time => ("processing", Value::Null, Value::Null),
            Fate::LiesAt(address) => ("succeeded", json!(address), Value::Null),
            _ => ("succeeded", json!(output), Value::Null),
        };
        json!({
            "id": begun.id,
            "model": MODEL,
            "status": status,
            "input": { "prompt": begun.prompt, "seed": begun.seed, "aspect_ratio": "16:9" },
            "output": output,
            "error": error,
            "created_at": begun.at.to_string(),
            "data_removed": false,
        })
    }
}

/// The prompt and the seed of a request that Replicate would accept.
fn checked(body: &[u8]) -> Result<(String, u64), String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let fields = |value: &Value| -> Vec<String> {
        value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    };
    let input = &body["input"];
    let known =
        ["aspect_ratio", "input_image", "output_format", "prompt", "prompt_upsampling", "safety_tolerance", "seed"];
    if fields(&body) != ["input"] || fields(input).iter().any(|field| !known.contains(&field.as_str())) {
        return Err(format!("unexpected fields: {:?}", fields(input)));
    }
    let image = input["input_image"].as_str().and_then(|url| url.strip_prefix("data:image/jpeg;base64,"));
    let image = image.and_then(|text| STANDARD.decode(text).ok()).ok_or("input_image is no data URL of a JPEG")?;
    decode(&image).map_err(|error| format!("input_image: {error}"))?;
    if input["aspect_ratio"] != "16:9" || input["output_format"] != "jpg" {
        return Err("aspect_ratio or output_format is wrong".to_owned());
    }
    if input["safety_tolerance"].as_u64().is_none_or(|tolerance| tolerance > 2) {
        return Err("safety_tolerance must be at most 2 with an input image".to_owned());
    }
    let seed = input["seed"].as_u64().filter(|&seed| seed < 1 << 31).ok_or("seed is no 31-bit number")?;
    let prompt = input["prompt"].as_str().filter(|prompt| !prompt.is_empty()).ok_or("prompt is empty")?;
    Ok((prompt.to_owned(), seed))
}

/// The kind that a prompt of the library asks for.
fn kind_of(prompt: &str) -> Kind {
    let begins_so = |candidate: &&prompts::Prompt| {
        let (before, _) = candidate.text.split_once(prompts::PLACEHOLDER).unwrap();
        let after = candidate.text.rsplit(prompts::PLACEHOLDER).next().unwrap();
        prompt.starts_with(before) && prompt.ends_with(after)
    };
    prompts::all().find(begins_so).unwrap().kind
}
