//! Captions and caches follow their image to the trash and back, in the bucket and in the local copy.

use aws::queues::Queue;
use balancer_tests::harness::Harness;
use balancer_tests::pictures::blurred;
use balancer_tests::stack::actor;
use balancer_tests::world::{Delivery, Fault, Trace, World};
use domain::actor::ActorId;
use domain::plan::{Origin, Plan, PlannedDeletion};
use domain::trash::WORKER_TIMEOUT;
use handlers::local_copy::LocalCopy;
use handlers::restore::Restoration;
use handlers::{Handler, Message};
use serde_json::json;

/// The id of the deletion, which has the request id `mine`.
const PLAN: &str = "manual-mine";

/// A world with these files of the actor `hero`, each of which contains its own name.
async fn world_with(names: &[&str]) -> (World, ActorId) {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    for name in names {
        world.upload(&hero, name, name.as_bytes()).await;
    }
    (world, hero)
}

/// Deletes these files by a message with a request id.
async fn delete(world: &World, names: &[&str]) {
    let body = json!({ "actor_id": "hero", "filenames": names, "request_id": "mine" }).to_string();
    world.deletion().handler.handle(Message { request_id: "m", body: &body, first_sent_at: None }).await.unwrap();
}

/// Restores an image. Returns the names of the sidecars that stay in the trash.
async fn restore(world: &World, hero: &ActorId, name: &str) -> Vec<String> {
    world.advance_clock(WORKER_TIMEOUT);
    let local = LocalCopy::new(Some(world.data.path().to_owned()));
    let (clock, Harness { bucket, store, keys, .. }) = (&world.clock, &**world);
    let trashed = store.trashed(hero, name, PLAN).await.unwrap().unwrap();
    let restoration = Restoration { bucket, store, local: &local, keys, pin: false, clock };
    restoration.restore(hero, name, &trashed).await.unwrap()
}

/// Asserts that the bucket and the local copy contain the files `names`, and their trashes the files `trash`.
async fn assert_files(world: &World, hero: &ActorId, names: &[&str], trash: &[&str]) {
    assert_eq!(world.keys_below("training_data/hero/").await, names);
    assert_eq!(world.local_files(hero), names);
    assert_eq!(world.keys_below(&format!("trash/hero/{PLAN}/")).await, trash);
    assert_eq!(world.local_trash(hero, PLAN), trash);
    for name in names {
        let there = world.bucket.get(&world.keys.image(hero, name)).await.unwrap().unwrap().bytes;
        let here = std::fs::read(world.local_folder(hero).join(name)).unwrap();
        assert!(there == name.as_bytes() && here == name.as_bytes(), "{name}");
    }
}

#[tokio::test]
async fn sidecar_in_the_other_unicode_form_follows() {
    let (image, caption) = ("J\u{fc}rgen_1.jpg", "Ju\u{308}rgen_1.txt");
    let (world, hero) = world_with(&[image, caption]).await;
    delete(&world, &[image]).await;
    assert_eq!(world.keys_below("training_data/hero/").await, [""; 0]);
    assert_eq!(world.keys_below(&format!("trash/hero/{PLAN}/")).await, [caption, image]);
    assert!(restore(&world, &hero, image).await.is_empty());
    assert_eq!(world.keys_below("training_data/hero/").await, [caption, image]);
}

#[tokio::test]
async fn sidecars_follow_their_image_to_trash_and_back() {
    let of_one = ["hero_1.caption", "hero_1.jpg", "hero_1.txt", "hero_1_0512x0768_flux.npz"];
    let of_others = ["actor.json", "hero_10.jpg", "hero_10.txt"];
    let (world, hero) = world_with(&[&of_one[..], &of_others].concat()).await;
    delete(&world, &["hero_1.jpg"]).await;
    assert_files(&world, &hero, &of_others, &of_one).await;
    let kept = world.store.trashed(&hero, "hero_1.jpg", PLAN).await.unwrap().unwrap();
    assert_eq!(kept.sidecars.len(), 3, "{kept:#?}");
    assert!(restore(&world, &hero, "hero_1.jpg").await.is_empty());
    let mut all = [&of_one[..], &of_others].concat();
    all.sort_unstable();
    assert_files(&world, &hero, &all, &[]).await;
}

