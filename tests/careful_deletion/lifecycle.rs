//! The store changes the records of a deletion as `domain::lifecycle::deletion` states.

use aws::store::deletions::{Claim, Remains};
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::lifecycle::deletion::{DeletionEvent, DeletionState, Version};
use domain::manifest::Image;
use domain::trash::{TrashRecord, WORKER_TIMEOUT};

/// The records of one image. Its ETag is `1`.
struct Records {
    world: World,
    actor: ActorId,
    filename: String,
}

/// Both records, as they are in the table.
type Contents = (Option<Image>, Option<TrashRecord>);

fn image() -> Image {
    Image { etag: Some("1".to_owned()), ..Image::default() }
}

impl Records {
    async fn start() -> Self {
        Self { world: World::coded(&[]).await, actor: actor("hero"), filename: "hero_1.jpg".to_owned() }
    }

    async fn contents(&self, id: &str) -> Contents {
        let store = &self.world.store;
        let image = store.image(&self.actor, &self.filename).await.unwrap();
        (image, store.trashed(&self.actor, &self.filename, id).await.unwrap())
    }

    async fn state(&self, id: &str) -> DeletionState {
        let (image, trashed) = self.contents(id).await;
        DeletionState::of(id, image.as_ref(), trashed.is_some())
    }

    async fn claim(&self, id: &str) -> Claim {
        let (plan_id, reason) = (id.to_owned(), "Requested by a test.".to_owned());
        let deleted_at = self.world.clock.now();
        let wanted = TrashRecord { plan_id, deleted_at, reason, image: image(), sidecars: Vec::new() };
        let token = format!("{:x}", rand::random::<u64>());
        // The lease of an earlier worker has expired.
        self.world.advance_clock(WORKER_TIMEOUT);
        self.world.store.claim_deletion(&self.actor, &self.filename, &wanted, Version::Assessed, &token).await.unwrap()
    }

    /// Makes the writes of an event of the deletion `p`, as handlers do, whatever its state is.
    async fn fire(&self, event: DeletionEvent) {
        let (store, actor, name) = (&self.world.store, &self.actor, &self.filename);
        match event {
            DeletionEvent::ImageClaimed | DeletionEvent::WorkerJoined => drop(self.claim("p").await),
            DeletionEvent::ImageRemoved => store.end_deletion(actor, name, "p", Remains::Trashed).await.unwrap(),
            DeletionEvent::ObjectMissing => store.end_deletion(actor, name, "p", Remains::Nothing).await.unwrap(),
            DeletionEvent::ObjectReplaced { has_copy } => {
                store.withdraw_deletion(actor, name, "p", has_copy).await.unwrap();
            }
            DeletionEvent::ImageRestored => {
                if store.restore_image(actor, name, &image(), false, self.world.clock.now()).await.unwrap() {
                    store.forget_trashed(actor, name, "p").await.unwrap();
                }
            }
        }
    }

    /// Brings the records into a state by these events, from an image record without a claim.
    async fn bring_to(&self, state: DeletionState, events: &[DeletionEvent]) {
        self.world.store.import_image(&self.actor, &self.filename, &image()).await.unwrap();
        for event in events {
            self.fire(*event).await;
        }
        assert_eq!(self.state("p").await, state, "{events:?}");
    }
}

/// Ways into each state. An image in the trash may have an image record too: of another object, or of an interrupted
/// restore.
const STARTS: [(DeletionState, &[DeletionEvent]); 4] = [
    (DeletionState::NotBegun, &[]),
    (DeletionState::Claimed, &[DeletionEvent::ImageClaimed]),
    (DeletionState::Trashed, &[DeletionEvent::ImageClaimed, DeletionEvent::ImageRemoved]),
    (DeletionState::Trashed, &[DeletionEvent::ImageClaimed, DeletionEvent::ObjectReplaced { has_copy: true }]),
];

#[tokio::test]
async fn records_follow_the_lifecycle() {
    let mut records = Records::start().await;
    for (start, (state, events)) in STARTS.into_iter().enumerate() {
        for (number, event) in DeletionEvent::ALL.into_iter().enumerate() {
            // One call claims an unclaimed image and joins the deletion of a claimed one.
            if (state, event) == (DeletionState::NotBegun, DeletionEvent::WorkerJoined) {
                continue;
            }
            records.filename = format!("hero_{start}{number}.jpg");
            records.bring_to(state, events).await;
            let before = records.contents("p").await;
            records.fire(event).await;
            let found = records.state("p").await;
            match state.apply(event) {
                Ok(expected) => {
                    assert_eq!(found, expected, "{event:?} in {state:?}");
                    let has_image = match (state, event) {
                        (DeletionState::Claimed, DeletionEvent::ImageRemoved | DeletionEvent::ObjectMissing) => false,
                        _ => before.0.is_some() || event == DeletionEvent::ImageRestored,
                    };
                    assert_eq!(records.contents("p").await.0.is_some(), has_image, "{event:?} in {state:?}");
                    // A worker can always join a claimed deletion.
                    if expected == DeletionState::Claimed {
                        assert!(matches!(records.claim("p").await, Claim::Granted(_)), "{event:?} in {state:?}");
                    }
                }
                // The same call joins the deletion.
                Err(_) if (state, event) == (DeletionState::Claimed, DeletionEvent::ImageClaimed) => {
                    assert_eq!(found, state);
                }
                Err(_) => assert_eq!(records.contents("p").await, before, "{event:?} in {state:?}"),
            }
        }
    }
}

#[tokio::test]
async fn deletion_leaves_the_claim_of_another() {
    let records = Records::start().await;
    records.bring_to(DeletionState::NotBegun, &[]).await;
    records.claim("first").await;
    for event in DeletionEvent::ALL {
        records.fire(event).await;
        let states = (records.state("p").await, records.state("first").await);
        assert_eq!(states, (DeletionState::NotBegun, DeletionState::Claimed), "{event:?}");
    }
}
