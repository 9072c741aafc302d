//! What is left out, said twice, invented, garbled, refused or cut off.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use balancer_tests::coded::read_code;
use balancer_tests::openai::{Answer, Asked, Shown, VisionService, assess_correctly, judgement, problem, seen};
use domain::kind::Kind;
use serde_json::Value;

use crate::support::{assert_seen_except, codes, model, observe};

fn entries(asked: &Asked) -> Vec<Value> {
    asked.shown.iter().map(seen).collect()
}

/// Whether this is the picture at `index` of the set.
fn is(shown: &Shown, index: usize) -> bool {
    read_code(&shown.picture).unwrap().variant == codes(index + 1)[index].variant
}

fn shows(asked: &Asked, index: usize) -> bool {
    asked.shown.iter().any(|shown| is(shown, index))
}

fn sizes(service: &VisionService) -> Vec<usize> {
    assert_eq!(service.violations(), [""; 0]);
    service.asked().iter().map(Vec::len).collect()
}

#[tokio::test]
async fn images_left_out_are_asked_for_again_alone() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => Answer::Judged(entries(asked).split_off(3)),
        _ => assess_correctly(asked),
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 20, "plan").await;
    assert_seen_except(&seen, 20, &[]);
    assert_eq!(sizes(&service), [20, 3]);
}

#[tokio::test]
async fn an_image_said_twice_is_asked_for_again_even_if_both_say_the_same() {
    let service = VisionService::start(|asked| {
        let mut entries = entries(asked);
        if asked.turn == 0 {
            entries.push(entries[4].clone());
        }
        Answer::Judged(entries)
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 20, "plan").await;
    assert_seen_except(&seen, 20, &[]);
    assert_eq!(sizes(&service), [20, 1]);
}

#[tokio::test]
async fn a_number_that_was_not_shown_is_nobodys() {
    let service = VisionService::start(|asked| {
        let mut entries = entries(asked);
        if asked.turn == 0 {
            entries[7] = judgement(99, Kind::BwStylized, 1, "Invented.");
        }
        Answer::Judged(entries)
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 20, "plan").await;
    assert_seen_except(&seen, 20, &[]);
    assert_eq!(sizes(&service), [20, 1]);
}

#[tokio::test]
async fn an_image_never_judged_is_asked_for_three_times_and_stays_unassessed() {
    let service = VisionService::start(|asked| {
        Answer::Judged(asked.shown.iter().filter(|shown| !is(shown, 11)).map(balancer_tests::openai::seen).collect())
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 20, "plan").await;
    assert_seen_except(&seen, 20, &[11]);
    assert_eq!(sizes(&service), [20, 1, 1]);
    assert!(seen.interrupted.is_none());
}

#[tokio::test]
async fn with_two_passes_an_image_needs_both() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => assess_correctly(asked),
        _ => {
            Answer::Judged(asked.shown.iter().filter(|shown| !is(shown, 3)).map(balancer_tests::openai::seen).collect())
        }
    })
    .await;
    let seen = observe(&model(&service, &[("VISION_PASSES", "2")]).await, 6, "plan").await;
    assert_seen_except(&seen, 6, &[3]);
    assert_eq!(sizes(&service), [6, 6, 1, 1]);
}

#[tokio::test]
async fn content_that_is_no_json_is_asked_for_again_twice() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => Answer::Text("Certainly! Here are my judgements:".to_owned()),
        1 => Answer::Text(r#"{"cells": {"1": "good"}}"#.to_owned()),
        _ => assess_correctly(asked),
    })
    .await;
    assert_seen_except(&observe(&model(&service, &[]).await, 20, "plan").await, 20, &[]);
    assert_eq!(sizes(&service), [20, 20, 20]);

    let service = VisionService::start(|_| Answer::Text(String::new())).await;
    let seen = observe(&model(&service, &[]).await, 3, "plan").await;
    assert_seen_except(&seen, 3, &[0, 1, 2]);
    assert_eq!(sizes(&service), [3, 3, 3]);
}

#[tokio::test]
async fn a_refused_image_is_found_by_halving_and_the_others_are_judged() {
    let refuse = |asked: &Asked| match shows(asked, 5) {
        true => Answer::Refused("I can't help with that."),
        false => assess_correctly(asked),
    };
    let service = VisionService::start(refuse).await;
    let seen = observe(&model(&service, &[]).await, 20, "plan").await;
    assert_seen_except(&seen, 20, &[5]);
    assert_eq!(seen.images[5].as_ref().unwrap_err(), "the model refuses to assess it (I can't help with that.)");
    assert!(sizes(&service).len() <= 11, "{:?}", service.asked());
}

