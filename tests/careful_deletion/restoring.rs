//! Restored images have their old names: in the bucket, the local copy and the manifest.

use std::fs;

use aws::queues::Queue;
use balancer_tests::harness::Harness;
use balancer_tests::pictures::{blurred, too_full_set};
use balancer_tests::stack::{self, TestStack, actor};
use domain::actor::ActorId;
use domain::manifest::Manifest;
use domain::trash::TrashRecord;
use handlers::Clock;
use handlers::local_copy::{LocalCopy, Saved};
use handlers::restore::{Restoration, RestoreError};
use local_stack::Account;
use serde_json::json;

/// A balanced set with two images in the trash. Returns their names and trash records.
async fn with_two_in_the_trash(stack: &TestStack, actor: &ActorId) -> Vec<(String, TrashRecord)> {
    stack.upload_all(actor, 1, &too_full_set()).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": actor.as_str() })).await;
    stack.balanced(actor).await;
    let trash = stack.store.trash(actor).await.unwrap();
    let trash: Vec<_> = trash.into_iter().map(|(name, mut entries)| (name, entries.pop().unwrap())).collect();
    assert_eq!(trash.len(), 2);
    trash
}

async fn restore(
    stack: &TestStack,
    actor: &ActorId,
    (name, trashed): &(String, TrashRecord),
    pin: bool,
) -> Result<(), RestoreError> {
    let local = LocalCopy::new(Some(stack.data.path().to_owned()));
    let (clock, Harness { bucket, store, keys, .. }) = (Clock::system(), &**stack);
    Restoration { bucket, store, local: &local, keys, pin, clock: &clock }.restore(actor, name, trashed).await.map(drop)
}

/// Asserts that the image and its record are as before the deletion, and that the trash is empty.
async fn assert_back(
    stack: &TestStack,
    actor: &ActorId,
    (name, trashed): &(String, TrashRecord),
    pinned: bool,
) -> Manifest {
    let manifest = stack.manifest(actor).await;
    let image = manifest.images.get(name).unwrap_or_else(|| panic!("{name} is not back: {manifest:#?}"));
    assert_eq!((image.pinned, image.quality), (pinned, trashed.image.quality));
    assert_eq!((&image.facts, &image.generated_at), (&trashed.image.facts, &trashed.image.generated_at));
    let object = stack.bucket.get(&stack.keys.image(actor, name)).await.unwrap().unwrap();
    assert_eq!(image.etag.as_ref(), Some(&object.etag));
    assert!(fs::read(stack.local_folder(actor).join(name)).unwrap() == object.bytes);
    assert!(!manifest.trash.contains_key(name), "{manifest:#?}");
    assert!(!stack.keys_below("trash/").await.iter().any(|key| key.ends_with(name)));
    let local_trash = stack.data.path().join(actor.as_str()).join("trash").join(&trashed.plan_id).join(name);
    assert!(!local_trash.exists());
    manifest
}

#[tokio::test]
async fn restored_images_are_pinned_and_survive_evaluation() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let trash = with_two_in_the_trash(&stack, &actor).await;
    for entry in &trash {
        restore(&stack, &actor, entry, true).await.unwrap();
    }
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains("4/2/1") && reason.contains("pinned"), "{reason}");
    for entry in &trash {
        assert_back(&stack, &actor, entry, true).await;
    }
}

#[tokio::test]
async fn restored_image_without_pin_may_be_deleted_again() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let trash = with_two_in_the_trash(&stack, &actor).await;
    restore(&stack, &actor, &trash[0], false).await.unwrap();
    assert_back(&stack, &actor, &trash[0], false).await;
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;
    assert_eq!(stack.manifest(&actor).await.trash.len(), 2);
}

#[tokio::test]
async fn restore_does_not_overwrite_another_file() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let trash = with_two_in_the_trash(&stack, &actor).await;
    stack.upload(&actor, &trash[0].0, &blurred()).await;

    let error = restore(&stack, &actor, &trash[0], true).await.unwrap_err();
    assert!(matches!(&error, RestoreError::Occupied { filename } if *filename == trash[0].0), "{error}");
    assert!(stack.object(&stack.keys.image(&actor, &trash[0].0)).await == blurred());
    assert_eq!(stack.manifest(&actor).await.trash.len(), 2);
    restore(&stack, &actor, &trash[1], true).await.unwrap();
    assert_back(&stack, &actor, &trash[1], true).await;
}

#[tokio::test]
async fn interrupted_restore_can_be_repeated() {
    // The interrupted attempt gets one step further each time.
    for steps in 1..=4 {
        let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
        let trash = with_two_in_the_trash(&stack, &actor).await;
        let (name, trashed) = &trash[0];
        let (key, trash_key) = (stack.keys.image(&actor, name), stack.keys.trash(&actor, &trashed.plan_id, name));
        let bytes = stack.object(&trash_key).await;
        stack.bucket.put_new(&key, bytes.clone(), "image/jpeg").await.unwrap();
        if steps >= 2 {
            assert!(
                stack.store.restore_image(&actor, name, &trashed.image, true, Clock::system().now()).await.unwrap()
            );
        }
        if steps >= 3 {
            let local = LocalCopy::new(Some(stack.data.path().to_owned()));
            assert_eq!(local.restore(&actor, &trashed.plan_id, name, &bytes).await.unwrap(), Saved::Done);
        }
        if steps >= 4 {
            stack.bucket.delete(&trash_key).await.unwrap();
        }
        for _ in 0..2 {
            restore(&stack, &actor, &trash[0], true).await.unwrap();
            assert_back(&stack, &actor, &trash[0], true).await;
        }
    }
}

#[tokio::test]
async fn restore_works_in_an_unversioned_bucket() {
    let account = Account::unique();
    let s3 = aws_sdk_s3::Client::new(&stack::emulator().await.sdk_config(&account));
    let name = format!("no-versions-{account}");
    s3.create_bucket().bucket(&name).send().await.unwrap();
    let stack = TestStack::in_account(account, &[("BucketName", &name), ("AutomaticBalancing", "DISABLED")]).await;
    let actor = actor("hero");
    let trash = with_two_in_the_trash(&stack, &actor).await;
    for entry in &trash {
        restore(&stack, &actor, entry, true).await.unwrap();
    }
    for entry in &trash {
        assert_back(&stack, &actor, entry, true).await;
    }
}

#[tokio::test]
async fn restore_uses_local_trash_and_reports_missing_files() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let trash = with_two_in_the_trash(&stack, &actor).await;
    let bytes = stack.object(&stack.keys.trash(&actor, &trash[1].1.plan_id, &trash[1].0)).await;
    for (name, trashed) in &trash {
        stack.bucket.delete(&stack.keys.trash(&actor, &trashed.plan_id, name)).await.unwrap();
    }
    fs::remove_dir_all(stack.data.path().join("hero/trash").join(&trash[0].1.plan_id)).unwrap();
    let gone = restore(&stack, &actor, &trash[0], true).await.unwrap_err();
    assert!(matches!(gone, RestoreError::Gone { .. }), "{gone}");

    let folder = stack.data.path().join("hero/trash").join(&trash[1].1.plan_id);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(&trash[1].0), bytes).unwrap();
    restore(&stack, &actor, &trash[1], true).await.unwrap();
    assert_back(&stack, &actor, &trash[1], true).await;
}
