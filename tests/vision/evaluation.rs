//! A complete evaluation with the vision service.

use std::time::Duration;

use aws::store::actors::ActorRecord;
use balancer_tests::coded::{coded_picture, read_code};
use balancer_tests::openai::{Answer, VisionRequest, VisionService, assess_correctly, problem};
use balancer_tests::stack::{TestStack, actor};
use domain::actor::ActorId;
use domain::kind::{Kind, KindCounts};
use domain::messages::new_request_id;
use domain::money::MicroUsd;
use domain::status::Status;
use handlers::config::from_variables;
use handlers::wiring::evaluation;
use handlers::{Clock, Handler, HandlerError, Message};
use serde_json::{Value, json};

/// The variant of the refused image, `hero_3.jpg`.
const REFUSED: u32 = 3;

/// A balanced set of six: 4 photorealistic, 1 black-and-white and 1 colour stylized.
pub(crate) async fn with_set() -> (TestStack, ActorId) {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let kinds = KindCounts { photorealistic: 4, bw_stylized: 1, color_stylized: 1 };
    for (number, kind) in (1..).zip(kinds.each()) {
        stack.upload(&actor, &format!("hero_{number}.jpg"), &coded_picture(kind, 8, number)).await;
    }
    (stack, actor)
}

/// Evaluates the set with this service, as the function does.
pub(crate) async fn evaluate(stack: &TestStack, service: &VisionService, mode: &str) -> Result<(), HandlerError> {
    evaluate_at(Clock::system(), stack, service, mode).await
}

/// [`evaluate`] at another time.
pub(crate) async fn evaluate_at(
    clock: Clock,
    stack: &TestStack,
    service: &VisionService,
    mode: &str,
) -> Result<(), HandlerError> {
    evaluate_with(&[], clock, stack, service, &json!({ "actor_id": "hero", "mode": mode })).await
}

