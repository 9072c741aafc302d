//! What the stand-in answers, address by address.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use handlers::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

use super::request::{checked, kind_of};
use super::{Begun, MODEL, Outcome, Painter, Place, Script, TOKEN};

/// How long inputs and outputs are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(1);

/// Predictions on a page of the list.
const PAGE: usize = 100;

/// What the endpoints share.
pub(super) struct State {
    pub(super) begun: Mutex<Vec<Begun>>,
    pub(super) creations: Mutex<usize>,
    pub(super) troubles: Mutex<VecDeque<(Place, ResponseTemplate)>>,
    pub(super) public: Mutex<String>,
    pub(super) script: Box<Script>,
    pub(super) paint: Box<Painter>,
    pub(super) clock: Clock,
}

pub(super) type Answer = fn(&State, &Request) -> ResponseTemplate;

/// One of its addresses.
pub(super) struct Endpoint {
    pub(super) state: Arc<State>,
    pub(super) place: Option<Place>,
    pub(super) answer: Answer,
}

impl Respond for Endpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        if let Some(trouble) = self.place.and_then(|place| self.state.trouble_at(place)) {
            return trouble;
        }
        let is_output = self.place == Some(Place::Output);
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
    fn trouble_at(&self, place: Place) -> Option<ResponseTemplate> {
        let mut troubles = self.troubles.lock().unwrap();
        let (_, answer) = troubles.pop_front_if(|(at, _)| *at == place)?;
        Some(answer)
    }

    pub(super) fn create(&self, request: &Request) -> ResponseTemplate {
        let (prompt, seed) = match checked(&request.body) {
            Ok(asked) => asked,
            Err(problem) => return refusal(problem.status, &problem.detail),
        };
        let index = {
            let mut creations = self.creations.lock().unwrap();
            *creations += 1;
            *creations - 1
        };
        let fate = (self.script)(index, &prompt);
        match fate {
            Outcome::Answers(status, body) => return ResponseTemplate::new(status).set_body_json(body),
            Outcome::Hangs => return ResponseTemplate::new(201).set_delay(Duration::from_secs(3600)),
            _ => {}
        }
        let is_lost = fate == Outcome::AnswerIsLost;
        let mut begun = self.begun.lock().unwrap();
        let id = format!("prediction{}", begun.len());
        begun.push(Begun { id, prompt, seed, fate, at: self.clock.now(), since: Instant::now() });
        if is_lost {
            refusal(502, "Bad gateway")
        } else {
            ResponseTemplate::new(201).set_body_json(self.describe(begun.last().unwrap(), false))
        }
    }

    pub(super) fn list(&self, request: &Request) -> ResponseTemplate {
        let asked = |name: &str| request.url.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value);
        let skipped: usize = asked("cursor").map_or(0, |value| value.parse().unwrap());
        let after: Timestamp = asked("created_after").map_or(Timestamp::MIN, |value| value.parse().unwrap());
        let begun = self.begun.lock().unwrap();
        let wanted: Vec<&Begun> = begun.iter().rev().filter(|begun| begun.at >= after).skip(skipped).collect();
        let results: Vec<Value> = wanted.iter().take(PAGE).map(|begun| self.describe(begun, false)).collect();
        let next = (wanted.len() > PAGE).then(|| {
            let public = self.public.lock().unwrap();
            format!("{public}/v1/predictions?cursor={}&created_after={after}", skipped + PAGE)
        });
        ResponseTemplate::new(200).set_body_json(json!({ "previous": null, "next": next, "results": results }))
    }

    pub(super) fn show(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap();
        let begun = self.begun.lock().unwrap();
        match begun.iter().find(|begun| begun.id == id) {
            Some(found) if found.fate != Outcome::IsForgotten => {
                ResponseTemplate::new(200).set_body_json(self.describe(found, true))
            }
            _ => refusal(404, "Prediction not found"),
        }
    }

    pub(super) fn output(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap().trim_end_matches(".jpg");
        let begun = self.begun.lock().unwrap();
        let Some(index) = begun.iter().position(|begun| begun.id == id) else { return refusal(404, "Not found") };
        match &begun[index].fate {
            Outcome::IsRemoved => refusal(404, "Not found"),
            Outcome::Gives(bytes) => ResponseTemplate::new(200).set_body_raw(bytes.clone(), "image/jpeg"),
            _ => {
                let kind = kind_of(&begun[index].prompt);
                ResponseTemplate::new(200).set_body_raw((self.paint)(kind, index), "image/jpeg")
            }
        }
    }

    fn describe(&self, begun: &Begun, is_look: bool) -> Value {
        if begun.fate == Outcome::IsOdd {
            return json!({ "id": begun.id, "status": null, "input": null, "output": null, "data_removed": null });
        }
        let output = format!("{}/output/{}.jpg", self.public.lock().unwrap(), begun.id);
        let (status, output, error) = match &begun.fate {
            _ if !is_look => ("starting", Value::Null, Value::Null),
            Outcome::Fails => ("failed", Value::Null, json!("CUDA out of memory")),
            Outcome::FailsWith(words) => ("failed", Value::Null, json!(words)),
            Outcome::IsCanceled => ("canceled", Value::Null, Value::Null),
            Outcome::IsAborted => ("aborted", Value::Null, Value::Null),
            Outcome::Stays(status) => (*status, Value::Null, Value::Null),
            Outcome::IsImproper => {
                ("failed", Value::Null, json!("The input or output was flagged as sensitive. (E005)"))
            }
            Outcome::SucceedsAfter(time) if begun.since.elapsed() < *time => ("processing", Value::Null, Value::Null),
            Outcome::LiesAt(address) => ("succeeded", json!(address), Value::Null),
            _ => ("succeeded", json!(output), Value::Null),
        };
        let is_kept = self.clock.now().duration_since(begun.at) < RETENTION;
        let input = json!({ "prompt": begun.prompt, "seed": begun.seed, "aspect_ratio": "16:9" });
        json!({
            "id": begun.id,
            "model": MODEL,
            "status": status,
            "input": if is_kept { input } else { json!({}) },
            "output": if is_kept { output } else { Value::Null },
            "error": error,
            "created_at": begun.at.to_string(),
            "data_removed": !is_kept,
        })
    }
}
