//! No question is asked before its highest price is set aside, the first time as at every repetition.

use balancer_tests::coded::coded_picture;
use balancer_tests::openai::{Answer, Asked, VisionService, assess_correctly, seen};
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

use crate::stage::{evaluate_with, record, with_set};
use crate::support::{codes, model, observe, observe_within, pictures};

/// What nobody can read, and may have cost the highest price.
fn nonsense(_: &Asked) -> Answer {
    Answer::Reply(ResponseTemplate::new(200).set_body_string("hello"))
}

async fn observe_four(model: &VisionModel, budget: MicroUsd) -> (MicroUsd, MicroUsd, Option<VisionError>) {
    let (seen, granted) = observe_within(budget, model, pictures(&codes(4)), "plan").await;
    (seen.cost, granted.into_iter().sum(), seen.interrupted)
}

/// The highest price of a question about four images, which is what four lost answers cost, by four.
async fn price() -> MicroUsd {
    let service = VisionService::start(nonsense).await;
    let cost = observe(&model(&service, &[]).await, 4, "plan").await.cost;
    assert_eq!((service.turns(), cost.0 % 4), (4, 0));
    MicroUsd(cost.0 / 4)
}

#[tokio::test]
async fn a_question_is_asked_again_only_as_often_as_there_is_money_for_it() {
    let price = price().await;
    let ask_with = async |budget, affordable| {
        let service = VisionService::start(nonsense).await;
        let (cost, granted, error) = observe_four(&model(&service, &[]).await, budget).await;
        assert_eq!(service.turns() as u64, affordable, "{budget}");
        assert_eq!((cost, granted), (price * affordable, price * affordable), "each answer was lost");
        let is_stopped = matches!(error, Some(VisionError::OpenAi(OpenAiError::NoBudget { .. })));
        assert_eq!(is_stopped, affordable < 4, "{error:?}");
    };
    let enough = (0..=4).map(|times| ask_with(price * times, times));
    let too_little = (0..4).map(|times| ask_with((price * (times + 1)).saturating_sub(MicroUsd(1)), times));
    tokio::join!(join_all(enough), join_all(too_little));
}

#[tokio::test]
async fn whatever_follows_from_an_answer_is_paid_out_of_what_is_set_aside() {
    let refuse = |_: &Asked| Answer::Refused("No.");
    let leave_out = |_: &Asked| Answer::Judged(Vec::new());
    let cut_off = |_: &Asked| Answer::CutOff;
    let eyes: [fn(&Asked) -> Answer; 4] = [refuse, leave_out, cut_off, nonsense];
    let observe_with = async |eyes, passes, budget| {
        let service = VisionService::start(eyes).await;
        let (cost, granted, _) = observe_four(&model(&service, &[("VISION_PASSES", passes)]).await, budget).await;
        assert!(cost <= granted && granted <= budget, "{cost} of {granted} of {budget}");
        (granted, service.turns())
    };
    let with_all_and_with_less = async |(eyes, passes)| {
        let (all, turns) = observe_with(eyes, passes, MicroUsd(u64::MAX)).await;
        let less = (0..8).map(|share| observe_with(eyes, passes, MicroUsd(all.0 * share / 8)));
        assert!(turns > 0 && join_all(less).await.into_iter().all(|(_, fewer)| fewer <= turns));
    };
    join_all(eyes.into_iter().flat_map(|eyes| [(eyes, "1"), (eyes, "2")]).map(with_all_and_with_less)).await;
}

/// Has a set of the same four images.
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
async fn fifty_workers_do_not_overspend_by_one_question() {
    let (price, stack) = (price().await, TestStack::by_hand().await);
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
    assert_eq!(service.turns(), 10);
    let spending = stack.store.spending(Clock::system().today()).await.unwrap();
    assert_eq!((spending.spent, spending.committed), (price * 10, price * 10));
}

