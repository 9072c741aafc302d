//! A run that is killed again and again.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

const KILLS: u64 = 20;

/// Spread over everything that a run does, in no order.
fn moment(kill: u64) -> Duration {
    Duration::from_millis(150 + kill * 7_919 % 3_500)
}

#[test]
fn killed_at_twenty_moments_a_run_always_ends_right_at_last_and_nothing_is_lost() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "somebody");
    let originals = snapshot(&actor.training_data());
    for kill in 0..KILLS {
        let mut running = Background::start(place.local_in_background());
        thread::sleep(moment(kill));
        running.signal("KILL");
        running.end();
    }

    let settled = Ran::of(&mut place.local()).done();

    assert!(settled.json()["actors"][0]["status"] == "balanced", "{settled:?}");
    actor.agrees_with_its_manifest();
    let everything: BTreeMap<_, _> = snapshot(&actor.dir);
    for (path, bytes) in &originals {
        assert!(everything.values().any(|kept| kept == bytes), "{} is lost", path.display());
    }
    no_number_is_used_twice(&actor);
}

/// A name stands for one picture, in the set or in the trash.
fn no_number_is_used_twice(actor: &Actor) {
    let mut pictures: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let folders = [actor.training_data(), actor.dir.join("trash")];
    for (path, bytes) in folders.iter().flat_map(|folder| snapshot(folder)) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(other) = pictures.insert(name.clone(), bytes.clone()) {
            assert!(other == bytes, "{name} stands for two pictures");
        }
    }
}
