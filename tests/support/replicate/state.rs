//! The responses of the stand-in, by endpoint.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use handlers::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

use super::models::{self, Model, version_of};
use super::request::validate;
use super::{CreatedPrediction, Outcome, Painter, Resource, Script, TOKEN};
use crate::prompt_kinds::kind_of;

/// How long Replicate keeps inputs and outputs.
const RETENTION: SignedDuration = SignedDuration::from_hours(1);

/// The number of predictions on a page of the list.
const PAGE_SIZE: usize = 100;

/// The state that the endpoints share.
pub(super) struct State {
    pub(super) predictions: Mutex<Vec<CreatedPrediction>>,
    pub(super) creations: Mutex<usize>,
    pub(super) lookups: Mutex<usize>,
    pub(super) overrides: Mutex<VecDeque<(Resource, ResponseTemplate)>>,
    pub(super) public: Mutex<String>,
    pub(super) script: Box<Script>,
    pub(super) paint: Arc<Painter>,
    pub(super) clock: Clock,
}

pub(super) type Answer = fn(&State, &Request) -> ResponseTemplate;

/// An endpoint of the stand-in.
pub(super) struct Endpoint {
    pub(super) state: Arc<State>,
    pub(super) resource: Option<Resource>,
    pub(super) answer: Answer,
}

impl Respond for Endpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        if let Some(answer) = self.resource.and_then(|resource| self.state.next_override(resource)) {
            return answer;
        }
        let is_output = self.resource == Some(Resource::Output);
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

/// The model that an address names.
fn model_at(request: &Request) -> Option<&'static Model> {
    let path = request.url.path().strip_prefix("/v1/models/")?;
    let mut segments = path.split('/');
    models::named(&format!("{}/{}", segments.next()?, segments.next()?))
}

impl State {
    fn next_override(&self, resource: Resource) -> Option<ResponseTemplate> {
        let mut overrides = self.overrides.lock().unwrap();
        let (_, answer) = overrides.pop_front_if(|(at, _)| *at == resource)?;
        Some(answer)
    }

    /// A creation by the name of a model, which only official models accept.
    pub(super) fn create_by_name(&self, request: &Request) -> ResponseTemplate {
        match model_at(request).filter(|model| model.is_official) {
            Some(model) => self.create(request, Some(model)),
            None => refusal(404, "The requested resource could not be found."),
        }
    }

    pub(super) fn create_by_version(&self, request: &Request) -> ResponseTemplate {
        self.create(request, None)
    }

    /// The account behind the token, as Replicate describes it.
    #[expect(clippy::unused_self, reason = "every endpoint has the same signature")]
    pub(super) fn show_account(&self, _: &Request) -> ResponseTemplate {
        let account = json!({ "type": "organization", "username": "testers", "name": "Testers", "github_url": "" });
        ResponseTemplate::new(200).set_body_json(account)
    }

    pub(super) fn show_model(&self, request: &Request) -> ResponseTemplate {
        self.look_up(model_at(request).map(Model::describe))
    }

    pub(super) fn show_version(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap();
        let model = model_at(request).filter(|model| version_of(&model.name) == id);
        self.look_up(model.map(Model::describe_version))
    }

    fn look_up(&self, found: Option<Value>) -> ResponseTemplate {
        *self.lookups.lock().unwrap() += 1;
        match found {
            Some(found) => ResponseTemplate::new(200).set_body_json(found),
            None => refusal(404, "The requested resource could not be found."),
        }
    }

    fn create(&self, request: &Request, official: Option<&'static Model>) -> ResponseTemplate {
        let (model, input) = match validate(&request.body, official) {
            Ok(valid) => valid,
            Err(problem) => return refusal(problem.status, &problem.detail),
        };
        let prompt = input["prompt"].as_str().unwrap().trim_end().to_owned();
        let index = {
            let mut creations = self.creations.lock().unwrap();
            *creations += 1;
            *creations - 1
        };
        let outcome = (self.script)(index, &prompt);
        match outcome {
            Outcome::Responds(status, body) => return ResponseTemplate::new(status).set_body_json(body),
            Outcome::NeverAnswered => return ResponseTemplate::new(201).set_delay(Duration::from_secs(3600)),
            _ => {}
        }
        let is_lost = outcome == Outcome::ResponseLost;
        let delay = if let Outcome::RespondsAfter(time) = outcome { time } else { Duration::ZERO };
        let mut predictions = self.predictions.lock().unwrap();
        let id = format!("prediction{}", predictions.len());
        predictions.push(CreatedPrediction {
            id,
            model: model.name.clone(),
            has_version: official.is_none(),
            prompt,
            input,
            outcome,
            at: self.clock.now(),
            since: Instant::now(),
        });
        if is_lost {
            refusal(502, "Bad gateway")
        } else {
            let response = ResponseTemplate::new(201).set_delay(delay);
            response.set_body_json(self.describe(predictions.last().unwrap(), false))
        }
    }