#[tokio::test]
async fn an_evaluation_without_money_for_a_repetition_is_parked_and_goes_on_the_next_day() {
    let (price, stack, hero) = (price().await, TestStack::by_hand().await, actor("hero"));
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
    let garbling = VisionService::start(nonsense).await;
    for day in [0, 1] {
        for _ in 0..2 {
            let error = evaluate(day, &garbling).await.unwrap_err();
            assert!(matches!(error, HandlerError::Deferred { after, .. } if after.as_secs() == 900), "{error}");
            let found = record(&stack, &hero).await;
            assert_eq!((found.status, found.lease_token), (Status::Parked, None));
            let reason = found.reason.unwrap();
            assert!(
                reason.contains("ACTOR_DAILY_BUDGET_USD is raised. A question was to be asked again: "),
                "{reason}"
            );
        }
        let booked = stack.store.spending_on(&hero, at(day).today()).await.unwrap();
        assert_eq!((booked.spent, booked.committed), (price, price));
    }
    assert_eq!(garbling.turns(), 2, "one a day");
    let seeing = VisionService::start(assess_correctly).await;
    evaluate(2, &seeing).await.unwrap();
    assert_eq!(seeing.turns(), 1);
    assert_ne!(record(&stack, &hero).await.status, Status::Parked);
}

#[tokio::test]
async fn what_was_judged_before_the_money_was_used_up_is_kept_and_shown() {
    let (stack, hero) = with_set().await;
    for number in 7..27 {
        stack.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(Kind::BwStylized, 8, number)).await;
    }
    // Of the two pages the second, with six images, is never understood.
    let half = |asked: &Asked| if asked.shown.len() == 20 { assess_correctly(asked) } else { nonsense(asked) };
    let service = VisionService::start(half).await;
    let (_, granted) =
        observe_within(MicroUsd(u64::MAX), &model(&service, &[]).await, pictures(&codes(26)), "plan").await;
    let once = dollars(granted[0]);
    let message = json!({ "actor_id": "hero" });
    let variables = [("DAILY_BUDGET_USD", once.as_str())];
    evaluate_with(&variables, Clock::system(), &stack, &service, &message).await.unwrap_err();
    assert_eq!(record(&stack, &hero).await.status, Status::Parked);
    assert_eq!(stack.keys_below("evaluations/").await.len(), 2, "people see what the model saw");
    let seeing = VisionService::start(assess_correctly).await;
    evaluate_with(&[], Clock::system(), &stack, &seeing, &message).await.unwrap();
    assert_eq!(seeing.asked().concat().len(), 6, "only the others are shown");
}

#[tokio::test]
async fn a_dry_run_without_money_says_so_and_waits_for_none() {
    let (stack, hero) = with_set().await;
    let service = VisionService::start(assess_correctly).await;
    let message = json!({ "actor_id": "hero", "mode": "dry_run" });
    let variables = [("DAILY_BUDGET_USD", "0.000001")];
    evaluate_with(&variables, Clock::system(), &stack, &service, &message).await.unwrap();
    let found = record(&stack, &hero).await;
    assert_eq!((found.status, service.turns()), (Status::NeedsAttention, 0));
    assert!(found.reason.unwrap().contains("is less than the $"));
    evaluate_with(&[], Clock::system(), &stack, &service, &message).await.unwrap();
    assert_eq!((stack.plans(&hero).await.len(), service.turns()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_does_not_say_what_it_took_counts_its_highest_price() {
    let price = price().await;
    let service = VisionService::start(|asked| {
        let content = json!({ "cells": asked.shown.iter().map(seen).collect::<Vec<_>>() }).to_string();
        let choice = json!({ "message": { "content": content }, "finish_reason": "stop" });
        Answer::Reply(ResponseTemplate::new(200).set_body_json(json!({ "choices": [choice] })))
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 4, "plan").await;
    assert!(seen.images.iter().all(Result::is_ok));
    assert_eq!((seen.cost, service.turns()), (price, 1));
}

#[tokio::test]
async fn a_service_that_counts_more_than_it_may_is_paid_before_it_is_asked_again() {
    let price = price().await;
    let service = VisionService::start(|_| {
        let usage = json!({ "prompt_tokens": 1_000_000, "completion_tokens": 1_000 });
        let choice = json!({ "message": { "content": "{}" }, "finish_reason": "stop" });
        Answer::Reply(ResponseTemplate::new(200).set_body_json(json!({ "choices": [choice], "usage": usage })))
    })
    .await;
    let model = model(&service, &[]).await;
    let (cost, granted, error) = observe_four(&model, price * 3).await;
    assert_eq!((service.turns(), granted), (1, price), "nothing more is asked");
    assert!(cost > price * 3, "{cost} of {granted}");
    assert!(matches!(error, Some(VisionError::OpenAi(OpenAiError::NoBudget { retry_of: None }))), "{error:?}");
}
