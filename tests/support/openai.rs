//! A stand-in for a vision service that speaks OpenAI's chat completions. It is as strict as the vendor: a request
//! that the vendor would refuse is refused, and remembered. What it answers is up to the test.

mod request;
mod schema;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// The model that it has.
pub const MODEL: &str = "eyes-1";

/// What a stand-in is like.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// The model that it has.
    pub model: &'static str,
    /// The only effort that the model knows; none if it knows no such setting.
    pub effort: Option<&'static str>,
    /// How long it takes for each answer.
    pub delay: Duration,
    /// The parts of a request that it refuses and the vendor accepts.
    pub quirk: Option<Quirk>,
}

/// The parts of a request that a compatible server refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// It knows only `max_tokens`.
    OlderTokenLimit,
    /// It accepts lists of texts in a schema, but not of integers.
    EnumsOfTextsOnly,
    /// It does not support schemas.
    NoSchema,
    /// It accepts one picture in a request.
    OnePicture,
}

impl Default for Vendor {
    fn default() -> Self {
        Self { model: MODEL, effort: Some("none"), delay: Duration::ZERO, quirk: None }
    }
}

/// The stand-in. It ends with the test.
pub struct VisionService {
    server: Server,
    log: Arc<Log>,
    vendor: Vendor,
}

/// What was asked so far.
#[derive(Debug, Default)]
struct Log {
    turns: AtomicUsize,
    /// The numbers asked for, request by request.
    asked: Mutex<Vec<Vec<u32>>>,
    /// What the vendor would not have accepted.
    violations: Mutex<Vec<String>>,
}

/// A request, as it was understood.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The number of the request, from 0.
    pub turn: usize,
    /// How the pictures were shown.
    pub mode: VisionMode,
    /// The pictures, in their order on the page.
    pub shown: Vec<Shown>,
    /// Tokens that the vendor would count.
    pub tokens: u64,
}

/// A picture with its number, as read from the page.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its number.
    pub number: u32,
    /// The picture.
    pub picture: RgbImage,
}

/// What the stand-in answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An entry for each picture; see [`judgement`].
    Judged(Vec<Value>),
    /// A refusal.
    Refused(&'static str),
    /// Half an answer, with `finish_reason: length`.
    CutOff,
    /// This text as content.
    Text(String),
    /// Something else altogether; see [`problem`].
    Reply(ResponseTemplate),
}

type Eyes = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Responder {
    log: Arc<Log>,
    vendor: Vendor,
    eyes: Box<Eyes>,
}

impl VisionService {
    /// A stand-in that answers what `eyes` say.
    pub async fn start(eyes: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(Vendor::default(), eyes).await
    }

    /// The same, taking `delay` for each answer.
    pub async fn start_slow(delay: Duration, eyes: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(Vendor { delay, ..Vendor::default() }, eyes).await
    }

    /// A stand-in that is like this, and answers what `eyes` say.
    pub async fn of(vendor: Vendor, eyes: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let (server, log) = (Server::start().await, Arc::new(Log::default()));
        let responder = Responder { log: Arc::clone(&log), vendor, eyes: Box::new(eyes) };
        Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(responder).mount(&server).await;
        Self { server, log, vendor }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.uri()
    }

    /// The variables with which the evaluation function asks this stand-in.
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

    /// What these variables, and `more`, are read as.
    #[must_use]
    pub fn config(&self, more: &[(&str, &str)]) -> VisionConfig {
        let needed = ["BUCKET", "TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
        let mut variables = self.variables();
        variables.extend(needed.map(|name| (name.to_owned(), "unused".to_owned())));
        variables.extend(more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        from_variables::<EvaluationConfig>(variables).unwrap().vision
    }

    /// The numbers asked for, request by request.
    #[must_use]
    pub fn asked(&self) -> Vec<Vec<u32>> {
        self.log.asked.lock().unwrap().clone()
    }

    /// How many requests there were, proper ones and others.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.log.turns.load(Ordering::SeqCst)
    }

    /// What the vendor would not have accepted.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.log.violations.lock().unwrap().clone()
    }
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let turn = self.log.turns.fetch_add(1, Ordering::SeqCst);
        let answered = request::understand(request, turn, &self.vendor).map(|asked| {
            let numbers = asked.shown.iter().map(|shown| shown.number).collect();
            self.log.asked.lock().unwrap().push(numbers);
            (self.eyes)(&asked).reply(asked.tokens)
        });
        let reply = answered.unwrap_or_else(|violation| {
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
            Self::Judged(cells) => completion(Some(&json!({ "cells": cells }).to_string()), None, "stop", tokens),
            Self::Refused(why) => completion(None, Some(why), "stop", tokens),
            Self::CutOff => completion(Some(r#"{"cells": [{"cell": 1, "#), None, "length", tokens),
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

/// An error as the vendor words it.
#[must_use]
pub fn problem(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let error = json!({ "error": { "message": message, "type": code, "param": null, "code": code } });
    ResponseTemplate::new(status).set_body_json(error)
}

/// An entry of an answer, without faults.
#[must_use]
pub fn judgement(number: u32, kind: Kind, quality: u8, reason: &str) -> Value {
    json!({
        "cell": number, "reason": reason, "kind": kind, "looking_at_camera": false, "symmetrical": false,
        "distorted_anatomy": false, "blurry": false, "quality": quality,
    })
}

/// What perfect eyes say of a picture made by [`crate::coded`].
///
/// # Panics
/// If it isn't one.
#[must_use]
pub fn seen(shown: &Shown) -> Value {
    let Code { kind, quality, variant } = read_code(&shown.picture).expect("a coded picture");
    judgement(shown.number, kind, quality, &format!("Variant {variant}."))
}

/// Perfect eyes: every picture is seen as what it is.
#[must_use]
pub fn assess_correctly(asked: &Asked) -> Answer {
    Answer::Judged(asked.shown.iter().map(seen).collect())
}
