//! No request is sent before its highest price is reserved, and neither is a repeated one.

use balancer_tests::coded::coded_picture;
use balancer_tests::openai::{Answer, VisionRequest, VisionService, assess_correctly, true_entry};
use balancer_tests::stack::{TestStack, actor};
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::money::MicroUsd;
use domain::status::Status;
use futures::future::join_all;
use handlers::{Clock, HandlerError};
use jiff::{SignedDuration, Timestamp};
use providers::vision::{OpenAiError, VisionError, VisionModel};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::vision::evaluation::{evaluate_with, record, with_set};
use crate::vision::support::{assess, assess_with_budget, codes, model, pictures};

/// An unreadable answer, which counts at the highest price.
fn nonsense(_: &VisionRequest) -> Answer {
    Answer::Reply(ResponseTemplate::new(200).set_body_string("hello"))
}

async fn assess_four(model: &VisionModel, budget: MicroUsd) -> (MicroUsd, MicroUsd, Option<VisionError>) {
    let (batch, granted) = assess_with_budget(budget, model, pictures(&codes(4)), "plan").await;
    (batch.cost, granted.into_iter().sum(), batch.interrupted)
}

/// The highest price of a request with four images: a quarter of the cost of four unreadable answers.
async fn price() -> MicroUsd {
    let service = VisionService::start(nonsense).await;
    let cost = assess(&model(&service, &[]).await, 4, "plan").await.cost;
    assert_eq!((service.request_count(), cost.0 % 4), (4, 0));
    MicroUsd(cost.0 / 4)
}

#[tokio::test]
async fn repeats_stop_at_the_budget() {
    let price = price().await;
    let assess_with = async |budget, affordable| {
        let service = VisionService::start(nonsense).await;
        let (cost, granted, error) = assess_four(&model(&service, &[]).await, budget).await;
        assert_eq!(service.request_count() as u64, affordable, "{budget}");
        assert_eq!((cost, granted), (price * affordable, price * affordable), "each answer counts in full");
        let is_stopped = matches!(error, Some(VisionError::OpenAi(OpenAiError::NoBudget { .. })));
        assert_eq!(is_stopped, affordable < 4, "{error:?}");
    };
    let enough = (0..=4).map(|times| assess_with(price * times, times));
    let too_little = (0..4).map(|times| assess_with((price * (times + 1)).saturating_sub(MicroUsd(1)), times));
    tokio::join!(join_all(enough), join_all(too_little));
}

#[tokio::test]
async fn follow_up_requests_stay_within_the_reservation() {
    let refuse = |_: &VisionRequest| Answer::Refused("No.");
    let omit_all = |_: &VisionRequest| Answer::Entries(Vec::new());
    let truncate = |_: &VisionRequest| Answer::Truncated;
    let services: [fn(&VisionRequest) -> Answer; 4] = [refuse, omit_all, truncate, nonsense];
    let assess_with = async |answers, passes, budget| {
        let service = VisionService::start(answers).await;
        let (cost, granted, _) = assess_four(&model(&service, &[("VISION_PASSES", passes)]).await, budget).await;
        assert!(cost <= granted && granted <= budget, "{cost} of {granted} of {budget}");
        (granted, service.request_count())
    };
    let with_all_and_with_less = async |(answers, passes)| {
        let (all, requests) = assess_with(answers, passes, MicroUsd(u64::MAX)).await;
        let less = (0..8).map(|share| assess_with(answers, passes, MicroUsd(all.0 * share / 8)));
        assert!(requests > 0 && join_all(less).await.into_iter().all(|(_, fewer)| fewer <= requests));
    };
    join_all(services.into_iter().flat_map(|answers| [(answers, "1"), (answers, "2")]).map(with_all_and_with_less))
        .await;
}

/// Uploads a set of four images.
async fn with_four(stack: &TestStack, actor: &ActorId) {
    for (number, code) in (1..).zip(codes(4)) {
        stack
            .upload(actor, &format!("{actor}_{number}.jpg"), &coded_picture(code.kind, code.quality, code.variant))
            .await;
    }
}

fn dollars(amount: MicroUsd) -> String {
    amount.to_string().trim_start_matches('$').to_owned()
}

#[tokio::test]
async fn fifty_workers_stay_within_the_budget() {
    let (price, stack) = (price().await, TestStack::without_triggers().await);
    let service = VisionService::start(nonsense).await;
    let ten_and_a_half = dollars(MicroUsd(price.0 * 21 / 2));
    let actors: Vec<ActorId> = (0..25).map(|at| format!("hero{at}").parse().unwrap()).collect();
    join_all(actors.iter().map(|actor| with_four(&stack, actor))).await;
    let work = async |actor| {
        let variables = [("DAILY_BUDGET_USD", ten_and_a_half.as_str())];
        evaluate_with(&variables, Clock::system(), &stack, &service, &json!({ "actor_id": actor })).await
    };
    let ends = join_all(actors.iter().chain(&actors).map(work)).await;
    assert!(ends.len() == 50 && ends.iter().all(Result::is_err));
    assert_eq!(service.request_count(), 10);
    let spending = stack.store.spending(Clock::system().today()).await.unwrap();
    assert_eq!((spending.spent, spending.committed), (price * 10, price * 10));
}

