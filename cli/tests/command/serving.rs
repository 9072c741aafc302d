//! `local --serve`: the stack by itself, with a file that tells SAM's functions where it is.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::support::actors::Actor;
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

#[test]
fn a_served_stack_writes_what_sam_needs_and_is_found_by_status_until_it_ends() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "somebody");
    let (files, env_vars) = (actor.files(), place.data().join("../env.json"));
    let mut command = place.local_in_background();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    command.args(["--serve", "--port", &port.to_string(), "--env-vars"]).arg(&env_vars);
    let mut serving = Background::start(command);
    serving.wait_for("Ctrl-C ends it");

    let variables: Value = serde_json::from_slice(&fs::read(&env_vars).unwrap()).unwrap();
    for (function, provider) in [("EvaluationFunction", "VISION_PROVIDER"), ("GenerationFunction", "GENERATOR")] {
        assert_eq!(variables[function][provider], "embedded");
        let endpoint = variables[function]["AWS_ENDPOINT_URL"].as_str().unwrap();
        assert_eq!(endpoint, format!("http://host.docker.internal:{port}"));
    }
    assert!(variables["DeletionFunction"]["TABLE"].as_str().unwrap().contains("Table"));
    Ran::of(place.balancer().args(["status", "--json"])).json();

    serving.signal("INT");
    assert_eq!(serving.end(), Some(0), "{}", serving.said());
    Ran::of(place.balancer().arg("status")).failed(1, &["no stack is running here"]);
    assert_eq!(actor.files(), files, "the folder is only read");
}