#[tokio::test]
async fn sidecar_stays_while_one_of_its_images_stays() {
    let (world, hero) = world_with(&["hero_1.jpg", "hero_1.png", "hero_1.txt"]).await;
    delete(&world, &["hero_1.jpg"]).await;
    assert_files(&world, &hero, &["hero_1.png", "hero_1.txt"], &["hero_1.jpg"]).await;
    delete(&world, &["hero_1.png"]).await;
    assert_files(&world, &hero, &[], &["hero_1.jpg", "hero_1.png", "hero_1.txt"]).await;
    restore(&world, &hero, "hero_1.jpg").await;
    assert_files(&world, &hero, &["hero_1.jpg", "hero_1.txt"], &["hero_1.png"]).await;
    restore(&world, &hero, "hero_1.png").await;
    assert_files(&world, &hero, &["hero_1.jpg", "hero_1.png", "hero_1.txt"], &[]).await;
}

#[tokio::test]
async fn images_deleted_together_take_their_sidecar() {
    let (world, hero) = world_with(&["hero_1.jpg", "hero_1.png", "hero_1.txt"]).await;
    delete(&world, &["hero_1.jpg", "hero_1.png"]).await;
    assert_files(&world, &hero, &[], &["hero_1.jpg", "hero_1.png", "hero_1.txt"]).await;
}

#[tokio::test]
async fn images_without_sidecars_share_one_listing() {
    let names = ["hero_1.jpg", "hero_2.jpg", "hero_3.jpg"];
    let (world, _) = world_with(&names).await;
    delete(&world, &names).await;
    let of_bucket = world.network.calls().into_iter().filter(|call| call.contains("list-type=2"));
    assert_eq!(of_bucket.count(), 1, "{:#?}", world.network.calls());
}

#[tokio::test]
async fn sidecar_written_since_the_deletion_began_stays() {
    let (world, hero) = world_with(&["hero_1.jpg", "hero_1.txt"]).await;
    // The worker crashes right after it has deleted the object.
    world.network.fail_on("DELETE", Fault::CrashAfter);
    let body = json!({ "actor_id": "hero", "filenames": ["hero_1.jpg"], "request_id": "mine" });
    world.lose_messages(Queue::Evaluation).await;
    world.send(Queue::Deletion, body).await;
    let mut trace = Trace::default();
    world.deliver_once(1, None, &mut trace).await;
    assert_eq!(trace.crashes, 1);
    let text = world.keys.image(&hero, "hero_1.txt");
    world.bucket.put(&text, b"edited".to_vec(), "text/plain").await.unwrap();
    world.deliver_once(1, None, &mut trace).await;
    assert_eq!(world.keys_below("training_data/hero/").await, ["hero_1.txt"]);
    assert_eq!(world.bucket.get(&text).await.unwrap().unwrap().bytes, b"edited");
    assert_eq!(world.keys_below("trash/hero/").await, [format!("{PLAN}/hero_1.jpg")]);
}

#[tokio::test]
async fn sidecars_follow_if_evaluation_completes_deletion() {
    let (world, hero) = world_with(&["hero_1.jpg", "hero_1.txt", "hero_2.jpg"]).await;
    world.lose_messages(Queue::Evaluation).await;
    world.network.fail_on("DELETE", Fault::CrashAfter);
    world.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": ["hero_1.jpg"], "request_id": "mine" })).await;
    let mut trace = Trace::redelivering_last();
    world.deliver_once(1, None, &mut trace).await;
    assert_eq!(trace.crashes, 1);
    let body = json!({ "actor_id": "hero", "mode": "dry_run" }).to_string();
    world
        .evaluation()
        .await
        .handler
        .handle(Message { request_id: "e", body: &body, first_sent_at: None })
        .await
        .unwrap();
    assert!(
        world.store.image(&hero, "hero_1.jpg").await.unwrap().is_none(),
        "the evaluation has completed the deletion"
    );
    assert_eq!(world.keys_below("training_data/hero/").await, ["hero_1.txt", "hero_2.jpg"]);
    world.resume_drive(trace, Delivery::default()).await;
    assert_files(&world, &hero, &["hero_2.jpg"], &["hero_1.jpg", "hero_1.txt"]).await;
}

