//! `local --serve`: only the stack, with a file of variables with which SAM's functions reach it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use domain::keys::Keys;
use domain::messages::{DeletionMessage, EvaluationMessage, GenerationMessage};
use serde_json::Value;

use crate::support::actors::Actor;
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

#[test]
fn serve_writes_files_for_sam_and_status_finds_it() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let (files, env_vars, events) = (actor.files(), place.data().join("../env.json"), place.data().join("../events"));
    let mut command = place.local_in_background();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    command.args(["--serve", "--port", &port.to_string(), "--env-vars"]).arg(&env_vars);
    command.arg("--events").arg(&events);
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
    assert_are_about(&events, &actor, variables["EvaluationFunction"]["BUCKET"].as_str().unwrap());
    assert!(serving.output().contains("balancer status --rejected"));

    serving.signal("INT");
    assert_eq!(serving.end(), Some(0), "{}", serving.output());
    Ran::of(place.balancer().arg("status")).failed(1, &["no stack is running here"]);
    assert_eq!(actor.files(), files, "the folder is only read");
}

/// Asserts that there is an event of each kind, that it concerns this actor, and that its function can parse it.
fn assert_are_about(events: &Path, actor: &Actor, bucket: &str) {
    let message = |name: &str| -> String {
        let event: Value = serde_json::from_slice(&fs::read(events.join(format!("{name}.json"))).unwrap()).unwrap();
        event["Records"][0]["body"].as_str().unwrap().to_owned()
    };
    for name in ["evaluation-manual", "evaluation-manual-dry-run", "evaluation-manual-forced"] {
        let parsed = EvaluationMessage::parse(&message(name)).unwrap();
        assert!(
            matches!(&parsed, EvaluationMessage::Command(command) if command.actor_id.as_str() == actor.id),
            "{name}"
        );
    }
    let EvaluationMessage::Uploads(uploads) = EvaluationMessage::parse(&message("evaluation-upload")).unwrap() else {
        panic!("no upload")
    };
    let keys = Keys::new("system_actors");
    let (of, image) = keys.split_image(&uploads[0].key).unwrap();
    assert_eq!((uploads[0].bucket.as_str(), of), (bucket, actor.id.as_str()));
    assert!(actor.files().contains(image), "{image}");

    let DeletionMessage::Manual { actor_id, filenames, .. } =
        DeletionMessage::parse(&message("deletion-manual")).unwrap()
    else {
        panic!("no manual deletion")
    };
    assert!(actor_id.as_str() == actor.id && actor.files().contains(&filenames[0]), "{filenames:?}");
    let GenerationMessage::Manual { actor_id, .. } = GenerationMessage::parse(&message("generation-manual")).unwrap()
    else {
        panic!("no manual generation")
    };
    assert_eq!(actor_id.as_str(), actor.id);
}
