//! Redelivered deletions, and stalled workers whose deletions others complete.

use aws::bucket::IfUnchanged;
use aws::store::deletions::{Claim, ClaimedDeletion, Remains};
use aws::store::leases::LEASE_DURATION;
use balancer_tests::harness::Harness;
use balancer_tests::pictures::{blurred, good};
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::manifest::Image;
use domain::trash::{TRASH_RETENTION, TrashRecord, WORKER_TIMEOUT};
use handlers::local_copy::LocalCopy;
use handlers::restore::{Restoration, RestoreError};
use handlers::{Clock, Handler, Message};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const NAME: &str = "hero_1.jpg";

/// An image with its record, and a planned deletion of it.
async fn wanted(world: &World, actor: &ActorId) -> TrashRecord {
    world.upload(actor, NAME, &blurred()).await;
    let etag = world.bucket.etag(&world.keys.image(actor, NAME)).await.unwrap();
    let image = Image { etag, prompt: Some("A pier at dusk.".to_owned()), ..Image::default() };
    world.store.import_image(actor, NAME, &image).await.unwrap();
    let (plan_id, reason) = ("p".to_owned(), "Requested by a test.".to_owned());
    TrashRecord { plan_id, deleted_at: world.clock.now(), reason, image, sidecars: Vec::new() }
}

/// A worker that claims the image under this lease token.
async fn claim(world: &World, actor: &ActorId, wanted: &TrashRecord, token: &str) -> Claim {
    world.store.claim_deletion(actor, NAME, wanted, Version::Assessed, token).await.unwrap()
}

async fn begin(world: &World, actor: &ActorId, wanted: &TrashRecord, token: &str) -> ClaimedDeletion {
    match claim(world, actor, wanted, token).await {
        Claim::Granted(claimed) => *claimed,
        other => panic!("{other:?}"),
    }
}

/// The same deletion, once the lease of its first worker has expired.
fn once_expired(wanted: &TrashRecord) -> TrashRecord {
    TrashRecord { deleted_at: wanted.deleted_at + LEASE_DURATION + SignedDuration::from_secs(1), ..wanted.clone() }
}

/// The steps of a worker after it has claimed the image.
async fn complete(world: &World, actor: &ActorId, begun: &ClaimedDeletion, token: &str) {
    let etag = begun.trashed.image.etag.as_deref().unwrap();
    let (key, trash) = (world.keys.image(actor, NAME), world.keys.trash(actor, "p", NAME));
    assert_eq!(world.bucket.copy_if(&key, &trash, etag).await.unwrap(), IfUnchanged::Done);
    assert_eq!(world.bucket.delete_if(&key, etag).await.unwrap(), IfUnchanged::Done);
    world.store.end_deletion(actor, NAME, "p", Remains::Trashed).await.unwrap();
    world.store.leave_deletion(actor, NAME, begun, token, begun.trashed.deleted_at).await.unwrap();
}

async fn restore_at(world: &World, actor: &ActorId, trashed: &TrashRecord, at: Timestamp) -> Result<(), RestoreError> {
    let (local, clock) = (LocalCopy::new(None), Clock::telling(move || at));
    let Harness { bucket, store, keys, .. } = &**world;
    let restoration = Restoration { bucket, store, local: &local, keys, pin: false, clock: &clock };
    restoration.restore(actor, NAME, trashed).await.map(drop)
}

#[tokio::test]
async fn restore_waits_for_stalled_deletion_workers() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let wanted = wanted(&world, &hero).await;
    begin(&world, &hero, &wanted, "stalled").await;
    let later = once_expired(&wanted);
    let quick = begin(&world, &hero, &later, "quick").await;
    complete(&world, &hero, &quick, "quick").await;

    let soon = wanted.deleted_at + WORKER_TIMEOUT - SignedDuration::from_secs(1);
    let error = restore_at(&world, &hero, &quick.trashed, soon).await.unwrap_err();
    assert!(matches!(error, RestoreError::WorkedOn { after, .. } if after.as_secs() == 1), "{error}");
    assert_eq!(world.bucket.etag(&world.keys.image(&hero, NAME)).await.unwrap(), None);

    restore_at(&world, &hero, &quick.trashed, wanted.deleted_at + WORKER_TIMEOUT).await.unwrap();
    let back = world.bucket.get(&world.keys.image(&hero, NAME)).await.unwrap().unwrap();
    assert!(back.bytes == blurred());
}

