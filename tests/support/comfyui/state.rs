//! The responses of the stand-in, by endpoint.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures::executor::block_on;
use futures::stream;
use image::ImageFormat;
use imaging::decode;
use multer::{Multipart, parse_boundary};
use serde_json::{Map, Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

use super::validation::{Rejection, validate};
use super::{Outcome, Painter, Prompt, Resource, Script};
use crate::prompt_kinds::known_kind;

/// The state that the endpoints share.
pub(super) struct State {
    pub(super) script: Mutex<Box<Script>>,
    pub(super) paint: Arc<Painter>,
    pub(super) info: Mutex<Value>,
    pub(super) prompts: Mutex<Vec<Prompt>>,
    /// The number of valid requests for prompts.
    pub(super) requests: Mutex<usize>,
    /// The files of the input folder, by their names.
    pub(super) uploads: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(super) overrides: Mutex<VecDeque<(Resource, ResponseTemplate)>>,
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
        // ComfyUI compares it with the host, and refuses web pages of others.
        if request.headers.contains_key("origin") {
            return ResponseTemplate::new(403);
        }
        let mut overrides = self.state.overrides.lock().unwrap();
        if let Some((_, answer)) = overrides.pop_front_if(|(resource, _)| Some(*resource) == self.resource) {
            return answer;
        }
        drop(overrides);
        (self.answer)(&self.state, request)
    }
}

