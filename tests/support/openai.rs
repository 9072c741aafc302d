//! A stand-in for a vision service with OpenAI's chat completions. It is as strict as the vendor: it rejects and
//! records each request that the vendor would reject. The test defines its answers.

mod request;
mod schema;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::content::{Angle, Content, Framing};
use domain::kind::Kind;
use handlers::config::{EvaluationConfig, from_variables};
use image::RgbImage;
use providers::vision::{VisionConfig, VisionMode};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, Request, Respond, ResponseTemplate};

use crate::coded::{Code, read_code};
use crate::server::Server;
pub use request::in_a_cell;

/// The key that the stand-in accepts.
pub const KEY: &str = "sk-test-0123456789abcdef";

/// The model that the stand-in offers.
pub const MODEL: &str = "vision-1";

/// The properties of a stand-in.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// The only model that it offers.
    pub model: &'static str,
    /// The only reasoning effort that the model accepts; `None` if it has no such setting.
    pub effort: Option<&'static str>,
    /// The delay of each answer.
    pub delay: Duration,
    /// The part of a request that it rejects and the vendor accepts.
    pub quirk: Option<Quirk>,
}

/// A part of a request that a compatible server rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Only `max_tokens` is accepted.
    OlderTokenLimit,
    /// Enumerations of strings are accepted in a schema, but not of integers.
    EnumsOfTextsOnly,
    /// Schemas are not supported.
    NoSchema,
    /// One image is accepted in a request.
    OnePicture,
}

impl Default for Vendor {
    fn default() -> Self {
        Self { model: MODEL, effort: Some("none"), delay: Duration::ZERO, quirk: None }
    }
}

/// The stand-in. The server ends when it is dropped.
pub struct VisionService {
    server: Server,
    log: Arc<Log>,
    vendor: Vendor,
}

/// The requests so far.
#[derive(Debug, Default)]
struct Log {
    request_count: AtomicUsize,
    /// The numbers of the images in each accepted request.
    requested_numbers: Mutex<Vec<Vec<u32>>>,
    /// Requests that the vendor would have rejected.
    violations: Mutex<Vec<String>>,
}

/// A parsed request.
#[derive(Debug, Clone)]
pub struct VisionRequest {
    /// The index of the request, from 0.
    pub index: usize,
    pub mode: VisionMode,
    /// The images, in their order on the page.
    pub images: Vec<NumberedImage>,
    /// The base image, if the request shows one.
    pub reference: Option<RgbImage>,
    /// The input tokens that the vendor would count.
    pub tokens: u64,
}

/// An image with its number, as read from the page.
#[derive(Debug, Clone)]
pub struct NumberedImage {
    pub number: u32,
    pub image: RgbImage,
}

