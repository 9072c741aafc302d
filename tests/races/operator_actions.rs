//! Operator actions on the same names and images while the functions work.

use aws::queues::Queue;
use aws::store::slots::SlotName;
use balancer_tests::coded::coded_picture;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{Delivery, Fault, Trace, World};
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::lifecycle::slot::SlotState;
use domain::manifest::BALANCING;
use domain::numbering::number_of;
use domain::plan::PlanState;
use domain::status::Status;
use jiff::SignedDuration;
use serde_json::json;

/// A picture that the operator uploads.
fn uploaded_picture() -> Vec<u8> {
    coded_picture(Kind::Photorealistic, 9, 77)
}

async fn request_one(world: &World, actor: &ActorId) {
    world.upload_base_image(actor).await;
    world.send(Queue::Generation, json!({ "actor_id": actor, "generate": { "photorealistic": 1 } })).await;
}

/// A slot with a number, whose worker crashed before it placed the image.
async fn interrupted_before_placing() -> (World, ActorId) {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    request_one(&world, &hero).await;
    world.network.fail_on("/training_data/hero/hero_1.jpg", Fault::CrashBefore);
    while !world.network.has_failed() {
        world.deliver_once(1, None, &mut Trace::default()).await;
    }
    (world, hero)
}

async fn object(world: &World, actor: &ActorId, name: &str) -> Option<Vec<u8>> {
    world.bucket.get(&world.keys.image(actor, name)).await.unwrap().map(|object| object.bytes)
}

async fn generated(world: &World, actor: &ActorId) -> Vec<String> {
    let images = world.manifest(actor).await.images.into_iter();
    images
        .filter(|(_, image)| image.generation_type.as_deref() == Some(BALANCING) && image.etag.is_some())
        .map(|(name, _)| name)
        .collect()
}

#[tokio::test]
async fn local_only_file_keeps_its_name() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    std::fs::create_dir_all(world.local_folder(&hero)).unwrap();
    std::fs::write(world.local_folder(&hero).join("hero_1.jpg"), uploaded_picture()).unwrap();
    request_one(&world, &hero).await;
    world.generate_with(1).await;
    assert_eq!(std::fs::read(world.local_folder(&hero).join("hero_1.jpg")).unwrap(), uploaded_picture());
    assert_eq!(generated(&world, &hero).await, ["hero_2.jpg"]);
}

#[tokio::test]
async fn local_file_keeps_a_just_assigned_number() {
    let (world, hero) = interrupted_before_placing().await;
    std::fs::write(world.local_folder(&hero).join("hero_1.jpg"), uploaded_picture()).unwrap();
    world.drive().await;
    assert_eq!(std::fs::read(world.local_folder(&hero).join("hero_1.jpg")).unwrap(), uploaded_picture());
    assert_eq!(generated(&world, &hero).await.first().map(String::as_str), Some("hero_2.jpg"));
    assert_eq!(world.dead_letters().await, 0);
}

#[tokio::test]
async fn upload_keeps_the_number_of_an_interrupted_slot() {
    let (world, hero) = interrupted_before_placing().await;
    std::fs::remove_file(world.local_folder(&hero).join("hero_1.jpg")).unwrap();
    world.upload(&hero, "hero_1.jpg", &uploaded_picture()).await;
    world.send(Queue::Evaluation, json!({ "actor_id": hero, "mode": "dry_run" })).await;
    world.drive().await;
    assert_eq!(object(&world, &hero, "hero_1.jpg").await, Some(uploaded_picture()));
    let generated = generated(&world, &hero).await;
    assert!(
        generated.contains(&"hero_2.jpg".to_owned()) && !generated.contains(&"hero_1.jpg".to_owned()),
        "{generated:?}"
    );
    assert_eq!(world.dead_letters().await, 0);
}

#[tokio::test]
async fn other_upload_keeps_a_just_assigned_number() {
    for name in ["hero_1.png", "0001_european_20_female_1.jpg"] {
        let (world, hero) = interrupted_before_placing().await;
        world.upload(&hero, name, &uploaded_picture()).await;
        world.drive().await;
        let listed = world.keys_below("training_data/hero/").await;
        let mut numbers: Vec<_> = listed.iter().map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        assert!(listed.contains(&name.to_owned()), "{listed:?}");
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{listed:?}");
        assert_eq!(world.local_files(&hero), listed);
    }
}