    pub(super) fn list(&self, request: &Request) -> ResponseTemplate {
        let parameter = |name: &str| request.url.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value);
        let skipped: usize = parameter("cursor").map_or(0, |value| value.parse().unwrap());
        let after: Timestamp = parameter("created_after").map_or(Timestamp::MIN, |value| value.parse().unwrap());
        let predictions = self.predictions.lock().unwrap();
        let listed: Vec<&CreatedPrediction> =
            predictions.iter().rev().filter(|prediction| prediction.at >= after).skip(skipped).collect();
        let results: Vec<Value> =
            listed.iter().take(PAGE_SIZE).map(|prediction| self.describe(prediction, false)).collect();
        let next = (listed.len() > PAGE_SIZE).then(|| {
            let public = self.public.lock().unwrap();
            format!("{public}/v1/predictions?cursor={}&created_after={after}", skipped + PAGE_SIZE)
        });
        ResponseTemplate::new(200).set_body_json(json!({ "previous": null, "next": next, "results": results }))
    }

    pub(super) fn show(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap();
        let predictions = self.predictions.lock().unwrap();
        match predictions.iter().find(|prediction| prediction.id == id) {
            Some(found) if found.outcome != Outcome::Forgotten => {
                ResponseTemplate::new(200).set_body_json(self.describe(found, true))
            }
            _ => refusal(404, "Prediction not found"),
        }
    }

    pub(super) fn output(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap().trim_end_matches(".jpg");
        let predictions = self.predictions.lock().unwrap();
        let Some(index) = predictions.iter().position(|prediction| prediction.id == id) else {
            return refusal(404, "Not found");
        };
        match &predictions[index].outcome {
            Outcome::OutputRemoved => refusal(404, "Not found"),
            Outcome::Output(bytes) => ResponseTemplate::new(200).set_body_raw(bytes.clone(), "image/jpeg"),
            _ => {
                let kind = kind_of(&predictions[index].prompt);
                ResponseTemplate::new(200).set_body_raw((self.paint)(kind, index), "image/jpeg")
            }
        }
    }

    fn describe(&self, prediction: &CreatedPrediction, is_poll: bool) -> Value {
        if prediction.outcome == Outcome::Malformed {
            return json!({ "id": prediction.id, "status": null, "input": null, "output": null, "data_removed": null });
        }
        let output = format!("{}/output/{}.jpg", self.public.lock().unwrap(), prediction.id);
        let (status, output, error) = match &prediction.outcome {
            _ if !is_poll => ("starting", Value::Null, Value::Null),
            Outcome::Fails => ("failed", Value::Null, json!("CUDA out of memory")),
            Outcome::FailsWith(words) => ("failed", Value::Null, json!(words)),
            Outcome::Canceled => ("canceled", Value::Null, Value::Null),
            Outcome::Aborted => ("aborted", Value::Null, Value::Null),
            Outcome::StaysIn(status) => (*status, Value::Null, Value::Null),
            Outcome::ContentRejected => {
                ("failed", Value::Null, json!("The input or output was flagged as sensitive. (E005)"))
            }
            Outcome::SucceedsAfter(time) if prediction.since.elapsed() < *time => {
                ("processing", Value::Null, Value::Null)
            }
            Outcome::OutputAt(address) => ("succeeded", json!(address), Value::Null),
            _ if models::named(&prediction.model).is_some_and(|model| model.is_list) => {
                ("succeeded", json!([output]), Value::Null)
            }
            _ => ("succeeded", json!(output), Value::Null),
        };
        let is_kept = self.clock.now().duration_since(prediction.at) < RETENTION;
        json!({
            "id": prediction.id,
            "model": prediction.model,
            "status": status,
            "input": if is_kept { Value::from(prediction.input.clone()) } else { json!({}) },
            "output": if is_kept { output } else { Value::Null },
            "error": error,
            "created_at": prediction.at.to_string(),
            "data_removed": !is_kept,
        })
    }
}