/// An answer of the stand-in.
#[derive(Debug, Clone)]
pub enum Answer {
    /// These entries; see [`entry`].
    Entries(Vec<Value>),
    Refused(&'static str),
    /// Half an answer, with `finish_reason: length`.
    Truncated,
    /// This text as content.
    Text(String),
    /// Another response; see [`problem`].
    Reply(ResponseTemplate),
}

type Answers = dyn Fn(&VisionRequest) -> Answer + Send + Sync;

struct Responder {
    log: Arc<Log>,
    vendor: Vendor,
    answers: Box<Answers>,
}

impl VisionService {
    /// A stand-in with these answers.
    pub async fn start(answers: impl Fn(&VisionRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(Vendor::default(), answers).await
    }

    /// A stand-in that delays each answer.
    pub async fn start_slow(
        delay: Duration,
        answers: impl Fn(&VisionRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::of(Vendor { delay, ..Vendor::default() }, answers).await
    }

    /// A stand-in with these properties and answers.
    pub async fn of(vendor: Vendor, answers: impl Fn(&VisionRequest) -> Answer + Send + Sync + 'static) -> Self {
        let (server, log) = (Server::start().await, Arc::new(Log::default()));
        let responder = Responder { log: Arc::clone(&log), vendor, answers: Box::new(answers) };
        Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(responder).mount(&server).await;
        let models = Models::new(KEY, vendor.model);
        Mock::given(method("GET")).and(path("/v1/models")).respond_with(models).mount(&server).await;
        Self { server, log, vendor }
    }

    /// Its base URL, without the path.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.uri()
    }

    /// The variables that direct the evaluation function to this stand-in.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let variables = [
            ("VISION_PROVIDER", "openai"),
            ("OPENAI_BASE_URL", &format!("{}/v1", self.server.uri())),
            ("OPENAI_API_KEY", KEY),
            ("VISION_MODEL", self.vendor.model),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The configuration from these variables and `more`.
    #[must_use]
    pub fn config(&self, more: &[(&str, &str)]) -> VisionConfig {
        let needed = ["BUCKET", "TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
        let mut variables = self.variables();
        variables.extend(needed.map(|name| (name.to_owned(), "unused".to_owned())));
        variables.extend(more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        from_variables::<EvaluationConfig>(variables).unwrap().vision
    }

    /// The numbers of the images in each accepted request.
    #[must_use]
    pub fn requested_numbers(&self) -> Vec<Vec<u32>> {
        self.log.requested_numbers.lock().unwrap().clone()
    }

    /// The number of requests, including rejected ones.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.log.request_count.load(Ordering::SeqCst)
    }

    /// Requests that the vendor would have rejected.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.log.violations.lock().unwrap().clone()
    }
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let index = self.log.request_count.fetch_add(1, Ordering::SeqCst);
        let answer = request::parse(request, index, &self.vendor).map(|request| {
            let numbers = request.images.iter().map(|shown| shown.number).collect();
            self.log.requested_numbers.lock().unwrap().push(numbers);
            (self.answers)(&request).reply(request.tokens)
        });
        let reply = answer.unwrap_or_else(|violation| {
            if !violation.is_quirk {
                self.log.violations.lock().unwrap().push(violation.what.clone());
            }
            problem(violation.status, violation.code, &violation.what)
        });
        let delay = self.vendor.delay;
        if delay.is_zero() { reply } else { reply.set_delay(delay) }
    }
}

impl Answer {
    fn reply(self, tokens: u64) -> ResponseTemplate {
        match self {
            Self::Entries(cells) => completion(
                Some(&json!({ "reference": "one_character", "cells": cells }).to_string()),
                None,
                "stop",
                tokens,
            ),
            Self::Refused(why) => completion(None, Some(why), "stop", tokens),
            Self::Truncated => completion(Some(r#"{"cells": [{"cell": 1, "#), None, "length", tokens),
            Self::Text(text) => completion(Some(&text), None, "stop", tokens),
            Self::Reply(reply) => reply,
        }
    }
}

fn completion(content: Option<&str>, refusal: Option<&str>, finish_reason: &str, tokens: u64) -> ResponseTemplate {
    let answered = (content.unwrap_or_default().len() + refusal.unwrap_or_default().len()).div_ceil(4);
    ResponseTemplate::new(200).set_body_json(json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": content, "refusal": refusal },
            "finish_reason": finish_reason,
        }],
        "usage": { "prompt_tokens": tokens, "completion_tokens": answered, "total_tokens": tokens + answered as u64 },
    }))
}

/// The list of models of a stand-in.
pub(crate) struct Models {
    authorization: String,
    model: &'static str,
}

impl Models {
    pub(crate) fn new(key: &str, model: &'static str) -> Self {
        Self { authorization: format!("Bearer {key}"), model }
    }
}

impl Respond for Models {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let authorization = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        if authorization != Some(&self.authorization) {
            return problem(401, "invalid_api_key", "Incorrect API key provided.");
        }
        let models = [self.model, "text-1"].map(|id| json!({ "id": id, "object": "model", "owned_by": "tests" }));
        ResponseTemplate::new(200).set_body_json(json!({ "object": "list", "data": models }))
    }
}

/// An error in the vendor's format.
#[must_use]
pub fn problem(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let error = json!({ "error": { "message": message, "type": code, "param": null, "code": code } });
    ResponseTemplate::new(status).set_body_json(error)
}

/// The content that [`entry`] reports, if the request shows no reference.
#[must_use]
pub fn content() -> Content {
    Content {
        framing: Some(Framing::Medium),
        angle: Some(Angle::ThreeQuarter),
        expression: Some("calm".to_owned()),
        caption: Some("medium shot in a coded setting".to_owned()),
        ..Content::default()
    }
}

/// An entry of an answer that reports no fault, and the character of the reference if there is one.
#[must_use]
pub fn entry(number: u32, kind: Kind, quality: u8, reason: &str) -> Value {
    let Content { framing, angle, expression, caption, .. } = content();
    json!({
        "cell": number, "reason": reason, "kind": kind, "same_character": "yes", "framing": framing, "angle": angle,
        "expression": expression, "caption": caption, "flags": [], "quality": quality,
    })
}

/// The correct entry for an image made by [`crate::coded`].
///
/// # Panics
/// If the image has no code.
#[must_use]
pub fn true_entry(image: &NumberedImage) -> Value {
    let Code { kind, quality, variant } = read_code(&image.image).expect("a coded picture");
    entry(image.number, kind, quality, &format!("Variant {variant}."))
}

/// The correct entry for every image of a request.
#[must_use]
pub fn assess_correctly(request: &VisionRequest) -> Answer {
    Answer::Entries(request.images.iter().map(true_entry).collect())
}
