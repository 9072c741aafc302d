//! The three ways to use the product: images land in S3, a message is put on a queue by hand, a function is invoked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration};
use balancer::adapters::queues::Queue;
use balancer::adapters::store::actors::Status;
use balancer::domain::actor::ActorId;
use balancer::domain::kind::Kind::{BwStylized, ColorStylized, Photorealistic};
use balancer::domain::manifest::{BALANCING, UPLOADED};
use balancer::domain::plan::{Origin, PlanState};
use balancer_tests::pictures::{self, Picture};
use balancer_tests::runtime_api;
use balancer_tests::set::{TARGET, assert_balanced, assert_local_copy_equals_bucket, counts, numbers_made};
use balancer_tests::stack::{self, TestStack, actor};
use local_stack::Account;
use serde_json::{Value, json};

/// A balanced set.
fn full_set() -> Vec<Picture> {
    [pictures::good(Photorealistic, 4), pictures::good(BwStylized, 1), pictures::good(ColorStylized, 1)].concat()
}

/// A stack in which uploads set nothing going.
async fn stack_by_hand() -> TestStack {
    TestStack::with(&[("AutomaticBalancing", "DISABLED")]).await
}

// --- Images land in S3 --------------------------------------------------------------------------

#[tokio::test]
async fn uploads_set_the_balancing_going_and_the_set_ends_at_its_target() {
    let (stack, actor) = (TestStack::start().await, actor("0001_european_20_female"));
    stack.upload_base_image(&actor).await;
    let kept = stack.upload_all(&actor, 11, &pictures::good(Photorealistic, 2)).await;
    stack.upload(&actor, "0001_european_20_female_3.png", &pictures::blurred()).await;

    stack.balanced(&actor).await;

    let manifest = assert_balanced(&stack, &actor).await;
    for name in &kept {
        let image = &manifest.images[name];
        assert_eq!(image.generation_type.as_deref(), Some(UPLOADED));
        assert_eq!((image.generation_id, image.kind), (Some(1), Some(Photorealistic)));
    }
    let made = numbers_made(&stack, &actor, &manifest, 13).await;
    assert!(made.len() >= 4);
    assert_eq!(made, (13..13 + made.len() as u64).collect::<Vec<_>>(), "no gap, no double");
    assert_eq!(manifest.last_number, 12 + made.len() as u64);
    let women = manifest.images.values().filter_map(|image| image.prompt.as_deref());
    assert!(women.clone().count() == 4 && women.clone().all(|prompt| prompt.contains("woman")));
}

#[tokio::test]
async fn a_deleted_image_lies_in_the_trash_of_its_plan_and_the_local_copy_follows_the_bucket() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let blurred = pictures::blurred();
    stack.upload(&actor, "hero_7.jpg", &blurred).await;

    stack.balanced(&actor).await;

    assert_local_copy_equals_bucket(&stack, &actor).await;
    let first = &stack.plans(&actor).await[0];
    assert_eq!(first.delete.len(), 1);
    assert!(first.delete[0].reason.contains("below the floor of 5"), "{}", first.delete[0].reason);
    let trash = stack.keys.trash(&actor, &first.plan_id, "hero_7.jpg");
    assert!(stack.object(&trash).await == blurred);
    let local_trash = stack.data.path().join("hero/trash").join(&first.plan_id).join("hero_7.jpg");
    assert!(fs::read(local_trash).unwrap() == blurred);
}

#[tokio::test]
async fn each_plan_keeps_the_grid_that_was_judged_and_every_object_is_a_jpeg() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &pictures::good(Photorealistic, 2)).await;

    stack.balanced(&actor).await;

    let grids = stack.keys_below("evaluations/hero/").await;
    for plan in stack.plans(&actor).await {
        assert!(grids.contains(&format!("{}.jpg", plan.plan_id)), "{grids:?}");
        let grid = stack.object(&stack.keys.grid(&actor, &plan.plan_id, 1)).await;
        assert!(image::load_from_memory(&grid).unwrap().width() >= 320);
    }
    let images = stack.filenames(&actor).await;
    let folders = grids.iter().map(|name| format!("evaluations/hero/{name}"));
    for key in folders.chain(images.iter().map(|name| format!("training_data/hero/{name}"))) {
        let key = format!("{}/{key}", stack::KEY_PREFIX);
        let head = stack.s3.head_object().bucket(stack.bucket.name()).key(&key).send().await.unwrap();
        assert_eq!(head.content_type(), Some("image/jpeg"), "{key}");
    }
}

