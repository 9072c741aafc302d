//! No plan and no request deletes a pinned image.

use std::time::Duration;

use aws::queues::Queue;
use aws::store::deletions::Claim;
use aws::store::images::Edit;
use balancer_tests::pictures::{full_set, too_full_set};
use balancer_tests::set::counts;
use balancer_tests::stack::{TestStack, actor};
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::manifest::Image;
use domain::trash::TrashRecord;
use handlers::Clock;
use serde_json::json;

/// The number of races between a pin and a deletion for one record.
const RACES: u32 = 100;

/// The additional delay of the pin in each race.
const STEP: Duration = Duration::from_micros(500);

/// Assesses the set, so that its images have records.
async fn assess(stack: &TestStack, actor: &ActorId) {
    stack.send(Queue::Evaluation, json!({ "actor_id": actor.as_str(), "mode": "dry_run" })).await;
    stack.idle().await;
}

async fn pin(stack: &TestStack, actor: &ActorId, filename: &str, pinned: bool) {
    assert_eq!(stack.store.set_pinned(actor, filename, pinned).await.unwrap(), Edit::Done, "{filename}");
}

#[tokio::test]
async fn plan_keeps_a_pinned_image_and_deletes_the_next() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    stack.upload_all(&actor, 1, &too_full_set()).await;
    assess(&stack, &actor).await;
    let candidate = stack.plans(&actor).await[0].delete[0].filename.clone();
    pin(&stack, &actor, &candidate, true).await;

    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;

    stack.balanced(&actor).await;
    let manifest = stack.manifest(&actor).await;
    assert!(manifest.images[&candidate].pinned, "{manifest:#?}");
    assert_eq!(manifest.trash.len(), 2);
    assert!(stack.filenames(&actor).await.contains(&candidate));
}

#[tokio::test]
async fn pinned_surplus_stays_until_unpinned() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &too_full_set()).await;
    assess(&stack, &actor).await;
    for name in &names {
        pin(&stack, &actor, name, true).await;
    }
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains("4/3/1 of 4/1/1") && reason.contains("balancer unpin"), "{reason}");
    assert_eq!(stack.filenames(&actor).await, names);

    for name in &names {
        pin(&stack, &actor, name, false).await;
    }
    stack.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    stack.balanced(&actor).await;
    assert_eq!(counts(&stack.manifest(&actor).await).to_string(), "4/1/1");
}

#[tokio::test]
async fn manual_deletion_skips_and_names_pinned_images() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &full_set()).await;
    assess(&stack, &actor).await;
    pin(&stack, &actor, &names[0], true).await;

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": [names[0], names[1]] })).await;

    let rejections = stack.rejections(1).await;
    let reason = &rejections[0].reason;
    assert!(reason.contains(&names[0]) && !reason.contains(&names[1]), "{reason}");
    assert!(reason.contains("balancer unpin hero"), "{reason}");
    stack.needs_attention(&actor).await;
    let (files, manifest) = (stack.filenames(&actor).await, stack.manifest(&actor).await);
    assert!(files.contains(&names[0]) && !files.contains(&names[1]), "{files:?}");
    assert_eq!(manifest.trash.keys().collect::<Vec<_>>(), [&names[1]]);
    assert!(manifest.images[&names[0]].pinned);
}

#[tokio::test]
async fn concurrent_pins_save_exactly_the_pinned_images() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let names = stack.upload_all(&actor, 1, &full_set()).await;
    assess(&stack, &actor).await;

    stack.send(Queue::Deletion, json!({ "actor_id": "hero", "filenames": names })).await;
    while stack.store.trash(&actor).await.unwrap().is_empty() {
        tokio::time::sleep(STEP).await;
    }
    let mut is_pinned = Vec::new();
    for name in names.iter().rev() {
        is_pinned.push((name, stack.store.set_pinned(&actor, name, true).await.unwrap() == Edit::Done));
    }

    stack.needs_attention(&actor).await;
    assert!(is_pinned.iter().any(|(_, is_pinned)| *is_pinned) && !is_pinned.iter().all(|(_, is_pinned)| *is_pinned));
    let (files, manifest) = (stack.filenames(&actor).await, stack.manifest(&actor).await);
    for (name, is_pinned) in is_pinned {
        assert_eq!(files.contains(name), is_pinned, "{name}: {files:?}");
        assert_eq!(manifest.images.contains_key(name), is_pinned, "{name}");
        assert_eq!(manifest.trash.contains_key(name), !is_pinned, "{name}");
    }
}

#[tokio::test]
async fn either_pin_or_claim_wins() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let mut pins = 0;
    for number in 0..RACES {
        let filename = format!("hero_{number}.jpg");
        let image = Image { etag: Some("e".to_owned()), ..Image::default() };
        stack.store.import_image(&actor, &filename, &image).await.unwrap();
        let wanted = TrashRecord {
            plan_id: "p".to_owned(),
            deleted_at: Clock::system().now(),
            reason: "Surplus.".to_owned(),
            image,
            sidecars: Vec::new(),
        };
        let pin = async {
            // A claim makes several calls and a pin one, so each race meets another step of the claim.
            tokio::time::sleep(STEP * (number % 20)).await;
            stack.store.set_pinned(&actor, &filename, true).await
        };
        let claim = stack.store.claim_deletion(&actor, &filename, &wanted, Version::Assessed, "t");
        let (claim, pinning) = tokio::join!(claim, pin);
        let record = stack.store.image(&actor, &filename).await.unwrap().unwrap();
        match (claim.unwrap(), pinning.unwrap()) {
            (Claim::Granted(_), Edit::BeingDeleted) => assert!(!record.pinned && record.deleting.is_some()),
            (Claim::Pinned, Edit::Done) => {
                assert!(record.pinned && record.deleting.is_none());
                pins += 1;
            }
            both => panic!("{filename}: {both:?}"),
        }
    }
    assert!((1..RACES).contains(&pins), "{pins} of {RACES} races were won by the pin");
}

#[tokio::test]
async fn evaluation_keeps_concurrent_pins_and_claims() {
    let (stack, actor) = (TestStack::without_triggers().await, actor("hero"));
    let read = Image { etag: Some("e".to_owned()), ..Image::default() };
    stack.store.import_image(&actor, "hero_1.jpg", &read).await.unwrap();
    pin(&stack, &actor, "hero_1.jpg", true).await;

    let assessed = Image { quality: Some(7), ..read.clone() };
    stack.store.save_observation(&actor, "hero_1.jpg", &assessed, &read).await.unwrap();
    let record = stack.store.image(&actor, "hero_1.jpg").await.unwrap().unwrap();
    assert_eq!((record.pinned, record.quality), (true, Some(7)));

    stack.store.forget_vanished(&actor, "hero_1.jpg", &read).await.unwrap();
    assert!(stack.store.image(&actor, "hero_1.jpg").await.unwrap().is_some());
}
