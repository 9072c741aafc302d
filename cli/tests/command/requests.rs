//! Manual requests that had begun when a run was killed are completed.

use aws::store::deletions::Claim;
use domain::lifecycle::deletion::Version;
use domain::trash::TrashRecord;
use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::support::actors::Actor;
use crate::support::background::{Background, wait_until};
use crate::support::paid::Paid;
use crate::support::run::Ran;
use crate::support::stack::Place;

#[test]
fn begun_deletion_is_completed_by_the_next_run() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    let (id, filename) = (actor.id.parse().unwrap(), "hero_2.jpg");
    Runtime::new().unwrap().block_on(async {
        let store = place.services().store;
        let image = store.image(&id, filename).await.unwrap().unwrap();
        let (plan_id, reason) = ("manual-mine".to_owned(), "Deleted on manual request.".to_owned());
        let wanted = TrashRecord { plan_id, deleted_at: Timestamp::now(), reason, image, sidecars: Vec::new() };
        let claim = store.claim_deletion(&id, filename, &wanted, Version::Any, "killed").await.unwrap();
        assert!(matches!(claim, Claim::Granted(_)));
    });
    assert!(watching.kill());
    Ran::of(&mut place.local()).done();
    assert!(actor.dir.join("trash/manual-mine").join(filename).is_file());
    assert_eq!(actor.files().len(), 6, "another image replaces it");
    actor.agrees_with_its_manifest();
}

#[test]
fn requested_images_are_placed_by_the_next_run() {
    let paid = Paid::new();
    let actor = Actor::balanced(&paid.place.data(), "hero");
    let originals = actor.files().len();
    let mut watching = paid.in_background_with(&["--watch"]);
    watching.wait_for("Ctrl-C ends it");
    Ran::of(paid.place.balancer().args(["send", "generation", "hero", "--bw-stylized", "2"])).done();
    wait_until(|| paid.creations() == 2, || watching.output());
    assert!(watching.kill());
    let ran = Ran::of(&mut paid.local()).done();
    let kept = actor.files().len() + actor.trash().len() - originals;
    assert_eq!((paid.creations(), kept), (2, 2), "{ran:#?}");
    actor.agrees_with_its_manifest();
}