#[tokio::test]
async fn a_bucket_that_was_there_before_is_balanced_like_the_stacks_own() {
    let account = Account::unique();
    let s3 = aws_sdk_s3::Client::new(&stack::emulator().await.sdk_config(&account));
    let name = format!("already-here-{account}");
    s3.create_bucket().bucket(&name).send().await.unwrap();
    let events =
        NotificationConfiguration::builder().event_bridge_configuration(EventBridgeConfiguration::builder().build());
    let request = s3.put_bucket_notification_configuration().bucket(&name);
    request.notification_configuration(events.build()).send().await.unwrap();

    let stack = TestStack::in_account(account, &[("BucketName", &name)]).await;
    assert_eq!(stack.outputs().bucket, name);
    let actor = actor("hero");
    stack.upload_all(&actor, 1, &full_set()).await;
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

// --- A message by hand --------------------------------------------------------------------------

#[tokio::test]
async fn an_evaluation_asked_for_by_hand_balances_the_set() {
    let (stack, actor) = (stack_by_hand().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &pictures::good(ColorStylized, 3)).await;
    stack.idle().await;
    assert_eq!(stack.store.actor(&actor).await.unwrap(), None, "uploads set nothing going in this stack");

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;

    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let (stack, actor) = (stack_by_hand().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let names = stack.upload_all(&actor, 1, &pictures::good(BwStylized, 2)).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "mode": "dry_run" })).await;
    stack.idle().await;

    let [plan] = &stack.plans(&actor).await[..] else { panic!("one plan is wanted") };
    assert_eq!((plan.state, plan.before.to_string(), plan.result), (PlanState::DryRun, "0/2/0".to_owned(), TARGET));
    assert_eq!((plan.delete.len(), plan.slots.len()), (1, 5));
    assert_eq!(stack.filenames(&actor).await, names);
    assert!(stack.keys_below("trash/").await.is_empty());
    assert!(stack.manifest(&actor).await.generations.iter().all(|generation| generation.origin == UPLOADED));
    assert_ne!(stack.store.actor(&actor).await.unwrap().unwrap().status, Status::Balancing);
}

#[tokio::test]
async fn delete_only_deletes_what_is_too_much_and_makes_nothing() {
    let (stack, actor) = (stack_by_hand().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &pictures::good(BwStylized, 3)).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": "delete_only" })).await;

    let reason = stack.needs_attention(&actor).await;
    assert!(reason.starts_with("The set stands at 0/1/0 of 4/1/1"), "{reason}");
    let manifest = stack.manifest(&actor).await;
    assert_eq!(counts(&manifest).to_string(), "0/1/0");
    assert!(manifest.generations.iter().all(|generation| generation.origin == UPLOADED));
    assert_eq!(stack.keys_below("trash/hero/").await.len(), 2);
    assert_eq!(stack.filenames(&actor).await.len(), 1);
}

#[tokio::test]
async fn generate_only_makes_what_is_missing_and_deletes_nothing() {
    let (stack, actor) = (stack_by_hand().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let names = stack.upload_all(&actor, 1, &pictures::good(BwStylized, 3)).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": "generate_only" })).await;

    stack.balanced_or_not(&actor).await;
    let counts = counts(&stack.manifest(&actor).await);
    assert!(counts.photorealistic >= 4 && counts.bw_stylized >= 3 && counts.color_stylized >= 1, "{counts}");
    let filenames = stack.filenames(&actor).await;
    assert!(names.iter().all(|name| filenames.contains(name)));
    assert!(stack.keys_below("trash/").await.is_empty());
}

#[tokio::test]
async fn files_named_in_a_deletion_by_hand_go_to_the_trash_and_are_replaced() {
    let (stack, actor) = (stack_by_hand().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let names = stack.upload_all(&actor, 1, &full_set()).await;

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": [names[0], "not-there.png"] })).await;

    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    assert!(!manifest.images.contains_key(&names[0]));
    assert!(names[1..].iter().all(|name| manifest.images.contains_key(name)));
    let trash = stack.keys_below("trash/hero/").await;
    let by_hand: Vec<_> = trash.iter().filter(|key| key.starts_with("by-hand-")).collect();
    assert!(by_hand.len() == 1 && by_hand[0].ends_with(&format!("/{}", names[0])), "{trash:?}");
    assert_local_copy_equals_bucket(&stack, &actor).await;
}

#[tokio::test]
async fn numbers_in_a_generation_by_hand_are_made_and_the_set_is_then_brought_to_its_target() {
    let (stack, actor) = (stack_by_hand().await, actor("hero"));
    stack.upload_base_image(&actor).await;
    let message = json!({ "actor_id": "hero", "generate": { "bw_stylized": 2, "photorealistic": 1 } });

    stack.send(Queue::Generation, message).await;

    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    let plans = stack.plans(&actor).await;
    let by_hand = plans.iter().find(|plan| plan.origin == Origin::ByHand).unwrap();
    assert_eq!((by_hand.generated, by_hand.state), (3, PlanState::Closed));
    let kinds: Vec<_> = by_hand.slots.iter().map(|slot| slot.kind).collect();
    assert_eq!(kinds, [Photorealistic, BwStylized, BwStylized]);
    let made = numbers_made(&stack, &actor, &manifest, 1).await;
    assert_eq!(made, (1..=made.len() as u64).collect::<Vec<_>>(), "no gap, no double");
    assert!(manifest.images.values().all(|image| image.generation_type.as_deref() == Some(BALANCING)));
}

// --- A function is invoked, as `sam local invoke` does it ---------------------------------------

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/events");

/// The sample events whose names start so.
fn sample_events(prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(EVENTS).unwrap().map(|entry| entry.unwrap().path());
    let mut events: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix)).collect();
    events.sort();
    assert!(!events.is_empty());
    events
}