#[tokio::test]
async fn a_request_refused_for_its_content_is_halved_too() {
    for (status, code, words) in [
        (400, "content_policy_violation", "Your request was rejected."),
        (400, "invalid_prompt", "Invalid prompt: it was refused."),
        (400, "moderation_blocked", "Your request was rejected."),
        (400, "bad_request", "Your request was rejected as a result of our safety system."),
        (403, "forbidden", "Your chosen model requires moderation and your input was flagged for \"violence\"."),
        (403, "moderation_blocked", "Forbidden"),
        (422, "invalid_prompt", "Refused"),
    ] {
        for mode in ["individual", "grid"] {
            let service = VisionService::start(move |asked| match shows(asked, 0) {
                true => Answer::Reply(problem(status, code, words)),
                false => assess_correctly(asked),
            })
            .await;
            let seen = observe(&model(&service, &[("VISION_MODE", mode)]).await, 4, "plan").await;
            assert_seen_except(&seen, 4, &[0]);
            assert!(
                seen.interrupted.is_none() && seen.images[0].as_ref().unwrap_err().contains("refuses to assess it")
            );
        }
    }
}

#[tokio::test]
async fn json_in_other_text_is_read_at_the_first_time() {
    let around: [fn(&str) -> String; 4] = [
        |json| format!("```json\n{json}\n```"),
        |json| format!("<think>Is {{\"cells\": []}} right? No.</think>\n\n{json}"),
        |json| format!("Certainly! Here are my judgements: {json}"),
        |json| format!("{json}\nI hope that this helps."),
    ];
    for around in around {
        let service = VisionService::start(move |asked| {
            Answer::Text(around(&serde_json::json!({ "cells": entries(asked) }).to_string()))
        })
        .await;
        assert_seen_except(&observe(&model(&service, &[]).await, 5, "plan").await, 5, &[]);
        assert_eq!(sizes(&service), [5]);
    }
}

#[tokio::test]
async fn an_answer_cut_off_is_asked_for_in_halves() {
    let service = VisionService::start(|asked| match asked.shown.len() {
        0..=5 => assess_correctly(asked),
        _ => Answer::CutOff,
    })
    .await;
    assert_seen_except(&observe(&model(&service, &[]).await, 20, "plan").await, 20, &[]);
    let mut sizes = sizes(&service);
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 5, 5, 5, 10, 10, 20]);
}

#[tokio::test]
async fn a_single_image_whose_answer_is_cut_off_stays_unassessed() {
    let service = VisionService::start(|asked| match shows(asked, 1) {
        true => Answer::CutOff,
        false => assess_correctly(asked),
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 4, "plan").await;
    assert_seen_except(&seen, 4, &[1]);
    assert_eq!(seen.images[1].as_ref().unwrap_err(), "the model's answer is too long even for this image alone");
}

#[tokio::test]
async fn a_request_too_large_for_the_model_is_halved() {
    let too_large = problem(429, "rate_limit_exceeded", "Request too large for eyes-1 on tokens per min (TPM).");
    for reply in [too_large, problem(400, "context_length_exceeded", "Too long."), problem(413, "", "Too large.")] {
        let service = VisionService::start(move |asked| match asked.shown.len() {
            0..=10 => assess_correctly(asked),
            _ => Answer::Reply(reply.clone()),
        })
        .await;
        assert_seen_except(&observe(&model(&service, &[]).await, 20, "plan").await, 20, &[]);
        assert_eq!(service.turns(), 3);
    }
}

#[tokio::test]
async fn pages_are_asked_side_by_side() {
    let answer_takes = Duration::from_secs(10);
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let service = VisionService::start_slow(answer_takes, {
        let arrivals = Arc::clone(&arrivals);
        move |asked| {
            arrivals.lock().unwrap().push(Instant::now());
            assess_correctly(asked)
        }
    })
    .await;
    let model = model(&service, &[]).await;
    assert_seen_except(&observe(&model, 65, "plan").await, 65, &[]);
    assert_eq!(sizes(&service).len(), 4);
    let arrivals = arrivals.lock().unwrap();
    let between = arrivals[3] - arrivals[0];
    assert!(between < answer_takes, "the last request waited for an answer: {between:?}");
}
