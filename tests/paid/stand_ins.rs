//! The two paid services, played by this machine, for `balancer local --vision openai --generator replicate`: nothing is
//! paid, and every answer takes as long as it is told to.
//!
//! `cargo run --release -p balancer-tests --example stand-ins -- BASE_IMAGE [LOOK_SECONDS] [IMAGE_SECONDS] [OPTION…]`
//!
//! `--failing` makes a tenth of all requests fail in each of several ways, `--interrupted` every prediction of the first 90
//! seconds, `--nsfw` every prediction of the first prompt, `--damaged` the first five fetches of an output. The judgements
//! come `--fenced` or after `--thinking`. With `--older-token-limit`, `--enums-of-texts-only`, `--no-schema` or
//! `--one-picture`, the vision service refuses parts of a request.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a tool for people at a terminal")]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use balancer_tests::openai::{self, Answer, Asked, Quirk, Vendor, VisionService, judgement};
use balancer_tests::replicate::{self, Outcome, Place, Replicate};
use domain::kind::Kind;
use domain::prompts::of_kind;
use embedded::vision::EmbeddedVision;
use handlers::Clock;
use imaging::decode;
use providers::generator::{Request, draw};
use serde_json::json;
use wiremock::ResponseTemplate;

/// Pictures of each kind that are drawn beforehand: what takes time later should be the waiting alone.
const DRAWN: usize = 9;

/// What a picture must be judged at least, so that it is good enough for a set also among others.
const GOOD: u8 = 7;

/// A tenth of the looks goes wrong in each of three ways, where that is wanted.
fn look(eyes: &EmbeddedVision, asked: &Asked, has: &dyn Fn(&str) -> bool) -> Answer {
    let failing = has("--failing");
    match asked.turn % 10 {
        0 if failing => Answer::Reply(openai::problem(500, "server_error", "The server had an error")),
        3 if failing => Answer::Text("I can't see anything".to_owned()),
        6 if failing => Answer::CutOff,
        _ => {
            let judge = |shown: &openai::Shown| {
                let seen = eyes.observe(&shown.picture);
                judgement(shown.number, seen.kind, seen.quality, &seen.reason)
            };
            let cells: Vec<_> = asked.shown.iter().map(judge).collect();
            let json = || json!({ "cells": cells });
            match () {
                () if has("--fenced") => Answer::Text(format!("```json\n{}\n```", json())),
                () if has("--thinking") => Answer::Text(format!("<think>Well, well.</think>\n{}", json())),
                () => Answer::Judged(cells),
            }
        }
    }
}

/// How long every prediction is interrupted, if requested.
const INTERRUPTED: Duration = Duration::from_secs(90);

/// A tenth of the creations goes wrong in each of five ways, where that is wanted.
fn fate(creation: usize, takes: Duration, failing: bool) -> Outcome {
    match creation % 10 {
        1 if failing => Outcome::AnswerIsLost,
        3 if failing => Outcome::Fails,
        5 if failing => Outcome::Answers(429, json!({ "detail": "Your rate limit resets in ~1s." })),
        7 if failing => Outcome::IsImproper,
        9 if failing => Outcome::Answers(503, json!({ "detail": "busy" })),
        _ => Outcome::SucceedsAfter(takes),
    }
}

/// Good pictures of each kind: in a cell of the grid, too, each is judged as what it should be.
async fn pictures_of(base: &str, eyes: &EmbeddedVision) -> BTreeMap<Kind, Vec<Vec<u8>>> {
    let base = Arc::new(decode(&std::fs::read(base).unwrap()).unwrap());
    let mut good: BTreeMap<Kind, Vec<Vec<u8>>> = BTreeMap::new();
    for kind in Kind::ALL {
        let good = good.entry(kind).or_default();
        for (seed, prompt) in (1..).zip(of_kind(kind).iter().cycle()) {
            let request = Request { base: Arc::clone(&base), kind, prompt: prompt.render("person"), seed };
            let picture = draw(request).await.unwrap();
            let seen = eyes.observe(&openai::in_a_cell(&decode(&picture).unwrap()));
            if seen.kind == kind && seen.quality >= GOOD {
                good.push(picture);
            }
            if good.len() == DRAWN {
                break;
            }
        }
    }
    good
}

#[tokio::main]
async fn main() {
    let (options, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let seconds = |at: usize, usual: u64| arguments.get(at).map_or(usual, |text| text.parse().unwrap());
    let (takes_a_look, takes_an_image) = (Duration::from_secs(seconds(1, 2)), Duration::from_secs(seconds(2, 6)));
    let has = move |option: &str| options.iter().any(|given| given == option);
    let eyes = EmbeddedVision::new().unwrap();
    let drawn = pictures_of(&arguments[0], &eyes).await;

    let paint = move |kind: Kind, index: usize| drawn[&kind][index % DRAWN].clone();
    let (failing, interrupted, nsfw) = (has("--failing"), has("--interrupted"), has("--nsfw"));
    let (began, first_prompt) = (OnceLock::new(), OnceLock::new());
    let script = move |creation: usize, prompt: &str| {
        let is_first = first_prompt.get_or_init(|| prompt.to_owned()) == prompt;
        match creation {
            _ if interrupted && began.get_or_init(Instant::now).elapsed() < INTERRUPTED => {
                Outcome::FailsWith("Prediction interrupted; please retry (code: PA)")
            }
            _ if nsfw && is_first => Outcome::FailsWith("NSFW content detected. Try a different prompt."),
            _ => fate(creation, takes_an_image, failing),
        }
    };
    let replicate = Replicate::start(Clock::system(), script, paint).await;
    if has("--damaged") {
        for _ in 0..5 {
            replicate.answer_next(Place::Output, ResponseTemplate::new(200).set_body_string("<html>Not now</html>"));
        }
    }
    let quirks = [
        ("--older-token-limit", Quirk::OlderTokenLimit),
        ("--enums-of-texts-only", Quirk::EnumsOfTextsOnly),
        ("--no-schema", Quirk::NoSchema),
        ("--one-picture", Quirk::OnePicture),
    ];
    let quirk = quirks.into_iter().find(|(option, _)| has(option)).map(|(_, quirk)| quirk);
    let vendor = Vendor { delay: takes_a_look, quirk, ..Vendor::default() };
    let vision = VisionService::of(vendor, move |asked| look(&eyes, asked, &has)).await;
    println!("export OPENAI_BASE_URL={}/v1 OPENAI_API_KEY={}", vision.address(), openai::KEY);
    println!("export VISION_MODEL={}", openai::MODEL);
    println!("export REPLICATE_BASE_URL={} REPLICATE_API_TOKEN={}", replicate.address(), replicate::TOKEN);
    eprintln!("Ctrl-C ends this and says what would have been charged.");
    let _ = tokio::signal::ctrl_c().await;
    eprintln!("{} looks, {} creations, {} charged", vision.turns(), replicate.creations(), replicate.charged());
}