/// Handles a message, with these additional variables.
pub(crate) async fn evaluate_with(
    more: &[(&str, &str)],
    clock: Clock,
    stack: &TestStack,
    service: &VisionService,
    message: &Value,
) -> Result<(), HandlerError> {
    let mut variables = stack.variables();
    variables.extend(service.variables());
    variables.extend(more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    let config = from_variables(variables).unwrap();
    let worker = evaluation(config, stack.sdk_config(), clock).await.unwrap();
    worker
        .handler
        .handle(Message { request_id: &new_request_id(), body: &message.to_string(), first_sent_at: None })
        .await
}

pub(crate) async fn record(stack: &TestStack, actor: &ActorId) -> ActorRecord {
    stack.store.actor(actor).await.unwrap().unwrap()
}

fn refusing(request: &VisionRequest) -> Answer {
    match request.images.iter().any(|shown| read_code(&shown.image).unwrap().variant == REFUSED) {
        true => Answer::Refused("No."),
        false => assess_correctly(request),
    }
}

#[tokio::test]
async fn unassessed_image_is_named_and_not_counted() {
    let (stack, actor) = with_set().await;
    let service = VisionService::start(refusing).await;
    evaluate(&stack, &service, "dry_run").await.unwrap();
    let plan = stack.plans(&actor).await.pop().unwrap();
    assert_eq!(plan.before, KindCounts { photorealistic: 3, bw_stylized: 1, color_stylized: 1 });
    assert!(
        plan.delete.is_empty() && plan.slots.is_empty(),
        "the unassessed image may be of the missing kind: {plan:#?}"
    );
    assert_eq!((plan.notes.len(), plan.notes[0].filename.as_str()), (1, "hero_3.jpg"));
    assert!(plan.vision_cost > MicroUsd::ZERO);

    let requests_before = service.request_count();
    evaluate(&stack, &service, "execute").await.unwrap();
    assert_eq!(
        service.requested_numbers()[requests_before..].concat(),
        [1],
        "only the unassessed image is shown again"
    );
    let ActorRecord { status, reason, .. } = record(&stack, &actor).await;
    assert_eq!(status, Status::NeedsAttention);
    let reason = reason.unwrap();
    assert!(reason.contains("hero_3.jpg: not assessed: the model refuses to assess it (No.)"), "{reason}");
    assert_eq!(stack.filenames(&actor).await.len(), 6);

    evaluate(&stack, &VisionService::start(assess_correctly).await, "execute").await.unwrap();
    assert_eq!(record(&stack, &actor).await.status, Status::Balanced);
}

#[tokio::test]
async fn rejected_key_needs_attention_until_replaced() {
    let (stack, actor) = with_set().await;
    let refused = problem(401, "invalid_api_key", "Incorrect API key provided.");
    let service = VisionService::start(move |_| Answer::Reply(refused.clone())).await;
    evaluate(&stack, &service, "execute").await.expect("the message is acknowledged");
    let ActorRecord { status, reason, lease_token, .. } = record(&stack, &actor).await;
    assert_eq!((status, lease_token), (Status::NeedsAttention, None));
    let reason = reason.unwrap();
    assert!(reason.contains("OPENAI_API_KEY") && reason.contains("set a valid one"), "{reason}");

    evaluate(&stack, &VisionService::start(assess_correctly).await, "execute").await.unwrap();
    assert_eq!(record(&stack, &actor).await.status, Status::Balanced);
    let manifest = stack.manifest(&actor).await;
    let assessed_by = manifest.images.values().filter_map(|image| image.assessed_by.as_deref());
    assert!(assessed_by.clone().count() == 6 && assessed_by.clone().all(|name| name == "openai/vision-1/prompt-3"));
    assert_eq!(manifest.images["hero_5.jpg"].kind, Some(Kind::BwStylized));
}

#[tokio::test]
async fn evaluation_is_deferred_by_retry_after() {
    let (stack, actor) = with_set().await;
    let busy = problem(429, "rate_limit_exceeded", "Slow down").insert_header("Retry-After", "37");
    let service = VisionService::start(move |_| Answer::Reply(busy.clone())).await;
    let error = evaluate(&stack, &service, "execute").await.unwrap_err();
    assert!(matches!(error, HandlerError::Deferred { after, .. } if after == Duration::from_secs(37)), "{error}");
    assert_eq!(record(&stack, &actor).await.lease_token, None);
    assert!(stack.keys_below("evaluations/").await.is_empty(), "without assessments no grid is stored");
}

#[tokio::test]
async fn second_timeout_in_a_row_needs_attention() {
    let (stack, actor) = with_set().await;
    let slow = VisionService::start_slow(Duration::from_secs(30), assess_correctly).await;
    let evaluate_within = async |seconds, service| {
        let command = json!({ "actor_id": "hero" });
        evaluate_with(&[("VISION_TIMEOUT_SECONDS", seconds)], Clock::system(), &stack, service, &command).await
    };
    let error = evaluate_within("1", &slow).await.unwrap_err();
    assert!(matches!(error, HandlerError::Deferred { .. }), "the first timeout backs off: {error}");
    evaluate_within("1", &slow).await.expect("the message is acknowledged");
    let ActorRecord { status, reason, vision_timed_out, .. } = record(&stack, &actor).await;
    assert_eq!((status, vision_timed_out, slow.request_count()), (Status::NeedsAttention, false, 2));
    let reason = reason.unwrap();
    assert!(reason.contains("did not answer in time") && reason.contains("VISION_TIMEOUT_SECONDS (240"), "{reason}");

    let fast = VisionService::start(assess_correctly).await;
    evaluate_within("1", &slow).await.unwrap_err();
    evaluate_within("60", &fast).await.unwrap();
    let ActorRecord { status, vision_timed_out, .. } = record(&stack, &actor).await;
    assert_eq!((status, vision_timed_out), (Status::Balanced, false));
}

#[tokio::test]
async fn slow_service_with_progress_is_continued() {
    let (stack, actor) = with_set().await;
    for number in 7..47 {
        stack.upload(&actor, &format!("hero_{number}.jpg"), &coded_picture(Kind::BwStylized, 8, number)).await;
    }
    // Only the first page of an evaluation is answered in time.
    let answered = std::sync::atomic::AtomicUsize::new(0);
    let service =
        VisionService::start(move |request| match answered.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            1 | 2 | 4 => Answer::Reply(wiremock::ResponseTemplate::new(200).set_delay(Duration::from_secs(3600))),
            _ => assess_correctly(request),
        })
        .await;
    let variables = [("VISION_TIMEOUT_SECONDS", "12"), ("TARGET_TOTAL", "46"), ("QUIET_SECONDS", "0")];
    let mut evaluations = 0;
    while record_of(&stack, &actor).await.is_none_or(|record| record.status == Status::Waiting) {
        let command = json!({ "actor_id": "hero", "scope": "delete_only" });
        let _ = evaluate_with(&variables, Clock::system(), &stack, &service, &command).await;
        evaluations += 1;
        assert!(evaluations < 5, "{:#?}", record(&stack, &actor).await);
    }
    let reason = record(&stack, &actor).await.reason.unwrap();
    assert!(evaluations == 3 && !reason.contains("VISION_TIMEOUT_SECONDS"), "{evaluations} {reason}");
}

async fn record_of(stack: &TestStack, actor: &ActorId) -> Option<ActorRecord> {
    stack.store.actor(actor).await.unwrap()
}
