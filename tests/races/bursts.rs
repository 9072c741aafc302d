//! A burst of uploads leads to one evaluation, and every series of rounds ends.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::queues::Queue;
use aws::store::leases::LEASE_DURATION;
use balancer_tests::coded::coded_picture;
use balancer_tests::replicate::Outcome;
use balancer_tests::stack::actor;
use balancer_tests::world::{Fault, Trace, World};
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::plan::PlanState;
use domain::status::Status;
use handlers::evaluate::MAX_SET_IMAGES;
use handlers::{Handler, HandlerError, Message};
use jiff::SignedDuration;
use serde_json::json;

/// The number of evaluations that assessed new images: each stores its grid under its own plan id.
async fn evaluations(world: &World) -> usize {
    let grids = world.keys_below("evaluations/hero/").await;
    let plans: BTreeSet<_> = grids.iter().map(|name| name.split(['.', 'Z']).next().unwrap()).collect();
    plans.len()
}

/// Uploads good images of every kind and a base image.
async fn upload_at_once(world: &World, hero: &ActorId, images: usize) {
    world.upload_base_image(hero).await;
    for number in 1..=images {
        let picture = coded_picture(Kind::ALL[number % 3], 9, number as u32);
        world.upload(hero, &format!("hero_{number}.jpg"), &picture).await;
    }
    world.wait_for_messages(images).await;
}

#[tokio::test]
async fn burst_of_uploads_is_one_complete_evaluation() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    upload_at_once(&world, &hero, 100).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Balanced, "{record:?}");
    assert_eq!(evaluations(&world).await, 1);
    assert_eq!(world.store.plans(&hero).await.unwrap().len(), 1);
    let kept = world.manifest(&hero).await.images.len();
    assert_eq!(
        kept + world.keys_below("trash/hero/").await.len(),
        100,
        "each was assessed, and is in the set or the trash"
    );
}

#[tokio::test]
async fn continuous_uploads_do_not_block_plans() {
    let (world, hero) = (World::coded(&[("TARGET_TOTAL", "3")]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    let body = json!({ "actor_id": "hero", "cause": "uploads" }).to_string();
    let worker = world.evaluation().await;
    let first_sent_at = world.clock.now();
    let evaluate_during_uploads = async || {
        let uploading = async {
            loop {
                world.store.raise_revision(&hero, world.clock.now()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let message = Message { request_id: "m", body: &body, first_sent_at: Some(first_sent_at) };
        tokio::select! {
            evaluated = worker.handler.handle(message) => evaluated,
            () = uploading => Ok(()),
        }
    };
    world.store.raise_revision(&hero, world.clock.now()).await.unwrap();
    // Ten quiet periods are 40 seconds: for the message, and then for the adoption.
    for seconds in [41, 20, 25] {
        world.advance_clock(SignedDuration::from_secs(seconds));
        let evaluated = evaluate_during_uploads().await;
        let is_deferred = matches!(evaluated, Err(HandlerError::Deferred { .. }));
        assert_eq!(is_deferred, seconds != 25, "{evaluated:?}");
    }
    assert!(world.store.plans(&hero).await.unwrap()[0].is_under_way());
    assert!(
        world.store.actor(&hero).await.unwrap().unwrap().is_evaluation_pending(),
        "the uploads are evaluated afterwards"
    );
    world.drive().await;
    assert_eq!(world.store.actor(&hero).await.unwrap().unwrap().status, Status::Balanced);
}

#[tokio::test]
async fn many_new_images_are_assessed_in_parts() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    upload_at_once(&world, &hero, 130).await;
    world.drive().await;
    assert_eq!(world.store.actor(&hero).await.unwrap().unwrap().status, Status::Balanced);
    assert_eq!((evaluations(&world).await, world.store.plans(&hero).await.unwrap().len()), (2, 1));
    let kept = world.manifest(&hero).await.images.len();
    assert_eq!(
        kept + world.keys_below("trash/hero/").await.len(),
        130,
        "each was assessed, and is in the set or the trash"
    );
}

#[tokio::test]
async fn too_large_set_needs_attention_and_is_unchanged() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    for number in 1..=MAX_SET_IMAGES + 1 {
        let key = world.keys.image(&hero, &format!("hero_{number}.jpg"));
        world.bucket.put(&key, vec![0; 8], "image/jpeg").await.unwrap();
    }
    world.wait_for_messages(MAX_SET_IMAGES + 1).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::NeedsAttention);
    assert!(record.reason.as_deref().is_some_and(|reason| reason.contains("at most 500")), "{record:?}");
    assert_eq!(world.keys_below("training_data/hero/").await.len(), MAX_SET_IMAGES + 1);
}

#[tokio::test]
async fn upload_restarts_the_rounds_of_a_bad_set() {
    let bad = |kind, index| coded_picture(kind, 2, 1_000 + index as u32);
    let variables = [("TARGET_TOTAL", "3"), ("MAX_ROUNDS", "3")];
    let (world, hero) = (World::with(&variables, |_, _| Outcome::Succeeds, bad).await, actor("hero"));
    world.upload_base_image(&hero).await;
    for uploads in 1..=2 {
        let picture = coded_picture(Kind::Photorealistic, 9, uploads);
        world.upload(&hero, &format!("hero_{}.jpg", uploads * 100), &picture).await;
        world.wait_for_messages(1).await;
        world.drive().await;
        let record = world.store.actor(&hero).await.unwrap().unwrap();
        assert_eq!(record.status, Status::NeedsAttention);
        assert!(record.reason.unwrap().contains("After 3 rounds"));
        let plans = world.store.plans(&hero).await.unwrap();
        assert_eq!(plans.len(), 3 * uploads as usize);
        assert!(plans.iter().all(|plan| plan.state == PlanState::Reviewed));
        assert_eq!(plans.iter().map(|plan| plan.round).collect::<Vec<_>>(), [1, 2, 3].repeat(uploads as usize));
    }
    let paid: usize = world.store.plans(&hero).await.unwrap().iter().map(|plan| plan.slots.len()).sum();
    assert_eq!(world.replicate.charged(), paid);
}

#[tokio::test]
async fn scoped_evaluation_leaves_uploads_pending() {
    for scope in ["delete_only", "generate_only"] {
        let (world, hero) = (World::coded(&[("TARGET_TOTAL", "3")]).await, actor("hero"));
        world.upload_base_image(&hero).await;
        for number in 1..=4 {
            let picture = coded_picture(Kind::Photorealistic, 9, number);
            world.upload(&hero, &format!("hero_{number}.jpg"), &picture).await;
        }
        world.wait_for_messages(4).await;
        world.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": scope })).await;
        world.drive().await;
        let record = world.store.actor(&hero).await.unwrap().unwrap();
        assert_eq!(record.status, Status::Balanced, "{scope}: {record:?}");
    }
}

#[tokio::test]
async fn scoped_plan_delays_uploads_and_requests() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    world.send(Queue::Evaluation, json!({ "actor_id": "hero", "scope": "generate_only" })).await;
    world.deliver_once(1, None, &mut Trace::default()).await;
    assert!(world.store.plans(&hero).await.unwrap()[0].is_under_way());
    let bad = coded_picture(Kind::Photorealistic, 1, 1);
    world.upload(&hero, "hero_100.jpg", &bad).await;
    world.send(Queue::Evaluation, json!({ "actor_id": "hero" })).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Balanced, "{record:?}");
    assert_eq!(world.keys_below("trash/hero/").await.len(), 1, "the upload has been assessed");
}

