//! Uploads to S3.

use std::fs;

use aws::store::Store;
use aws_sdk_s3::types::{EventBridgeConfiguration, NotificationConfiguration};
use balancer_tests::harness;
use balancer_tests::pictures;
use balancer_tests::set::{assert_balanced, assert_local_copy_equals_bucket, numbers_made};
use balancer_tests::stack::{self, TestStack, actor};
use balancer_tests::world::make_table;
use domain::kind::Kind::Photorealistic;
use domain::manifest::UPLOADED;
use local_stack::Account;

#[tokio::test]
async fn uploads_lead_to_a_balanced_set() {
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
    assert_eq!(made, (13..13 + made.len() as u64).collect::<Vec<_>>(), "no gap and no duplicate");
    assert_eq!(manifest.last_number, 12 + made.len() as u64);
    let women = manifest.images.values().filter_map(|image| image.prompt.as_deref());
    assert!(women.clone().count() == 4 && women.clone().all(|prompt| prompt.contains("woman")));
}

#[tokio::test]
async fn deleted_image_is_in_both_trashes() {
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
async fn each_plan_stores_its_grid_as_jpeg() {
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
        let key = format!("{}/{key}", harness::KEY_PREFIX);
        let head = stack.s3.head_object().bucket(stack.bucket.name()).key(&key).send().await.unwrap();
        assert_eq!(head.content_type(), Some("image/jpeg"), "{key}");
    }
}

#[tokio::test]
async fn existing_bucket_is_balanced() {
    let account = Account::unique();
    let s3 = aws_sdk_s3::Client::new(&stack::emulator().await.sdk_config(&account));
    let name = format!("already-here-{account}");
    s3.create_bucket().bucket(&name).send().await.unwrap();
    let events =
        NotificationConfiguration::builder().event_bridge_configuration(EventBridgeConfiguration::builder().build());
    let request = s3.put_bucket_notification_configuration().bucket(&name);
    request.notification_configuration(events.build()).send().await.unwrap();

    let stack = TestStack::in_account(account, &[("BucketName", &name)]).await;
    assert_eq!(stack.outputs().stack.bucket, name);
    let actor = actor("hero");
    stack.upload_all(&actor, 1, &pictures::full_set()).await;
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn existing_table_is_reused() {
    let account = Account::unique();
    let earlier = aws_sdk_dynamodb::Client::new(&stack::emulator().await.sdk_config(&account));
    make_table(&earlier, "left-behind").await;
    let actor = actor("hero");
    // The number of an image that the earlier stack generated and deleted.
    Store::new(earlier, "left-behind").raise_last_number(&actor, 41).await.unwrap();

    let stack = TestStack::in_account(account, &[("TableName", "left-behind")]).await;
    assert_eq!(stack.outputs().stack.table, "left-behind");
    stack.upload_base_image(&actor).await;
    stack.upload_all(&actor, 1, &pictures::full_set()[1..]).await;
    stack.balanced(&actor).await;
    let manifest = assert_balanced(&stack, &actor).await;
    let made = numbers_made(&stack, &actor, &manifest, 42).await;
    assert_eq!(made.first(), Some(&42), "numbers continue after those of the earlier stack");
}

#[tokio::test]
async fn continuous_uploads_are_evaluated() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let picture = &pictures::good(Photorealistic, 1)[0];
    // An evaluation waits for one quiet second, at most ten times; these uploads pause for less.
    let mut uploads = 0;
    while stack.keys_below("evaluations/").await.is_empty() {
        uploads += 1;
        assert!(uploads < 60, "no evaluation in thirty seconds");
        stack.upload(&actor, &format!("hero_{uploads}.jpg"), &picture.jpeg).await;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    assert!(uploads > 2, "the evaluation began without a quiet period");
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains("There is no base image"), "{reason}");
    assert_eq!(stack.manifest(&actor).await.images.len(), uploads, "no upload is missed");
}