fn json_of(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

impl Prompt {
    fn is_running(&self) -> bool {
        match self.outcome {
            Outcome::StaysQueued => true,
            Outcome::SucceedsAfter(time) => self.since.elapsed() < time,
            _ => false,
        }
    }

    /// The prompt as ComfyUI lists it.
    fn listed(&self) -> Value {
        json!([0, self.id, self.workflow, self.extra_data, []])
    }

    /// Its entry in the history.
    fn ended(&self, index: usize) -> Value {
        let node = json!({ "node_id": "12", "node_type": "KSampler", "executed": [] });
        let with = |event: &str, more: &Value| {
            let mut details = node.clone();
            details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!([event, details])
        };
        let message = match self.outcome {
            Outcome::Fails(kind, message) => Some(with(
                "execution_error",
                &json!({ "exception_type": kind, "exception_message": format!("{message}\n"), "traceback": ["…"] }),
            )),
            Outcome::Cancelled => Some(with("execution_interrupted", &json!({}))),
            _ => None,
        };
        let is_success = message.is_none();
        let saves = is_success && self.outcome != Outcome::SavesNothing;
        let image = json!({ "filename": filename(index), "subfolder": "", "type": "output" });
        let messages: Vec<Value> =
            [json!(["execution_start", { "prompt_id": self.id }])].into_iter().chain(message).collect();
        json!({
            "prompt": self.listed(),
            "outputs": if saves { json!({ "14": { "images": [image] } }) } else { json!({}) },
            "status": {
                "status_str": if is_success { "success" } else { "error" },
                "completed": is_success,
                "messages": messages,
            },
            "meta": {},
        })
    }
}

fn filename(index: usize) -> String {
    format!("balancer_{index:05}_.png")
}

impl State {
    pub(super) fn object_info(&self, _: &Request) -> ResponseTemplate {
        json_of(&self.info.lock().unwrap())
    }

    /// ComfyUI keeps an equal file, and gives a different one another name.
    pub(super) fn upload(&self, request: &Request) -> ResponseTemplate {
        let Some((name, bytes)) = uploaded(request) else { return ResponseTemplate::new(400) };
        let mut uploads = self.uploads.lock().unwrap();
        let (stem, ending) = name.rsplit_once('.').unwrap();
        let mut free = name.clone();
        for number in 1.. {
            match uploads.get(&free) {
                Some(present) if *present != bytes => free = format!("{stem} ({number}).{ending}"),
                _ => break,
            }
        }
        uploads.insert(free.clone(), bytes);
        json_of(&json!({ "name": free, "subfolder": "", "type": "input" }))
    }

    pub(super) fn queue_prompt(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        let uploads = self.uploads.lock().unwrap();
        if let Err(Rejection { error, node_errors }) = validate(&body, &self.info.lock().unwrap(), &uploads) {
            return ResponseTemplate::new(400).set_body_json(json!({ "error": error, "node_errors": node_errors }));
        }
        let mut prompts = self.prompts.lock().unwrap();
        let mut requests = self.requests.lock().unwrap();
        let outcome = (self.script.lock().unwrap())(*requests);
        *requests += 1;
        if let Outcome::Responds(status, body) = outcome {
            return ResponseTemplate::new(status).set_body_string(body);
        }
        let is_lost = outcome == Outcome::ResponseLost;
        let prompt = prompt_of(&body, outcome, &uploads);
        let answer = json!({ "prompt_id": prompt.id, "number": prompts.len(), "node_errors": {} });
        prompts.push(prompt);
        if is_lost { ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>") } else { json_of(&answer) }
    }

    pub(super) fn history(&self, request: &Request) -> ResponseTemplate {
        let id = request.url.path().rsplit('/').next().unwrap();
        let prompts = self.prompts.lock().unwrap();
        let ended = prompts
            .iter()
            .enumerate()
            .rfind(|(_, prompt)| prompt.id == id && !prompt.is_forgotten && !prompt.is_running());
        let entries: Map<String, Value> =
            ended.map(|(index, prompt)| (id.to_owned(), prompt.ended(index))).into_iter().collect();
        json_of(&entries.into())
    }

    pub(super) fn queue(&self, _: &Request) -> ResponseTemplate {
        let prompts = self.prompts.lock().unwrap();
        let mut waiting =
            prompts.iter().filter(|prompt| !prompt.is_forgotten && prompt.is_running()).map(Prompt::listed);
        let running: Vec<Value> = waiting.next().into_iter().collect();
        json_of(&json!({ "queue_running": running, "queue_pending": waiting.collect::<Vec<_>>() }))
    }

    pub(super) fn view(&self, request: &Request) -> ResponseTemplate {
        let query: BTreeMap<_, _> = request.url.query_pairs().collect();
        let prompts = self.prompts.lock().unwrap();
        let names = prompts.iter().enumerate().filter(|_| query.get("type").is_some_and(|folder| folder == "output"));
        let found =
            names.into_iter().find(|(index, _)| query.get("filename").is_some_and(|name| *name == filename(*index)));
        match found {
            Some((_, Prompt { outcome: Outcome::OutputDeleted, .. })) | None => ResponseTemplate::new(404),
            Some((_, Prompt { outcome: Outcome::Output(bytes), .. })) => {
                ResponseTemplate::new(200).set_body_bytes(bytes.clone())
            }
            Some((index, prompt)) => {
                ResponseTemplate::new(200).set_body_raw(png(&(self.paint)(prompt.kind, index)), "image/png")
            }
        }
    }
}

/// The same picture as ComfyUI saves it.
fn png(image: &[u8]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    decode(image).unwrap().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The name and the content of an uploaded file; `None` if the form is not as ComfyUI requires it.
fn uploaded(request: &Request) -> Option<(String, Vec<u8>)> {
    let boundary = parse_boundary(request.headers.get("content-type")?.to_str().ok()?).ok()?;
    let body = stream::iter([Ok::<_, Infallible>(request.body.clone())]);
    let mut form = Multipart::new(body, boundary);
    let mut file = None;
    while let Some(field) = block_on(form.next_field()).ok()? {
        if field.name() == Some("image") {
            let name = field.file_name()?.to_owned();
            file = Some((name, block_on(field.bytes()).ok()?.to_vec()));
        }
    }
    file
}

/// A valid prompt.
fn prompt_of(body: &Value, outcome: Outcome, uploads: &BTreeMap<String, Vec<u8>>) -> Prompt {
    let workflow = &body["prompt"];
    let nodes = || workflow.as_object().unwrap().values();
    let inputs = || nodes().flat_map(|node| node["inputs"].as_object().unwrap());
    let number =
        |name: &str| inputs().find(|(input, _)| *input == name).and_then(|(_, value)| value.as_u64()).unwrap_or(0);
    let texts = inputs().filter_map(|(_, value)| value.as_str());
    let (text, kind) =
        texts.into_iter().find_map(|text| Some((text, known_kind(text)?))).expect("a prompt of the library");
    let references = inputs().filter_map(|(name, value)| uploads.get(value.as_str().filter(|_| name == "image")?));
    Prompt {
        id: body["prompt_id"].as_str().unwrap().to_owned(),
        text: text.to_owned(),
        seed: number("seed"),
        size: (number("width"), number("height")),
        references: references.map(|bytes| decode(bytes).unwrap().dimensions()).collect(),
        outcome,
        kind,
        workflow: workflow.clone(),
        extra_data: body["extra_data"].clone(),
        since: Instant::now(),
        is_forgotten: false,
    }
}
