//! The settings of single actors, and the faults that they let cost quality.

use aws::queues::Queue;
use balancer_tests::coded::{Code, coded_picture, read_code};
use balancer_tests::openai::{Answer, VisionRequest, VisionService, true_entry};
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::limits::Fault;
use domain::settings::ActorSettings;
use domain::status::Status;
use serde_json::{Value, json};

const SET: [Kind; 6] = [
    Kind::Photorealistic,
    Kind::Photorealistic,
    Kind::Photorealistic,
    Kind::Photorealistic,
    Kind::BwStylized,
    Kind::ColorStylized,
];

/// A world whose vision service answers like this, and an actor with a base image and a balanced set of this quality.
async fn with_set(
    variables: &[(&str, &str)],
    quality: u8,
    answers: impl Fn(&VisionRequest) -> Answer + Send + Sync + 'static,
) -> (World, VisionService, ActorId) {
    let (mut world, hero) = (World::coded(variables).await, actor("hero"));
    let service = VisionService::start(answers).await;
    world.set("OPENAI_BASE_URL", &format!("{}/v1", service.address()));
    world.upload_base_image(&hero).await;
    for (number, kind) in (1..).zip(SET) {
        world.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(kind, quality, number)).await;
    }
    world.wait_for_messages(1).await;
    (world, service, hero)
}

fn truly(request: &VisionRequest) -> Answer {
    flagged(request, |_| json!([]))
}

fn flagged(request: &VisionRequest, flags: impl Fn(Code) -> Value) -> Answer {
    let entry = |image| {
        let mut entry = true_entry(image);
        entry["flags"] = read_code(&image.image).map_or_else(|| json!([]), &flags);
        entry
    };
    Answer::Entries(request.images.iter().map(entry).collect())
}

/// Uploads `actor.json`, and processes its event and what follows.
async fn set_own(world: &World, hero: &ActorId, settings: Value) {
    world.upload(hero, "actor.json", settings.to_string().as_bytes()).await;
    world.wait_for_messages(1).await;
    world.drive().await;
}

async fn status(world: &World, hero: &ActorId) -> (Status, String) {
    let record = world.store.actor(hero).await.unwrap().unwrap();
    (record.status, record.reason.unwrap_or_default())
}

#[tokio::test]
async fn uploaded_actor_file_changes_the_target() {
    let (world, _service, hero) = with_set(&[], 9, truly).await;
    world.drive().await;
    assert_eq!(world.store.images(&hero).await.unwrap().len(), 6);
    let own = json!({ "target_total": 8, "trigger": "ohwx", "class": "woman" });
    set_own(&world, &hero, own).await;
    let (balanced, reason) = status(&world, &hero).await;
    assert_eq!(balanced, Status::Balanced, "{reason}");
    assert_eq!(world.store.images(&hero).await.unwrap().len(), 8);
    let manifest = world.manifest(&hero).await;
    assert_eq!((&manifest.metadata["trigger"], &manifest.metadata["class"]), (&json!("ohwx"), &json!("woman")));
}

#[tokio::test]
async fn own_floor_replaces_what_the_stack_keeps() {
    let (world, _service, hero) = with_set(&[], 7, truly).await;
    world.drive().await;
    assert!(world.store.plans(&hero).await.unwrap().is_empty());
    set_own(&world, &hero, json!({ "quality_floor": 8 })).await;
    let plan = world.store.plans(&hero).await.unwrap().remove(0);
    assert_eq!(plan.delete.len(), 6);
    assert!(plan.delete[0].reason.contains("Rated 7, below the floor of 8."), "{}", plan.delete[0].reason);
}

#[tokio::test]
async fn own_limit_keeps_what_the_stack_replaces() {
    let lettering = |request: &VisionRequest| flagged(request, |_| json!(["text"]));
    let stack = [("QUALITY_FLOOR", "6"), ("MAX_DELETED_PERCENT", "50")];
    let (world, _service, hero) = with_set(&stack, 9, lettering).await;
    world.drive().await;
    let (_, reason) = status(&world, &hero).await;
    assert!(reason.contains("approve"), "{reason}");
    set_own(&world, &hero, json!({ "quality_limits": { "text": 10 } })).await;
    assert_eq!(status(&world, &hero).await.0, Status::Balanced);
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.settings.quality_limits[&Fault::Text], 10);
    assert_eq!(world.store.images(&hero).await.unwrap().len(), 6);
}