#[tokio::test]
async fn sidecar_whose_name_is_taken_stays_in_the_trash() {
    let (world, hero) = world_with(&["hero_1.jpg", "hero_1.txt", "hero_1.npz"]).await;
    delete(&world, &["hero_1.jpg"]).await;
    world.upload(&hero, "hero_1.txt", b"another").await;
    let left = restore(&world, &hero, "hero_1.jpg").await;
    assert_eq!(left.len(), 2, "one in the local trash, one in the bucket's: {left:?}");
    assert!(left.iter().all(|place| place.ends_with("hero_1.txt")), "{left:?}");
    assert_eq!(world.keys_below("training_data/hero/").await, ["hero_1.jpg", "hero_1.npz", "hero_1.txt"]);
    assert_eq!(world.local_files(&hero), ["hero_1.jpg", "hero_1.npz", "hero_1.txt"]);
    for there in [
        world.bucket.get(&world.keys.image(&hero, "hero_1.txt")).await.unwrap().unwrap().bytes,
        std::fs::read(world.local_folder(&hero).join("hero_1.txt")).unwrap(),
    ] {
        assert_eq!(there, b"another");
    }
    assert_eq!(world.keys_below(&format!("trash/hero/{PLAN}/")).await, ["hero_1.txt"]);
    assert_eq!(world.local_trash(&hero, PLAN), ["hero_1.txt"]);
}

#[tokio::test]
async fn file_in_the_local_trash_is_kept() {
    let (world, hero) = world_with(&["hero_1.jpg", "hero_1.txt"]).await;
    let trash = world.data.path().join("hero/trash").join(PLAN);
    std::fs::create_dir_all(&trash).unwrap();
    std::fs::write(trash.join("hero_1.jpg"), "older").unwrap();
    delete(&world, &["hero_1.jpg"]).await;
    assert_eq!(world.local_trash(&hero, PLAN), ["hero_1 (2).jpg", "hero_1.jpg", "hero_1.txt"]);
    assert_eq!(std::fs::read(trash.join("hero_1 (2).jpg")).unwrap(), b"older");
    assert_eq!(std::fs::read(trash.join("hero_1.jpg")).unwrap(), b"hero_1.jpg");
    restore(&world, &hero, "hero_1.jpg").await;
    assert_eq!(world.local_trash(&hero, PLAN), ["hero_1 (2).jpg"]);
}

#[tokio::test]
async fn names_that_differ_by_case_are_kept_apart() {
    let (world, hero) = world_with(&["HERO_1.jpg", "hero_1.JPG", "hero_1.txt", "hero_1.jpg"]).await;
    delete(&world, &["hero_1.jpg", "hero_1.JPG"]).await;
    assert_files(&world, &hero, &["HERO_1.jpg", "hero_1.txt"], &["hero_1.JPG", "hero_1.jpg"]).await;
    restore(&world, &hero, "hero_1.jpg").await;
    assert_files(&world, &hero, &["HERO_1.jpg", "hero_1.jpg", "hero_1.txt"], &["hero_1.JPG"]).await;
}

#[tokio::test]
async fn replaced_image_keeps_its_sidecar() {
    let (world, hero) = world_with(&["hero_1.txt", "hero_2.jpg"]).await;
    world.upload(&hero, "hero_1.jpg", &blurred()).await;
    // Another image takes the name during the deletion, which detects this.
    let etag = world.bucket.etag(&world.keys.image(&hero, "hero_1.jpg")).await.unwrap().unwrap();
    let deletion = PlannedDeletion { filename: "hero_1.jpg".to_owned(), etag, reason: "Surplus.".to_owned() };
    let empty = Plan::empty("p".to_owned(), world.clock.now(), Origin::Evaluation);
    world.store.record_plan(&hero, &Plan { delete: vec![deletion], remaining: 1, ..empty }).await.unwrap();
    world.upload(&hero, "hero_1.jpg", b"hero_1.jpg").await;
    let body = json!({ "actor_id": "hero", "plan_id": "p" }).to_string();
    world.deletion().handler.handle(Message { request_id: "m", body: &body, first_sent_at: None }).await.unwrap();
    assert!(world.keys_below("trash/").await.is_empty());
    assert_files(&world, &hero, &["hero_1.jpg", "hero_1.txt", "hero_2.jpg"], &[]).await;
}
