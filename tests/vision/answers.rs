//! Answers that are incomplete, contradictory, garbled, refused or truncated.

use std::time::Duration;

use balancer_tests::coded::read_code;
use balancer_tests::openai::{
    Answer, NumberedImage, VisionRequest, VisionService, assess_correctly, entry, problem, true_entry,
};
use domain::kind::Kind;
use providers::vision::{AssessmentEvent, Pictures};
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use crate::vision::support::{assert_assessed_except, assess, codes, model, pictures};

fn entries(request: &VisionRequest) -> Vec<Value> {
    request.images.iter().map(true_entry).collect()
}

/// Whether this is the image at `index` of the set.
fn is(shown: &NumberedImage, index: usize) -> bool {
    read_code(&shown.image).unwrap().variant == codes(index + 1)[index].variant
}

fn shows(request: &VisionRequest, index: usize) -> bool {
    request.images.iter().any(|shown| is(shown, index))
}

fn sizes(service: &VisionService) -> Vec<usize> {
    assert_eq!(service.violations(), [""; 0]);
    service.requested_numbers().iter().map(Vec::len).collect()
}

#[tokio::test]
async fn omitted_images_are_repeated_alone() {
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Entries(entries(request).split_off(3)),
        _ => assess_correctly(request),
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 20, "plan").await;
    assert_assessed_except(&batch, 20, &[]);
    assert_eq!(sizes(&service), [20, 3]);
}

#[tokio::test]
async fn image_with_two_equal_entries_is_repeated() {
    let service = VisionService::start(|request| {
        let mut entries = entries(request);
        if request.index == 0 {
            entries.push(entries[4].clone());
        }
        Answer::Entries(entries)
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 20, "plan").await;
    assert_assessed_except(&batch, 20, &[]);
    assert_eq!(sizes(&service), [20, 1]);
}

#[tokio::test]
async fn entry_for_an_unknown_number_is_ignored() {
    let service = VisionService::start(|request| {
        let mut entries = entries(request);
        if request.index == 0 {
            entries[7] = entry(99, Kind::BwStylized, 1, "Invented.");
        }
        Answer::Entries(entries)
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 20, "plan").await;
    assert_assessed_except(&batch, 20, &[]);
    assert_eq!(sizes(&service), [20, 1]);
}

#[tokio::test]
async fn image_omitted_three_times_stays_unassessed() {
    let service = VisionService::start(|request| {
        Answer::Entries(
            request.images.iter().filter(|shown| !is(shown, 11)).map(balancer_tests::openai::true_entry).collect(),
        )
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 20, "plan").await;
    assert_assessed_except(&batch, 20, &[11]);
    assert_eq!(sizes(&service), [20, 1, 1]);
    assert!(batch.interrupted.is_none());
}

#[tokio::test]
async fn two_passes_are_both_required() {
    let service = VisionService::start(|request| match request.index {
        0 => assess_correctly(request),
        _ => Answer::Entries(
            request.images.iter().filter(|shown| !is(shown, 3)).map(balancer_tests::openai::true_entry).collect(),
        ),
    })
    .await;
    let batch = assess(&model(&service, &[("VISION_PASSES", "2")]).await, 6, "plan").await;
    assert_assessed_except(&batch, 6, &[3]);
    assert_eq!(sizes(&service), [6, 6, 1, 1]);
}

#[tokio::test]
async fn content_without_json_is_repeated_twice() {
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Text("Certainly! Here are my assessments:".to_owned()),
        1 => Answer::Text(r#"{"cells": {"1": "good"}}"#.to_owned()),
        _ => assess_correctly(request),
    })
    .await;
    assert_assessed_except(&assess(&model(&service, &[]).await, 20, "plan").await, 20, &[]);
    assert_eq!(sizes(&service), [20, 20, 20]);

    let service = VisionService::start(|_| Answer::Text(String::new())).await;
    let batch = assess(&model(&service, &[]).await, 3, "plan").await;
    assert_assessed_except(&batch, 3, &[0, 1, 2]);
    assert_eq!(sizes(&service), [3, 3, 3]);
}

#[tokio::test]
async fn halving_isolates_the_refused_image() {
    let refuse = |request: &VisionRequest| match shows(request, 5) {
        true => Answer::Refused("I can't help with that."),
        false => assess_correctly(request),
    };
    let service = VisionService::start(refuse).await;
    let batch = assess(&model(&service, &[]).await, 20, "plan").await;
    assert_assessed_except(&batch, 20, &[5]);
    assert_eq!(batch.images[5].as_ref().unwrap_err(), "the model refuses to assess it (I can't help with that.)");
    assert!(sizes(&service).len() <= 11, "{:?}", service.requested_numbers());
}

#[tokio::test]
async fn content_rejection_halves_the_request() {
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
            let service = VisionService::start(move |request| match shows(request, 0) {
                true => Answer::Reply(problem(status, code, words)),
                false => assess_correctly(request),
            })
            .await;
            let batch = assess(&model(&service, &[("VISION_MODE", mode)]).await, 4, "plan").await;
            assert_assessed_except(&batch, 4, &[0]);
            assert!(
                batch.interrupted.is_none() && batch.images[0].as_ref().unwrap_err().contains("refuses to assess it")
            );
        }
    }
}