#[tokio::test]
async fn one_worker_at_a_time_deletes_an_image() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let wanted = wanted(&world, &hero).await;
    begin(&world, &hero, &wanted, "first").await;
    assert_eq!(claim(&world, &hero, &wanted, "second").await, Claim::Busy);
    let later = once_expired(&wanted);
    let tokens: Vec<String> = (0..8).map(|worker| format!("worker {worker}")).collect();
    let claims = futures::future::join_all(tokens.iter().map(|token| claim(&world, &hero, &later, token))).await;
    let granted = claims.iter().filter(|claim| matches!(claim, Claim::Granted(_))).count();
    let busy = claims.iter().filter(|claim| **claim == Claim::Busy).count();
    assert_eq!((granted, busy), (1, 7), "{claims:?}");
}

#[tokio::test]
async fn restore_is_immediate_after_an_orderly_deletion() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let wanted = wanted(&world, &hero).await;
    let begun = begin(&world, &hero, &wanted, "t").await;
    complete(&world, &hero, &begun, "t").await;
    restore_at(&world, &hero, &begun.trashed, wanted.deleted_at).await.unwrap();
    assert_eq!(world.store.image(&hero, NAME).await.unwrap().unwrap().prompt, wanted.image.prompt);
}

#[tokio::test]
async fn plan_does_not_delete_an_image_under_restoration() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let wanted = wanted(&world, &hero).await;
    let begun = begin(&world, &hero, &wanted, "t").await;
    complete(&world, &hero, &begun, "t").await;
    // The restore has written the object and not yet removed the copy from the trash.
    world.upload(&hero, NAME, &blurred()).await;
    assert!(world.store.restore_image(&hero, NAME, &wanted.image, false, world.clock.now()).await.unwrap());
    let claim = claim(&world, &hero, &wanted, "later").await;
    assert!(matches!(claim, Claim::Over(_)), "{claim:?}");
    assert_eq!(world.store.image(&hero, NAME).await.unwrap().unwrap().deleting, None);
}

#[tokio::test]
async fn resumed_deletion_restarts_the_retention() {
    for is_forgotten in [false, true] {
        let (world, hero) = (World::coded(&[]).await, actor("hero"));
        let wanted = wanted(&world, &hero).await;
        begin(&world, &hero, &wanted, "first").await;
        if is_forgotten {
            world.store.forget_trashed(&hero, NAME, "p").await.unwrap();
        }
        let later = TrashRecord { deleted_at: wanted.deleted_at + TRASH_RETENTION + TRASH_RETENTION, ..wanted.clone() };
        let begun = begin(&world, &hero, &later, "later").await;
        complete(&world, &hero, &begun, "later").await;
        let kept = world.store.trashed(&hero, NAME, "p").await.unwrap().unwrap();
        assert_eq!((kept.deleted_at, &kept.image.prompt), (later.deleted_at, &wanted.image.prompt));
        restore_at(&world, &hero, &kept, later.deleted_at).await.unwrap();
    }
}

