//! The store changes the records of a deletion as `domain::lifecycle::deletion` states.

use aws::store::trash::Remains;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::lifecycle::deletion::{DeletionEvent, DeletionState, Version};
use domain::manifest::Image;
use domain::trash::TrashRecord;

const EVENTS: [DeletionEvent; 7] = [
    DeletionEvent::ImageClaimed,
    DeletionEvent::WorkerJoined,
    DeletionEvent::ImageRemoved,
    DeletionEvent::ObjectMissing,
    DeletionEvent::ObjectReplaced { has_copy: false },
    DeletionEvent::ObjectReplaced { has_copy: true },
    DeletionEvent::ImageRestored,
];

/// The records of one image. Its ETag is `1`.
struct Records {
    world: World,
    actor: ActorId,
    filename: String,
}

impl Records {
    async fn claim(&self, id: &str) {
        let (world, image) = (&self.world, Image { etag: Some("1".to_owned()), ..Image::default() });
        let (plan_id, reason) = (id.to_owned(), "A test wants it.".to_owned());
        let wanted = TrashRecord { plan_id, deleted_at: world.clock.now(), reason, image, sidecars: Vec::new() };
        world.store.claim_deletion(&self.actor, &self.filename, &wanted, Version::Assessed).await.unwrap();
    }

    /// Makes the change of the records that an event of the deletion `p` requests, whatever their state is.
    async fn fire(&self, event: DeletionEvent) {
        let (store, actor, name) = (&self.world.store, &self.actor, &self.filename);
        match event {
            DeletionEvent::ImageClaimed | DeletionEvent::WorkerJoined => self.claim("p").await,
            DeletionEvent::ImageRemoved => store.end_deletion(actor, name, "p", Remains::Trashed).await.unwrap(),
            DeletionEvent::ObjectMissing => store.end_deletion(actor, name, "p", Remains::Nothing).await.unwrap(),
            DeletionEvent::ObjectReplaced { has_copy } => {
                store.withdraw_deletion(actor, name, "p", has_copy).await.unwrap();
            }
            DeletionEvent::ImageRestored => store.forget_trashed(actor, name, "p").await.unwrap(),
        }
    }

    async fn state(&self, id: &str) -> DeletionState {
        self.world.store.deletion_state(&self.actor, &self.filename, id).await.unwrap()
    }

    async fn bring_to(&self, state: DeletionState) {
        let image = Image { etag: Some("1".to_owned()), ..Image::default() };
        self.world.store.import_image(&self.actor, &self.filename, &image).await.unwrap();
        if state != DeletionState::NotBegun {
            self.claim("p").await;
        }
        if state == DeletionState::Trashed {
            self.fire(DeletionEvent::ImageRemoved).await;
        }
        assert_eq!(self.state("p").await, state);
    }
}

#[tokio::test]
async fn records_follow_the_lifecycle() {
    let mut records = Records { world: World::coded(&[]).await, actor: actor("hero"), filename: String::new() };
    let mut number = 0;
    for state in [DeletionState::NotBegun, DeletionState::Claimed, DeletionState::Trashed] {
        for event in EVENTS {
            // One call makes both claims and joins. It joins if the image is claimed.
            let is_join = event == DeletionEvent::WorkerJoined;
            if state == DeletionState::NotBegun && is_join {
                continue;
            }
            number += 1;
            records.filename = format!("hero_{number}.jpg");
            records.bring_to(state).await;
            records.fire(event).await;
            let expected = state.apply(event).unwrap_or(state);
            assert_eq!(records.state("p").await, expected, "{event:?} in {state:?}");
        }
    }
}

#[tokio::test]
async fn deletion_leaves_the_claim_of_another() {
    let records = Records { world: World::coded(&[]).await, actor: actor("hero"), filename: "hero_1.jpg".to_owned() };
    records.bring_to(DeletionState::NotBegun).await;
    records.claim("first").await;
    for event in EVENTS {
        records.fire(event).await;
        let states = (records.state("p").await, records.state("first").await);
        assert_eq!(states, (DeletionState::NotBegun, DeletionState::Claimed), "{event:?}");
    }
}
