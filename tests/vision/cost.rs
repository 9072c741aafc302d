//! Every evaluation records its cost, however it ends, and pays for no assessment twice.

use std::time::Duration;

use aws::store::leases::Leased;
use aws::store::spending::AssessmentCost;
use balancer_tests::coded::coded_picture;
use balancer_tests::openai::{Answer, MODEL, Vendor, VisionService, assess_correctly, problem};
use balancer_tests::stack::TestStack;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::money::MicroUsd;
use domain::status::Status;
use handlers::{Clock, HandlerError};
use jiff::{SignedDuration, Timestamp};

use crate::vision::evaluation::{evaluate, evaluate_at, record, with_set};

async fn costs(stack: &TestStack, actor: &ActorId) -> Vec<AssessmentCost> {
    stack.store.assessment_costs(actor).await.unwrap()
}

/// Asserts that the records of the evaluations and the day's spending agree.
async fn assert_booked(stack: &TestStack, actor: &ActorId) {
    let recorded: MicroUsd = costs(stack, actor).await.into_iter().map(|evaluation| evaluation.cost).sum();
    let booked = stack.store.spending_on(actor, Clock::system().today()).await.unwrap();
    assert_eq!((booked.spent, booked.committed), (recorded, recorded));
}

#[tokio::test]
async fn evaluation_without_a_plan_records_its_cost() {
    let (stack, actor) = with_set().await;
    let service = VisionService::start(assess_correctly).await;
    evaluate(&stack, &service, "execute").await.unwrap();
    assert_eq!(record(&stack, &actor).await.status, Status::Balanced);
    let kept = costs(&stack, &actor).await;
    assert!(kept.len() == 1 && kept[0].images == 6 && kept[0].cost > MicroUsd::ZERO, "{kept:#?}");

    evaluate(&stack, &service, "execute").await.unwrap();
    assert_eq!(costs(&stack, &actor).await.len(), 1, "no request was sent");
    assert_booked(&stack, &actor).await;
}

#[tokio::test]
async fn deferred_or_failed_evaluation_records_its_cost() {
    let nonsense = || Answer::Reply(wiremock::ResponseTemplate::new(200).set_body_string("hello"));
    let (stack, actor) = with_set().await;
    let unreadable = VisionService::start(move |_| nonsense()).await;
    evaluate(&stack, &unreadable, "execute").await.unwrap_err();
    let rejecting = VisionService::start(move |request| match request.index {
        0 => nonsense(),
        _ => Answer::Reply(problem(401, "invalid_api_key", "Incorrect API key provided.")),
    })
    .await;
    evaluate(&stack, &rejecting, "execute").await.unwrap();
    assert_eq!(record(&stack, &actor).await.status, Status::NeedsAttention);
    let spent: Vec<u64> = costs(&stack, &actor).await.into_iter().map(|evaluation| evaluation.cost.0).collect();
    assert!(spent.len() == 2 && spent[0].div_ceil(4) == spent[1], "four unreadable answers, then one: {spent:?}");
    assert_booked(&stack, &actor).await;
}

#[tokio::test]
async fn interrupted_evaluation_keeps_its_assessments() {
    let (stack, actor) = with_set().await;
    for number in 7..27 {
        stack.upload(&actor, &format!("hero_{number}.jpg"), &coded_picture(Kind::BwStylized, 8, number)).await;
    }
    // One of the two pages is never answered.
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Reply(wiremock::ResponseTemplate::new(200).set_delay(Duration::from_secs(3600))),
        _ => assess_correctly(request),
    })
    .await;
    let timed_out = tokio::time::timeout(Duration::from_secs(12), evaluate(&stack, &service, "execute")).await;
    assert!(timed_out.is_err(), "the evaluation waits for the other page");
    let manifest = stack.manifest(&actor).await;
    let assessed = manifest.images.values().filter(|image| image.assessed_by.is_some()).count();
    assert!([6, 20].contains(&assessed), "{assessed} of 26 images");
    let booked = stack.store.spending_on(&actor, Clock::system().today()).await.unwrap();
    assert!(booked.spent == MicroUsd::ZERO && booked.committed > MicroUsd::ZERO, "the possible cost stays reserved");
}