#[tokio::test]
async fn evaluation_keeps_concurrently_restored_images() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let wanted = wanted(&world, &hero).await;
    // The evaluation saw the object before the restore wrote its record.
    let assessed = Image { etag: wanted.image.etag.clone(), quality: Some(7), ..Image::default() };
    let restored = Image { unusable: Some("It was damaged once.".to_owned()), ..wanted.image.clone() };
    assert!(world.store.restore_image(&hero, NAME, &restored, true, world.clock.now()).await.unwrap());
    world.store.save_measurements(&hero, NAME, &assessed).await.unwrap();
    world.store.save_observation(&hero, NAME, &assessed, &Image::default()).await.unwrap();
    let found = world.store.image(&hero, NAME).await.unwrap().unwrap();
    assert_eq!(found, Image { quality: Some(7), pinned: true, ..wanted.image });
}

#[tokio::test]
async fn late_worker_keeps_the_record_of_a_newer_object() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let read = Image { etag: Some("1".to_owned()), ..Image::default() };
    let newer = Image { etag: Some("2".to_owned()), quality: Some(7), ..Image::default() };
    world.store.import_image(&hero, NAME, &newer).await.unwrap();
    // An evaluation that stalled after it had read the record of the earlier object.
    world.store.save_replaced(&hero, NAME, &read, &Image { quality: None, ..newer.clone() }).await.unwrap();
    world.store.save_measurements(&hero, NAME, &read).await.unwrap();
    world.store.save_observation(&hero, NAME, &Image { quality: Some(1), ..read.clone() }, &read).await.unwrap();
    world.store.forget_vanished(&hero, NAME, &read).await.unwrap();
    assert_eq!(world.store.image(&hero, NAME).await.unwrap(), Some(newer));
}

/// Handles a manual deletion that is the same request each time.
async fn delete_manually(world: &World, names: &[&str], request_id: &str) {
    let body = json!({ "actor_id": "hero", "filenames": names }).to_string();
    world.deletion().handler.handle(Message { request_id, body: &body, first_sent_at: None }).await.unwrap();
}

#[tokio::test]
async fn redelivered_manual_deletion_keeps_newer_files() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    for (name, picture) in ["hero_1.jpg", "hero_2.jpg"].iter().zip(good(domain::kind::Kind::BwStylized, 2)) {
        world.upload(&hero, name, &picture.jpeg).await;
    }
    delete_manually(&world, &["hero_1.jpg", "hero_2.jpg"], "message-1").await;
    let trash = world.store.trash(&hero).await.unwrap();
    let names: Vec<_> = trash.values().flatten().map(|trashed| trashed.plan_id.as_str()).collect();
    assert_eq!(names, ["manual-message-1"; 2], "they are restored together");

    world.upload(&hero, "hero_1.jpg", &blurred()).await;
    delete_manually(&world, &["hero_1.jpg", "hero_2.jpg"], "message-1").await;
    assert_eq!(world.keys_below("training_data/hero/").await, ["hero_1.jpg"]);
    // The client's id of the request takes precedence over that of the message.
    let named = json!({ "actor_id": "hero", "filenames": ["hero_2.jpg"], "request_id": "mine" }).to_string();
    for request_id in ["message-2", "message-3"] {
        world.upload(&hero, "hero_2.jpg", &blurred()).await;
        let message = Message { request_id, body: &named, first_sent_at: None };
        world.deletion().handler.handle(message).await.unwrap();
    }
    assert_eq!(world.keys_below("training_data/hero/").await, ["hero_1.jpg", "hero_2.jpg"]);
    delete_manually(&world, &["hero_1.jpg"], "message-4").await;
    assert_eq!(world.keys_below("training_data/hero/").await, ["hero_2.jpg"]);
    assert_eq!(world.store.trash(&hero).await.unwrap()["hero_1.jpg"].len(), 2, "both versions are kept");
}

#[tokio::test]
async fn local_only_file_stays_in_place() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload(&hero, "hero_1.jpg", &blurred()).await;
    let dropped = world.local_folder(&hero).join("hero_2.jpg");
    std::fs::write(&dropped, blurred()).unwrap();
    delete_manually(&world, &["hero_1.jpg", "hero_2.jpg"], "message-1").await;
    assert!(dropped.is_file());
}