/// Hands a sample event to a function of the stack, with the stack's bucket in the place of the example's.
async fn invoke(stack: &TestStack, binary: &Path, event: &Path) -> Value {
    let event = fs::read_to_string(event).unwrap().replace("example-training-data", stack.bucket.name());
    runtime_api::invoke(binary, stack.variables(), &event).await
}

fn nothing_failed() -> Value {
    json!({ "batchItemFailures": [] })
}

async fn example_set(stack: &TestStack) -> ActorId {
    let actor = actor("example_actor");
    stack.upload_base_image(&actor).await;
    let pictures = full_set();
    stack.upload(&actor, "0001_european_20_female_12.png", &pictures[0].jpeg).await;
    stack.upload_all(&actor, 1, &pictures[1..]).await;
    actor
}

#[tokio::test]
async fn the_evaluation_function_answers_each_of_its_sample_events() {
    let stack = stack_by_hand().await;
    let actor = example_set(&stack).await;
    for event in sample_events("evaluation-") {
        let answer = invoke(&stack, &stack::binaries().await.evaluation, &event).await;
        assert_eq!(answer, nothing_failed(), "{}", event.display());
    }
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn the_deletion_function_answers_each_of_its_sample_events() {
    let stack = stack_by_hand().await;
    let actor = example_set(&stack).await;
    for event in sample_events("deletion-") {
        let answer = invoke(&stack, &stack::binaries().await.deletion, &event).await;
        assert_eq!(answer, nothing_failed(), "{}", event.display());
    }
    let refusals = stack.refusals(1).await;
    assert!(refusals[0].reason.contains("example_actor has no plan plan-0001"), "{refusals:?}");
    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    assert!(!manifest.images.contains_key("0001_european_20_female_12.png"));
}

#[tokio::test]
async fn the_generation_function_answers_each_of_its_sample_events() {
    let stack = stack_by_hand().await;
    let actor = example_set(&stack).await;
    for event in sample_events("generation-") {
        let answer = invoke(&stack, &stack::binaries().await.generation, &event).await;
        assert_eq!(answer, nothing_failed(), "{}", event.display());
    }
    let refusals = stack.refusals(1).await;
    assert!(refusals[0].reason.contains("example_actor has no plan plan-0001"), "{refusals:?}");
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
    let plans = stack.plans(&actor).await;
    assert!(plans.iter().any(|plan| plan.origin == Origin::ByHand && plan.generated == 2), "{plans:?}");
}

#[tokio::test]
async fn beside_a_bad_message_the_good_ones_are_done_and_the_bad_one_is_recorded_as_refused() {
    let stack = stack_by_hand().await;
    let actor = example_set(&stack).await;
    let event = Path::new(EVENTS).join("evaluation-batch-with-one-bad-message.json");

    let answer = invoke(&stack, &stack::binaries().await.evaluation, &event).await;

    assert_eq!(answer, nothing_failed());
    let [refusal] = &stack.refusals(1).await[..] else { panic!("one refusal is wanted") };
    assert_eq!((refusal.queue.as_str(), refusal.body.as_str()), ("evaluation", "this is not JSON"));
    assert_eq!(refusal.message_id, "00000000-0000-4000-8000-000000000002");
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn a_function_with_a_wrong_environment_does_not_start_and_names_every_wrong_variable() {
    let binaries = stack::binaries().await;
    for binary in [&binaries.evaluation, &binaries.deletion, &binaries.generation] {
        let variables =
            [("BUCKET", "b"), ("GENERATOR", "embedded"), ("VISION_PROVIDER", "embedded"), ("MAX_ROUNDS", "0")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let said = runtime_api::fail_to_start(binary, variables).await;
        for name in ["TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL", "MAX_ROUNDS is `0`"]
        {
            assert!(said.contains(name), "{}: {said}", binary.display());
        }
    }
}
