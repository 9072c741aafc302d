//! A run that is killed again and again.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// Folders, and how often the run over each is killed.
const FOLDERS: u64 = 5;
const KILLS: u64 = 4;

/// What a run says on its way.
const MOMENTS: [&str; 5] = ["building", "uploading", "judging images", "deleting", "images made"];

#[test]
fn killed_at_twenty_moments_a_run_always_ends_right_at_last_and_nothing_is_lost() {
    for folder in 0..FOLDERS {
        let place = Place::new();
        let actor = Actor::unbalanced(&place.data(), "somebody");
        let originals = snapshot(&actor.training_data());
        for kill in 0..KILLS {
            let mut running = Background::start(place.local_in_background());
            // Every moment in every folder once, each time a little later; a run that has nothing to do says less.
            running.wait_for_or_end(MOMENTS[((folder + kill) % 5) as usize]);
            thread::sleep(Duration::from_millis((folder * KILLS + kill) * 37 % 400));
            running.kill();
        }
        let settled = Ran::of(place.local().arg("--json")).done().last_line();
        assert_eq!(settled["actors"][0]["status"], "balanced", "{settled}");
        actor.agrees_with_its_manifest();
        let everything: BTreeMap<_, _> = snapshot(&actor.dir);
        for (path, bytes) in &originals {
            assert!(everything.values().any(|kept| kept == bytes), "{} is lost", path.display());
        }
        no_number_is_used_twice(&actor);
    }
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
