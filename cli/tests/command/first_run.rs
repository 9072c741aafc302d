//! The first run on a machine without cargo, Python or a network.

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;

use crate::support::actors::Actor;
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// A run with an empty cache, which must first set up the emulator.
fn first(place: &Place) -> Command {
    let mut command = place.local();
    command.env("BALANCER_CACHE_DIR", place.data().with_file_name("empty cache"));
    command
}

#[test]
fn without_cargo_the_remedy_is_to_install_it() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    // The build folder contains the functions, which then need no compilation.
    let alone = place.tmp().join("balancer");
    std::fs::copy(env!("CARGO_BIN_EXE_balancer"), &alone).unwrap();
    let built = place.local();
    let mut command = Command::new(alone);
    command.args(built.get_args()).env("BALANCER_CACHE_DIR", place.cache()).env("TMPDIR", place.tmp());
    let ran = Ran::of(command.env_remove("CARGO").env("PATH", place.tmp()));
    assert!(!ran.remarks.contains("permissions"), "{ran:#?}");
    ran.failed(1, &["cargo was not found", "Install Rust", "PATH"]);
}

/// Environment variables that prevent pip from finding packages.
const NO_NETWORK: [(&str, &str); 4] = [
    ("PIP_INDEX_URL", "http://127.0.0.1:9"),
    ("PIP_EXTRA_INDEX_URL", ""),
    ("PIP_FIND_LINKS", ""),
    ("PIP_RETRIES", "0"),
];

#[test]
fn without_python_the_remedy_is_named() {
    let Some(cargo) = std::env::var_os("CARGO") else {
        eprintln!("skipped: only cargo sets CARGO, and this test was not started by cargo");
        return;
    };
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    // Cargo's folder contains the build tools, and no Python.
    let path = Path::new(&cargo).parent().unwrap();
    Ran::of(first(&place).env("PATH", path)).failed(1, &["Python 3.10", "none was found", "apt install python3"]);
}

#[test]
fn without_a_network_the_remedy_is_named() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let words = ["could not be installed", "PyPI", "Check the connection"];
    Ran::of(first(&place).envs(NO_NETWORK)).failed(1, &words);
}

#[test]
#[ignore = "downloads the emulator from PyPI"]
fn once_the_network_is_back_the_next_run_works() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    Ran::of(first(&place).envs(NO_NETWORK)).failed(1, &["Check the connection"]);
    Ran::of(&mut first(&place)).done();
    actor.agrees_with_its_manifest();
}

#[test]
fn sigterm_ends_the_setup_of_the_emulator() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    // A server that accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let index = format!("http://{}", silent.local_addr().unwrap());
    let mut command = place.local_in_background();
    command.env("BALANCER_CACHE_DIR", place.data().with_file_name("empty cache"));
    command.envs(NO_NETWORK).env("PIP_INDEX_URL", index).env("PIP_DEFAULT_TIMEOUT", "60");
    let mut running = Background::start(command);
    running.wait_for("setting up the local emulator");
    std::thread::sleep(std::time::Duration::from_secs(6));
    running.signal("TERM");
    assert_eq!(running.end(), Some(130), "{}", running.output());
}

/// The features of each dependency, by name and version, if cargo builds these packages.
fn features(packages: &[&str]) -> BTreeMap<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = std::process::Command::new(cargo);
    tree.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--offline", "--prefix", "none"]);
    let tree = tree.args(["--edges", "normal,build", "--format", "{p}|{f}"]).args(packages).output().unwrap();
    let lines = String::from_utf8(tree.stdout).unwrap();
    let dependency = |line: &str| {
        let (package, features) = line.trim_end_matches(" (*)").split_once('|')?;
        let package: Vec<&str> = package.split(' ').take(2).collect();
        Some((package.join(" "), features.to_owned()))
    };
    lines.lines().filter_map(dependency).collect()
}

/// With different features, cargo would compile nearly every dependency twice: for the command and for the tests.
#[test]
fn command_and_tests_share_their_dependencies() {
    let (command, workspace) = (features(&["-p", "balancer-cli"]), features(&["--workspace"]));
    assert!(command.len() > 200, "{command:#?}");
    for (package, features) in command {
        assert_eq!(workspace[&package], features, "{package}");
    }
}