#[tokio::test]
async fn upload_mistaken_for_a_generated_image_is_evaluated() {
    let bad = |kind, index| coded_picture(kind, 2, 1_000 + index as u32);
    let variables = [("TARGET_TOTAL", "1"), ("MAX_ROUNDS", "1")];
    let (world, hero) = (World::with(&variables, |_, _| Outcome::Succeeds, bad).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
    world.network.fail_on("/training_data/hero/hero_1.jpg", Fault::CrashBefore);
    while !world.network.has_failed() {
        world.deliver_once(1, None, &mut Trace::default()).await;
    }
    let key = world.keys.image(&hero, "hero_1.jpg");
    let waiting = world.queues.total_depth().await.unwrap() as usize;
    world.bucket.put(&key, uploaded_picture(), "image/jpeg").await.unwrap();
    world.wait_for_messages(waiting + 1).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Balanced, "{record:?}");
    assert_eq!(object(&world, &hero, "hero_1.jpg").await, Some(uploaded_picture()));
}

#[tokio::test]
async fn late_image_of_superseded_plan_is_evaluated() {
    let (world, hero) = (World::coded(&[("TARGET_TOTAL", "1")]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.send(Queue::Evaluation, json!({ "actor_id": hero })).await;
    world.network.fail_on("/training_data/hero/hero_1.jpg", Fault::CrashBefore);
    // The crashed worker's message is delivered again when the set is balanced without its image.
    let mut trace = Trace::redelivering_last();
    while !world.network.has_failed() {
        world.deliver_once(1, None, &mut trace).await;
    }
    world.send(Queue::Evaluation, json!({ "actor_id": hero, "force": true })).await;
    world.resume_drive(trace, Delivery::default()).await;
    let listed = world.keys_below("training_data/hero/").await;
    let plans = world.store.plans(&hero).await.unwrap();
    assert_eq!(plans[0].state, PlanState::Superseded, "{plans:?}");
    assert_eq!((listed.len(), world.replicate.charged()), (1, 2), "{listed:?}");
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!((record.status, record.reason.as_deref()), (Status::Balanced, Some("Balanced at 1/0/0.")));
    // The evaluation since then has seen the image.
    let slot = json!({ "actor_id": hero, "plan_id": plans[0].plan_id, "slot_id": "001" });
    world.send(Queue::Generation, slot).await;
    world.drive().await;
    assert_eq!(world.store.actor(&hero).await.unwrap().unwrap(), record);
}

#[tokio::test]
async fn highest_number_does_not_exhaust_the_numbers() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload(&hero, "hero_999999999999999999.jpg", &uploaded_picture()).await;
    world.upload(&hero, "portrait.jpg", &coded_picture(Kind::BwStylized, 9, 78)).await;
    request_one(&world, &hero).await;
    world.generate_with(1).await;
    assert_eq!(generated(&world, &hero).await.len(), 1);
}

#[tokio::test]
async fn caption_of_an_unplaced_image_takes_no_number() {
    let (world, hero) = interrupted_before_placing().await;
    std::fs::write(world.local_folder(&hero).join("hero_1.txt"), "a man on a pier").unwrap();
    world.generate_with(1).await;
    assert_eq!(generated(&world, &hero).await, ["hero_1.jpg"]);
}

#[tokio::test]
async fn slot_without_staged_bytes_fails_and_its_plan_ends() {
    let (world, hero) = interrupted_before_placing().await;
    let plan = world.store.plans(&hero).await.unwrap().remove(0);
    world.bucket.delete(&world.keys.staging(&hero, &plan.plan_id, "001")).await.unwrap();
    world.drive().await;
    let name = SlotName { actor: &hero, plan_id: &plan.plan_id, slot_id: "001" };
    let state = world.store.slot(name).await.unwrap().progress.state;
    assert!(matches!(state, SlotState::Failed { .. }), "{state:?}");
    assert_eq!(world.store.plan(&hero, &plan.plan_id).await.unwrap().unwrap().remaining, 0);
    let unplaced = world.manifest(&hero).await.images.into_values().filter(|image| image.etag.is_none()).count();
    assert_eq!((unplaced, world.dead_letters().await), (0, 0));
}

#[tokio::test]
async fn placed_and_deleted_image_does_not_return() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    request_one(&world, &hero).await;
    world.network.fail_on("/training_data/hero/hero_1.jpg", Fault::CrashAfter);
    while !world.network.has_failed() {
        world.deliver_once(1, None, &mut Trace::default()).await;
    }
    world.send(Queue::Deletion, json!({ "actor_id": hero, "filenames": ["hero_1.jpg"] })).await;
    while !world.keys_below("training_data/hero/").await.is_empty() {
        world.deliver_once(1, None, &mut Trace::default()).await;
    }
    world.drive().await;
    assert_eq!(object(&world, &hero, "hero_1.jpg").await, None);
    assert!(world.keys_below("trash/hero/").await.iter().any(|name| name.ends_with("/hero_1.jpg")));
}