#[tokio::test]
async fn json_within_other_text_is_read() {
    let around: [fn(&str) -> String; 4] = [
        |json| format!("```json\n{json}\n```"),
        |json| format!("<think>Is {{\"cells\": []}} right? No.</think>\n\n{json}"),
        |json| format!("Certainly! Here are my assessments: {json}"),
        |json| format!("{json}\nI hope that this helps."),
    ];
    for around in around {
        let service = VisionService::start(move |request| {
            Answer::Text(around(&serde_json::json!({ "cells": entries(request) }).to_string()))
        })
        .await;
        assert_assessed_except(&assess(&model(&service, &[]).await, 5, "plan").await, 5, &[]);
        assert_eq!(sizes(&service), [5]);
    }
}

#[tokio::test]
async fn truncated_answer_halves_the_request() {
    let service = VisionService::start(|request| match request.images.len() {
        0..=5 => assess_correctly(request),
        _ => Answer::Truncated,
    })
    .await;
    assert_assessed_except(&assess(&model(&service, &[]).await, 20, "plan").await, 20, &[]);
    let mut sizes = sizes(&service);
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 5, 5, 5, 10, 10, 20]);
}

#[tokio::test]
async fn single_image_with_truncated_answer_is_unassessed() {
    let service = VisionService::start(|request| match shows(request, 1) {
        true => Answer::Truncated,
        false => assess_correctly(request),
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 4, "plan").await;
    assert_assessed_except(&batch, 4, &[1]);
    assert_eq!(batch.images[1].as_ref().unwrap_err(), "the model's answer is too long even for this image alone");
}

#[tokio::test]
async fn too_large_request_is_halved() {
    let too_large = problem(429, "rate_limit_exceeded", "Request too large for vision-1 on tokens per min (TPM).");
    for reply in [too_large, problem(400, "context_length_exceeded", "Too long."), problem(413, "", "Too large.")] {
        let service = VisionService::start(move |request| match request.images.len() {
            0..=10 => assess_correctly(request),
            _ => Answer::Reply(reply.clone()),
        })
        .await;
        assert_assessed_except(&assess(&model(&service, &[]).await, 20, "plan").await, 20, &[]);
        assert_eq!(service.request_count(), 3);
    }
}

#[tokio::test]
async fn pages_are_requested_concurrently() {
    // No answer is sent before this time, so concurrent requests arrive before the first answer.
    let service = VisionService::start_slow(Duration::from_secs(10), assess_correctly).await;
    let model = model(&service, &[]).await;
    let (events, mut received) = unbounded_channel();
    let requests_before_first_answer = async {
        let mut requests = None;
        while let Some(event) = received.recv().await {
            match event {
                AssessmentEvent::ReservationNeeded { granted, .. } => granted.send(true).unwrap(),
                AssessmentEvent::Assessed(..) => drop(requests.get_or_insert(service.request_count())),
            }
        }
        requests
    };
    let (batch, requests) = tokio::join!(
        model.assess(Pictures { images: pictures(&codes(65)), reference: None }, "plan", events),
        requests_before_first_answer
    );
    assert_assessed_except(&batch, 65, &[]);
    assert_eq!((requests, sizes(&service).len()), (Some(4), 4));
}