#[tokio::test]
async fn only_images_new_to_model_and_rubric_are_shown() {
    let (stack, actor) = with_set().await;
    let service = VisionService::start(assess_correctly).await;
    evaluate(&stack, &service, "execute").await.unwrap();
    let shown = |numbers: Vec<Vec<u32>>| numbers.concat().len();
    assert_eq!(shown(service.requested_numbers()), 6);

    // A new version of a known image.
    stack.upload(&actor, "hero_2.jpg", &coded_picture(Kind::Photorealistic, 9, 40)).await;
    evaluate(&stack, &service, "execute").await.unwrap();
    assert_eq!(shown(service.requested_numbers()), 6 + 1);

    // Two assessments by an older rubric.
    for name in ["hero_1.jpg", "hero_3.jpg"] {
        let mut image = stack.manifest(&actor).await.images[name].clone();
        let replaced = image.clone();
        image.assessed_by = Some(format!("openai/{MODEL}/prompt-0"));
        stack.store.save_observation(&actor, name, &image, &replaced).await.unwrap();
    }
    evaluate(&stack, &service, "execute").await.unwrap();
    assert_eq!(shown(service.requested_numbers()), 6 + 1 + 2);

    // Another model.
    let other = VisionService::of(Vendor { model: "vision-2", ..Vendor::default() }, assess_correctly).await;
    evaluate(&stack, &other, "execute").await.unwrap();
    assert_eq!((shown(other.requested_numbers()), shown(service.requested_numbers())), (6, 9));
}

#[tokio::test]
async fn assessment_ends_an_earlier_outage() {
    let (stack, actor) = with_set().await;
    for number in 7..27 {
        stack.upload(&actor, &format!("hero_{number}.jpg"), &coded_picture(Kind::BwStylized, 8, number)).await;
    }
    let began = Timestamp::now() - SignedDuration::from_hours(2);
    stack.store.lease_actor(&actor, "t", Timestamp::now()).await.unwrap();
    stack.store.release_lease(Leased::Actor(&actor), "t").await.unwrap();
    stack.store.note_vision_outage(&actor, Some((began, "an earlier error"))).await.unwrap();
    // One of the two pages is assessed.
    let service = VisionService::start(|request| match request.index {
        0 => assess_correctly(request),
        _ => Answer::Reply(problem(500, "server_error", "oops")),
    })
    .await;
    let error = evaluate(&stack, &service, "execute").await.unwrap_err();
    assert!(matches!(error, HandlerError::Deferred { .. }), "{error:?}");
    let since = record(&stack, &actor).await.vision_outage_since.unwrap();
    assert!(Timestamp::now().duration_since(since) < SignedDuration::from_hours(1), "{since}");
}

#[tokio::test]
async fn outage_backs_off_for_an_hour() {
    let (stack, actor) = with_set().await;
    let down = problem(500, "server_error", "oops");
    let service = VisionService::start(move |_| Answer::Reply(down.clone())).await;
    let began = Timestamp::now();
    let deferred = async |minutes| {
        let now = began + SignedDuration::from_mins(minutes);
        match evaluate_at(Clock::telling(move || now), &stack, &service, "execute").await.unwrap_err() {
            HandlerError::Deferred { after, .. } => Some(after.as_secs()),
            _ => None,
        }
    };
    assert_eq!((deferred(0).await, deferred(1).await, deferred(10).await), (Some(2), Some(60), Some(600)));
    assert_eq!((deferred(40).await, deferred(61).await), (Some(900), None), "then the message fails");
    let during = record(&stack, &actor).await;
    assert!(during.vision_outage_since.is_some() && during.vision_outage_cause.is_some(), "{during:?}");
    evaluate(&stack, &VisionService::start(assess_correctly).await, "execute").await.unwrap();
    assert_eq!(record(&stack, &actor).await.vision_outage_since, None);
}
