//! Functions that are killed during a run: others resume their work, and the run ends as an undisturbed one.
//!
//! `FUNCTION_KILLS=n` sets the number of kills (default 4).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use domain::numbering::number_of;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::actors::Actor;
use crate::support::background::Background;
use crate::support::stack::Place;

const DEFAULT_KILLS: usize = 4;

const ACTORS: [&str; 3] = ["hero", "villain", "witness"];

/// Set this variable to the printed seed to repeat the pauses of a failed test.
const SEED: &str = "KILL_SEED";

#[test]
fn killed_functions_delay_a_run_and_change_nothing() {
    let kills = std::env::var("FUNCTION_KILLS").map_or(DEFAULT_KILLS, |kills| kills.parse().unwrap());
    let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let place = Place::new();
    let actors = ACTORS.map(|name| Actor::unbalanced(&place.data(), name));
    let originals = actors.each_ref().map(Actor::files);
    let mut running = Background::start(place.local_in_background());
    let (mut killed, mut last) = (0, Instant::now());
    while killed < kills && !running.has_ended() {
        thread::sleep(Duration::from_millis(random.random_range(100..2_500)));
        if let Some(process) = functions(&place).choose(&mut random) {
            kill(*process);
            (killed, last) = (killed + 1, Instant::now());
        }
    }
    while !running.has_ended() {
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(running.end(), Some(0), "{}", running.output());
    println!("{SEED}={seed}: {killed} functions killed; settled {:.1?} after the last", last.elapsed());
    assert!(killed > 0, "{}", running.output());
    for (actor, originals) in actors.iter().zip(originals) {
        actor.agrees_with_its_manifest();
        let manifest = actor.manifest();
        let (files, trash) = (actor.files(), actor.trash());
        assert_eq!(files.len(), 6, "{files:?}\n{}", running.output());
        assert!(files.is_disjoint(&trash) && originals.iter().all(|name| files.contains(name) || trash.contains(name)));
        // Numbers have no gaps.
        let generated = files.union(&trash).filter(|name| !originals.contains(*name));
        let mut numbers: Vec<u64> = generated.map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        assert_eq!(
            numbers,
            (10..=manifest["last_number"].as_u64().unwrap()).collect::<Vec<_>>(),
            "{files:?} {trash:?}"
        );
    }
}

/// The processes of the functions of the stack in this place.
fn functions(place: &Place) -> Vec<u32> {
    let directory = place.tmp().to_str().unwrap().to_owned();
    let is_function = |command: &str| command.starts_with(&directory) && command.contains("/functions/");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            is_function(&String::from_utf8_lossy(&command))
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn kill(process: u32) {
    // It may have ended meanwhile.
    let _ = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status();
}