#[tokio::test]
async fn redelivery_does_not_restore_a_claimed_image() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    request_one(&world, &hero).await;
    world.network.fail_on("/training_data/hero/hero_1.jpg", Fault::CrashAfter);
    let deliver_until_crash = async || {
        while !world.network.has_failed() {
            world.deliver_once(1, None, &mut Trace::default()).await;
        }
    };
    deliver_until_crash().await;
    world.send(Queue::Deletion, json!({ "actor_id": hero, "filenames": ["hero_1.jpg"] })).await;
    let key = world.keys.image(&hero, "hero_1.jpg");
    world.network.fail_on(&format!("DELETE /{}/{key}", world.bucket.name()), Fault::CrashAfter);
    // The deleting worker crashes, and then the generation message of the first crash is delivered again.
    deliver_until_crash().await;
    assert!(object(&world, &hero, "hero_1.jpg").await.is_none());
    world.drive().await;
    assert!(object(&world, &hero, "hero_1.jpg").await.is_none());
    assert!(!world.manifest(&hero).await.images.contains_key("hero_1.jpg"));
}

#[tokio::test]
async fn late_event_of_trashed_own_image_starts_no_round() {
    let bad = |kind, index| coded_picture(kind, 2, 1_000 + index as u32);
    let variables = [("TARGET_TOTAL", "1"), ("MAX_ROUNDS", "2")];
    let (world, hero) = (World::with(&variables, |_, _| Outcome::Succeeds, bad).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.upload(&hero, "hero_1.jpg", &coded_picture(Kind::Photorealistic, 2, 1)).await;
    world.wait_for_messages(1).await;
    world.drive().await;
    let plans = world.store.plans(&hero).await.unwrap().len();
    let manifest = world.manifest(&hero).await;
    let (name, trashed) = manifest.trash.iter().find(|(_, kept)| kept[0].image.plan_id.is_some()).unwrap();
    let landed = |at: jiff::Timestamp| {
        json!({ "detail-type": "Object Created", "time": at.to_string(), "detail": {
            "bucket": { "name": world.bucket.name() },
            "object": { "key": world.keys.image(&hero, name), "etag": trashed[0].image.etag },
        } })
    };
    world.send(Queue::Evaluation, landed(trashed[0].deleted_at - SignedDuration::from_secs(5))).await;
    world.drive().await;
    assert_eq!(world.store.plans(&hero).await.unwrap().len(), plans);
    // An upload of the same image after its deletion is evaluated.
    let in_trash = world.keys.trash(&hero, &trashed[0].plan_id, name);
    let bytes = world.bucket.get(&in_trash).await.unwrap().unwrap().bytes;
    world.bucket.put(&world.keys.image(&hero, name), bytes, "image/jpeg").await.unwrap();
    world.send(Queue::Evaluation, landed(trashed[0].deleted_at + SignedDuration::from_secs(5))).await;
    world.drive().await;
    assert!(world.store.plans(&hero).await.unwrap().len() > plans);
}

#[tokio::test]
async fn repeated_request_id_is_carried_out_once() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    let request = json!({ "actor_id": hero, "generate": { "bw_stylized": 1 }, "request_id": "mine" });
    world.send(Queue::Generation, request.clone()).await;
    world.send(Queue::Generation, request).await;
    world.generate_with(2).await;
    assert_eq!((world.store.plans(&hero).await.unwrap().len(), world.replicate.charged()), (1, 1));
}

#[tokio::test]
async fn manual_deletion_of_unknown_name_leaves_no_trace() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.send(Queue::Deletion, json!({ "actor_id": hero, "filenames": ["hero_99.jpg"] })).await;
    world.drive().await;
    let manifest = world.manifest(&hero).await;
    assert!(manifest.images.contains_key("hero_1.jpg") && manifest.last_number < 99, "{}", manifest.last_number);
    assert!(!manifest.trash.contains_key("hero_99.jpg"));
}