#[tokio::test]
async fn repeat_over_budget_parks_until_the_next_day() {
    let (price, stack, hero) = (price().await, TestStack::without_triggers().await, actor("hero"));
    with_four(&stack, &hero).await;
    let began = Timestamp::now();
    let at = |day: i64| {
        let now = began + SignedDuration::from_hours(24 * day);
        Clock::telling(move || now)
    };
    let budget = dollars(price);
    let evaluate = async |day, service: &VisionService| {
        let variables = [("ACTOR_DAILY_BUDGET_USD", budget.as_str())];
        evaluate_with(&variables, at(day), &stack, service, &json!({ "actor_id": "hero" })).await
    };
    let unreadable = VisionService::start(nonsense).await;
    for day in [0, 1] {
        for _ in 0..2 {
            let error = evaluate(day, &unreadable).await.unwrap_err();
            assert!(matches!(error, HandlerError::Deferred { after, .. } if after.as_secs() == 900), "{error}");
            let found = record(&stack, &hero).await;
            assert_eq!((found.status, found.lease_token), (Status::Parked, None));
            let reason = found.reason.unwrap();
            assert!(reason.contains("ACTOR_DAILY_BUDGET_USD is raised. A request was to be repeated: "), "{reason}");
        }
        let booked = stack.store.spending_on(&hero, at(day).today()).await.unwrap();
        assert_eq!((booked.spent, booked.committed), (price, price));
    }
    assert_eq!(unreadable.request_count(), 2, "one request a day");
    let correct = VisionService::start(assess_correctly).await;
    evaluate(2, &correct).await.unwrap();
    assert_eq!(correct.request_count(), 1);
    assert_ne!(record(&stack, &hero).await.status, Status::Parked);
}

#[tokio::test]
async fn assessments_before_the_budget_ended_are_kept() {
    let (stack, hero) = with_set().await;
    for number in 7..27 {
        stack.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(Kind::BwStylized, 8, number)).await;
    }
    // The answers to the second page, with six images, are unreadable.
    let half = |request: &VisionRequest| {
        if request.images.len() == 20 { assess_correctly(request) } else { nonsense(request) }
    };
    let service = VisionService::start(half).await;
    let (_, granted) =
        assess_with_budget(MicroUsd(u64::MAX), &model(&service, &[]).await, pictures(&codes(26)), "plan").await;
    let once = dollars(granted[0]);
    let message = json!({ "actor_id": "hero" });
    let variables = [("DAILY_BUDGET_USD", once.as_str())];
    stack.store.note_vision_outage(&hero, Some((Timestamp::now(), "no answer in time"))).await.unwrap();
    stack.store.note_vision_time_out(&hero).await.unwrap();
    evaluate_with(&variables, Clock::system(), &stack, &service, &message).await.unwrap_err();
    let found = record(&stack, &hero).await;
    assert_eq!(found.status, Status::Parked);
    assert_eq!((found.vision_outage_since, found.vision_timed_out), (None, false), "the service has answered");
    assert_eq!(stack.keys_below("evaluations/").await.len(), 2, "the grids are stored");
    let correct = VisionService::start(assess_correctly).await;
    evaluate_with(&[], Clock::system(), &stack, &correct, &message).await.unwrap();
    assert_eq!(correct.requested_numbers().concat().len(), 6, "only the other images are shown");
}

#[tokio::test]
async fn dry_run_over_budget_reports_it_and_ends() {
    let (stack, hero) = with_set().await;
    let service = VisionService::start(assess_correctly).await;
    let message = json!({ "actor_id": "hero", "mode": "dry_run" });
    let variables = [("DAILY_BUDGET_USD", "0.000001")];
    evaluate_with(&variables, Clock::system(), &stack, &service, &message).await.unwrap();
    let found = record(&stack, &hero).await;
    assert_eq!((found.status, service.request_count()), (Status::NeedsAttention, 0));
    assert!(found.reason.unwrap().contains("is less than the $"));
    evaluate_with(&[], Clock::system(), &stack, &service, &message).await.unwrap();
    assert_eq!((stack.plans(&hero).await.len(), service.request_count()), (1, 1));
}

#[tokio::test]
async fn answer_without_usage_counts_the_highest_price() {
    let price = price().await;
    let service = VisionService::start(|request| {
        let content = json!({ "cells": request.images.iter().map(true_entry).collect::<Vec<_>>() }).to_string();
        let choice = json!({ "message": { "content": content }, "finish_reason": "stop" });
        Answer::Reply(ResponseTemplate::new(200).set_body_json(json!({ "choices": [choice] })))
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 4, "plan").await;
    assert!(batch.images.iter().all(Result::is_ok));
    assert_eq!((batch.cost, service.request_count()), (price, 1));
}

#[tokio::test]
async fn excess_usage_is_reserved_before_the_next_request() {
    let price = price().await;
    let service = VisionService::start(|_| {
        let usage = json!({ "prompt_tokens": 1_000_000, "completion_tokens": 1_000 });
        let choice = json!({ "message": { "content": "{}" }, "finish_reason": "stop" });
        Answer::Reply(ResponseTemplate::new(200).set_body_json(json!({ "choices": [choice], "usage": usage })))
    })
    .await;
    let model = model(&service, &[]).await;
    let (cost, granted, error) = assess_four(&model, price * 3).await;
    assert_eq!((service.request_count(), granted), (1, price), "no further request is sent");
    assert!(cost > price * 3, "{cost} of {granted}");
    assert!(matches!(error, Some(VisionError::OpenAi(OpenAiError::NoBudget { retry_of: None }))), "{error:?}");
}
