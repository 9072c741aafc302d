//! Stand-ins for the two paid services, for `balancer local --vision openai --generator replicate`. They cost nothing,
//! and delay each answer as requested.
//!
//! `cargo run --release -p balancer-tests --example stand-ins -- BASE_IMAGE [ASSESSMENT_SECONDS] [IMAGE_SECONDS]
//! [OPTION…]`
//!
//! `--failing` makes a tenth of all requests fail in each of several ways, `--interrupted` every prediction of the
//! first 90 seconds, `--nsfw` every prediction of the first prompt, `--damaged` the first five fetches of an output.
//! With `--fenced`, the answers are in a code fence; with `--thinking`, they follow a `<think>` block. With
//! `--older-token-limit`, `--enums-of-texts-only`, `--no-schema` or `--one-picture`, the vision service rejects parts
//! of a request.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use balancer_tests::openai::{self, Answer, Quirk, Vendor, VisionRequest, VisionService, entry};
use balancer_tests::replicate::{self, Outcome, Replicate, Resource};
use domain::format::Format;
use domain::kind::Kind;
use domain::prompts::Library;
use embedded::vision::EmbeddedVision;
use handlers::Clock;
use imaging::decode;
use providers::generator::{Request, draw};
use serde_json::json;
use wiremock::ResponseTemplate;

/// The number of images of each kind that are drawn at the start, so that later only the requested delays take time.
const DRAWN: usize = 9;

/// The lowest quality of these images: high enough for a set, even next to others.
const GOOD: u8 = 7;

/// With `--failing`, a tenth of the requests fails in each of three ways.
fn answer(model: &EmbeddedVision, request: &VisionRequest, has: &dyn Fn(&str) -> bool) -> Answer {
    let failing = has("--failing");
    match request.index % 10 {
        0 if failing => Answer::Reply(openai::problem(500, "server_error", "The server had an error")),
        3 if failing => Answer::Text("I can't see anything".to_owned()),
        6 if failing => Answer::Truncated,
        _ => {
            let assess = |shown: &openai::NumberedImage| {
                let seen = model.observe(&shown.image);
                entry(shown.number, seen.kind, seen.quality, &seen.reason)
            };
            let cells: Vec<_> = request.images.iter().map(assess).collect();
            let json = || json!({ "cells": cells });
            match () {
                () if has("--fenced") => Answer::Text(format!("```json\n{}\n```", json())),
                () if has("--thinking") => Answer::Text(format!("<think>Well, well.</think>\n{}", json())),
                () => Answer::Entries(cells),
            }
        }
    }
}

/// The time during which `--interrupted` interrupts every prediction.
const INTERRUPTED: Duration = Duration::from_secs(90);

/// With `--failing`, a tenth of the creations fails in each of five ways.
fn outcome(creation: usize, takes: Duration, failing: bool) -> Outcome {
    match creation % 10 {
        1 if failing => Outcome::ResponseLost,
        3 if failing => Outcome::Fails,
        5 if failing => Outcome::Responds(429, json!({ "detail": "Your rate limit resets in ~1s." })),
        7 if failing => Outcome::ContentRejected,
        9 if failing => Outcome::Responds(503, json!({ "detail": "busy" })),
        _ => Outcome::SucceedsAfter(takes),
    }
}

/// Good images of each kind, which the model assesses correctly even in a cell of a grid.
async fn good_images(base: &str, model: &EmbeddedVision) -> BTreeMap<Kind, Vec<Vec<u8>>> {
    let base = Arc::new(decode(&std::fs::read(base).unwrap()).unwrap());
    let mut good: BTreeMap<Kind, Vec<Vec<u8>>> = BTreeMap::new();
    for kind in Kind::ALL {
        let good = good.entry(kind).or_default();
        for (seed, prompt) in (1..).zip(Library::built_in().of_kind(kind).cycle()) {
            let request = Request {
                base: Arc::clone(&base),
                further: Vec::new(),
                format: Format::default(),
                kind,
                prompt: prompt.render("person"),
                seed,
            };
            let picture = draw(request).await.unwrap();
            let seen = model.observe(&openai::in_a_cell(&decode(&picture).unwrap()));
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
    let (assessment_delay, image_delay) = (Duration::from_secs(seconds(1, 2)), Duration::from_secs(seconds(2, 6)));
    let has = move |option: &str| options.iter().any(|given| given == option);
    let model = EmbeddedVision::new().unwrap();
    let drawn = good_images(&arguments[0], &model).await;

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
            _ => outcome(creation, image_delay, failing),
        }
    };
    let replicate = Replicate::start(Clock::system(), script, paint).await;
    if has("--damaged") {
        for _ in 0..5 {
            replicate
                .override_next(Resource::Output, ResponseTemplate::new(200).set_body_string("<html>Not now</html>"));
        }
    }
    let quirks = [
        ("--older-token-limit", Quirk::OlderTokenLimit),
        ("--enums-of-texts-only", Quirk::EnumsOfTextsOnly),
        ("--no-schema", Quirk::NoSchema),
        ("--one-picture", Quirk::OnePicture),
    ];
    let quirk = quirks.into_iter().find(|(option, _)| has(option)).map(|(_, quirk)| quirk);
    let vendor = Vendor { delay: assessment_delay, quirk, ..Vendor::default() };
    let vision = VisionService::of(vendor, move |request| answer(&model, request, &has)).await;
    println!("export OPENAI_BASE_URL={}/v1 OPENAI_API_KEY={}", vision.address(), openai::KEY);
    println!("export VISION_MODEL={}", openai::MODEL);
    println!("export REPLICATE_BASE_URL={} REPLICATE_API_TOKEN={}", replicate.address(), replicate::TOKEN);
    eprintln!("Ctrl-C ends the stand-ins and prints the number of charged images.");
    let _ = tokio::signal::ctrl_c().await;
    eprintln!(
        "{} vision requests, {} creations, {} charged",
        vision.request_count(),
        replicate.creations(),
        replicate.charged()
    );
}