#[tokio::test]
async fn suspended_set_is_retried_with_other_settings() {
    let (world, _service, hero) = with_set(&[("QUALITY_FLOOR", "10")], 9, truly).await;
    world.drive().await;
    assert!(world.store.actor(&hero).await.unwrap().unwrap().suspension.is_some());
    let attempts = world.store.plans(&hero).await.unwrap().len();
    set_own(&world, &hero, json!({ "sex": "female" })).await;
    assert!(world.store.plans(&hero).await.unwrap().len() > attempts, "other prompts may succeed");
    set_own(&world, &hero, json!({ "quality_floor": 5 })).await;
    assert_eq!(status(&world, &hero).await.0, Status::Balanced);
}

#[tokio::test]
async fn invalid_setting_is_named_and_costs_no_image() {
    let (world, _service, hero) = with_set(&[], 3, truly).await;
    world.upload(&hero, "actor.json", br#"{"target_total":0}"#).await;
    world.drive().await;
    let (attention, reason) = status(&world, &hero).await;
    assert_eq!(attention, Status::NeedsAttention);
    assert!(reason.contains("`target_total` is 0 but must be a number from 1 to 500"), "{reason}");
    assert!(world.store.plans(&hero).await.unwrap().is_empty());
}

#[tokio::test]
async fn settings_alone_generate_nothing() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    set_own(&world, &hero, json!({ "target_total": 8 })).await;
    assert!(world.store.actor(&hero).await.unwrap().is_none());
    assert!(world.keys_below("training_data/hero/").await.iter().all(|key| key.ends_with("actor.json")));
}

#[tokio::test]
async fn removed_actor_file_restores_the_stacks_settings() {
    let (world, _service, hero) = with_set(&[], 9, truly).await;
    set_own(&world, &hero, json!({ "target_total": 8 })).await;
    assert_eq!(world.store.images(&hero).await.unwrap().len(), 8);
    world.bucket.delete(&world.keys.image(&hero, "actor.json")).await.unwrap();
    world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
    world.drive().await;
    assert_eq!(world.store.images(&hero).await.unwrap().len(), 6);
    assert_eq!(world.store.actor(&hero).await.unwrap().unwrap().settings, ActorSettings::default());
}

#[tokio::test]
async fn own_frontal_images_stay() {
    let passport = |request: &VisionRequest| {
        flagged(request, |code| if code.variant <= 6 { json!(["looking_at_camera", "symmetrical"]) } else { json!([]) })
    };
    let (world, _service, hero) = with_set(&[], 9, passport).await;
    // One photograph is too many. It is no frontal one, but worse.
    world.upload(&hero, "hero_7.jpg", &coded_picture(SET[0], 8, 7)).await;
    world.wait_for_messages(2).await;
    world.drive().await;
    assert_eq!(status(&world, &hero).await.0, Status::Balanced);
    let plan = world.store.plans(&hero).await.unwrap().remove(0);
    assert_eq!(plan.delete.iter().map(|deletion| &*deletion.filename).collect::<Vec<_>>(), ["hero_7.jpg"]);
}

#[tokio::test]
async fn generated_frontal_images_are_replaced() {
    // Generated images have the upper half of the variants. The first two are frontal; one of six may be.
    let frontal = |code: Code| match code.variant.checked_sub(balancer_tests::coded::VARIANTS / 2) {
        Some(0 | 1) => json!(["looking_at_camera", "symmetrical"]),
        _ => json!([]),
    };
    let (world, _service, hero) = with_set(&[], 9, move |request| flagged(request, frontal)).await;
    set_own(&world, &hero, json!({ "target_total": 8 })).await;
    let (balanced, reason) = status(&world, &hero).await;
    assert_eq!(balanced, Status::Balanced, "{reason}");
    let plans = world.store.plans(&hero).await.unwrap();
    let deleted: Vec<_> = plans.iter().flat_map(|plan| &plan.delete).collect();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    let reason = &deleted[0].reason;
    assert!(reason.contains("Like a passport photograph; the set has a frontal image already."), "{reason}");
}