#[tokio::test]
async fn unusable_files_do_not_hide_later_images() {
    let (world, hero) = (World::coded(&[("TARGET_TOTAL", "3")]).await, actor("hero"));
    world.upload_base_image(&hero).await;
    for number in 1..=120 {
        world.upload(&hero, &format!("a_{number}.jpg"), b"no image").await;
    }
    for (number, kind) in (1..).zip([Kind::Photorealistic, Kind::Photorealistic, Kind::BwStylized]) {
        world.upload(&hero, &format!("hero_{number}.jpg"), &coded_picture(kind, 9, number)).await;
    }
    world.wait_for_messages(123).await;
    world.drive().await;
    let record = world.store.actor(&hero).await.unwrap().unwrap();
    assert_eq!(record.status, Status::Balanced, "{record:?}");
    assert_eq!(world.replicate.creations(), 0, "nothing was missing");
}

#[tokio::test]
async fn concurrent_evaluations_request_one_assessment() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    upload_at_once(&world, &hero, 30).await;
    let body = json!({ "actor_id": "hero" }).to_string();
    let evaluate = async |number: usize| {
        let id = format!("message {number}");
        world.evaluation().await.handler.handle(Message { request_id: &id, body: &body, first_sent_at: None }).await
    };
    // A worker that crashes at its first vision request has read every image and assessed none.
    world.network.fail_on("chat/completions", Fault::CrashBefore);
    tokio::select! {
        () = world.network.crash() => world.advance_clock(LEASE_DURATION),
        _ = evaluate(0) => panic!("the worker did not crash"),
    }
    let requests_before = world.vision.request_count();
    let ends = futures::future::join_all((1..=8).map(evaluate)).await;
    assert!(ends.iter().all(|end| matches!(end, Ok(()) | Err(HandlerError::Deferred { .. }))), "{ends:?}");
    // Thirty images fill two pages, each of them one vision request.
    assert_eq!(world.vision.request_count() - requests_before, 2);
}
