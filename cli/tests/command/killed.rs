//! Killed runs lose no image, and the next run continues.
//!
//! `KILLS=n` sets the number of kills at random moments (default 6).

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use domain::numbering::number_of;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::Background;
use crate::support::paid::Paid;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// The number of kills, if the variable `KILLS` is not set.
const DEFAULT_KILLS: usize = 6;

const CONCURRENT_RUNS: usize = 4;

/// Set this variable to the printed seed to repeat the moments of a failed test.
const SEED: &str = "KILL_SEED";

#[test]
fn killed_run_ends_like_an_undisturbed_one() {
    let (undisturbed, takes) = undisturbed();
    let endings = at_random_moments(takes, killed_after);
    for (moment, ending) in &endings {
        assert!(ending.is_like(&undisturbed), "killed after {moment:?}: {ending:?}, not {undisturbed:?}");
    }
    let same = endings.iter().filter(|(_, ending)| *ending == undisturbed).count();
    assert!(same >= endings.len().div_ceil(2), "only {same} are identical: {endings:?}");
}

/// At any moment, the next run fetches the images that were requested, and requests only the others.
#[test]
fn images_of_killed_runs_are_charged_once() {
    let undisturbed = Paid::new();
    let began = Instant::now();
    undisturbed.ends_well(&[&Actor::nothing(&undisturbed.place.data(), "new").with_base()]);
    let takes = began.elapsed();
    drop(undisturbed);
    at_random_moments(takes, |moment| {
        let paid = Paid::new();
        let actor = Actor::nothing(&paid.place.data(), "new").with_base();
        let mut running = paid.in_background();
        thread::sleep(moment);
        running.kill();
        drop(running);
        paid.ends_well(&[&actor]);
    });
}

/// Repeats a test that kills a run at a moment within this time. Returns the results with their moments.
fn at_random_moments<T: Send>(takes: Duration, test: impl Fn(Duration) -> T + Sync) -> Vec<(Duration, T)> {
    let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let kills = kills();
    eprintln!("{SEED}={seed}: {kills} moments within {takes:?}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let moments: Vec<Duration> = (0..kills).map(|_| takes.mul_f64(random.random())).collect();
    thread::scope(|scope| {
        let test = &test;
        let tested = move |moments: &'_ [Duration]| moments.iter().map(|&moment| (moment, test(moment))).collect();
        let workers =
            moments.chunks(kills.div_ceil(CONCURRENT_RUNS)).map(|moments| scope.spawn(move || tested(moments)));
        let workers: Vec<thread::ScopedJoinHandle<'_, Vec<_>>> = workers.collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn kills() -> usize {
    let Ok(text) = std::env::var("KILLS") else { return DEFAULT_KILLS };
    text.parse().ok().filter(|&kills| kills > 0).unwrap_or_else(|| panic!("KILLS={text} is no positive number"))
}

/// The uploaded images that are in the set and in the trash at the end, and the number of generated ones.
#[derive(Debug, PartialEq)]
struct Ending {
    kept: BTreeSet<String>,
    deleted: BTreeSet<String>,
    generated: usize,
}

impl Ending {
    /// Whether the two endings agree. Generated images differ between runs, and sometimes one is assessed as another
    /// kind. Then the run generates one more, and the first may replace a worse original.
    fn is_like(&self, undisturbed: &Self) -> bool {
        self == undisturbed || self.generated > undisturbed.generated && self.kept.is_subset(&undisturbed.kept)
    }
}

/// The ending and duration of an undisturbed run that generates only the one missing image.
fn undisturbed() -> (Ending, Duration) {
    loop {
        let place = Place::new();
        let actor = Actor::unbalanced(&place.data(), "hero");
        let originals = actor.files();
        let began = Instant::now();
        let ending = settled(&place, &actor, &originals);
        if ending.generated == 1 {
            return (ending, began.elapsed());
        }
    }
}

/// Kills a run at this moment, and starts another. If the run has ended before, tries an earlier moment.
fn killed_after(moment: Duration) -> Ending {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let originals = actor.files();
    let pictures: BTreeSet<Vec<u8>> = snapshot(&actor.training_data()).into_values().collect();
    let mut running = Background::start(place.local_in_background());
    thread::sleep(moment);
    if !running.kill() {
        drop((running, place));
        return killed_after(moment / 2);
    }
    let ending = settled(&place, &actor, &originals);
    let left: BTreeSet<Vec<u8>> = snapshot(&actor.dir).into_values().collect();
    assert!(pictures.is_subset(&left), "an image is lost or changed");
    ending
}

/// Runs to the end and checks the result.
fn settled(place: &Place, actor: &Actor, originals: &BTreeSet<String>) -> Ending {
    let ran = Ran::of(place.local().arg("--json")).done().last_line();
    let report = &ran["actors"][0];
    let counts = ["photorealistic", "bw_stylized", "color_stylized"].map(|kind| report[kind].clone());
    assert_eq!((&report["status"], counts), (&json!("balanced"), [json!(4), json!(1), json!(1)]), "{ran}");
    actor.agrees_with_its_manifest();
    let (files, trash) = (actor.files(), actor.trash());
    assert!(files.is_disjoint(&trash), "an image of the set and one in the trash have the same name");
    // Numbers have no gaps.
    let generated = files.union(&trash).filter(|name| !originals.contains(*name));
    let numbers: BTreeSet<u64> = generated.map(|name| number_of(name)).collect();
    let last = actor.manifest()["last_number"].as_u64().unwrap();
    assert_eq!(numbers, (10..=last).collect(), "{files:?} {trash:?}");
    let originals = |names: &BTreeSet<String>| names.intersection(originals).cloned().collect();
    Ending { kept: originals(&files), deleted: originals(&trash), generated: numbers.len() }
}
