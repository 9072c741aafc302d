//! Events change the standing of an actor only on behalf of work that concerns it.

use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::lifecycle::actor::{ActorEvent, OnBehalf};
use domain::manifest::Manifest;
use domain::status::Status;
use futures::future::join_all;
use serde_json::json;

use crate::races::guards::{balancing, status};

#[tokio::test]
async fn finished_work_neither_parks_nor_resumes_an_actor() {
    let (world, hero) = balancing().await;
    let now = world.clock.now();
    let happened =
        async |behalf, event: &ActorEvent| world.store.change_standing(&hero, behalf, event, now).await.unwrap();
    let parked = ActorEvent::WorkParked { limit: None, reason: "no money".to_owned() };
    let park = async |behalf| happened(behalf, &parked).await;
    for behalf in [OnBehalf::Plan("another"), OnBehalf::Evaluation("token")] {
        assert!(!park(behalf).await, "{behalf:?}");
        assert_eq!(status(&world, &hero).await, Status::Balancing, "{behalf:?}");
    }
    park(OnBehalf::Plan("p")).await;
    assert_eq!(status(&world, &hero).await, Status::Parked);
    assert!(!happened(OnBehalf::Plan("another"), &ActorEvent::WorkResumed).await);
    assert_eq!(status(&world, &hero).await, Status::Parked);
    happened(OnBehalf::Plan("p"), &ActorEvent::WorkResumed).await;
    assert_eq!(status(&world, &hero).await, Status::Balancing);

    let required = ActorEvent::AttentionRequired { reason: "no".to_owned() };
    let is_changed = happened(OnBehalf::Evaluation("lost"), &required).await;
    assert!(!is_changed && status(&world, &hero).await == Status::Balancing);
    world.store.lease_actor(&hero, "held", now).await.unwrap().unwrap();
    park(OnBehalf::Evaluation("held")).await;
    assert_eq!(status(&world, &hero).await, Status::Parked);
}

#[tokio::test]
async fn concurrent_changes_of_a_standing_all_apply() {
    let (world, hero) = balancing().await;
    let park = async |number: u32| {
        let parked = ActorEvent::WorkParked { limit: None, reason: format!("no money for image {number}") };
        world.store.change_standing(&hero, OnBehalf::Plan("p"), &parked, world.clock.now()).await.unwrap()
    };
    let is_parked = join_all((0..40).map(park)).await;
    assert!(is_parked.into_iter().all(|is_parked| is_parked));
    assert_eq!(status(&world, &hero).await, Status::Parked);
}

#[tokio::test]
async fn imported_suspension_has_a_status_that_suspends() {
    let world = World::coded(&[]).await;
    for (status, is_kept) in
        [("needs_attention", true), ("parked", true), ("waiting", false), ("balancing", false), ("balanced", false)]
    {
        let hero = actor(status);
        let suspension = json!({ "status": status, "reason": "No luck.", "rounds": 2, "images": "0f" });
        let manifest = json!({ "actor_id": status, "images": {}, "balancing": suspension });
        let manifest: Manifest = serde_json::from_value(manifest).unwrap();
        assert!(aws::exchange::import(&world.store, &hero, manifest).await.unwrap());
        let record = world.store.actor(&hero).await.unwrap().unwrap();
        assert_eq!(record.suspension.is_some(), is_kept, "{status}");
    }
}
