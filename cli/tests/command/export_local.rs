//! `balancer local --from BASE --export FORMAT`: from one picture to a set to train on.

use std::fs;

use serde_json::json;

use crate::care::{balancer_at, watch};
use crate::support::actors::Actor;
use crate::support::damaged::png;
use crate::support::pictures::base;
use crate::support::readers::read;
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

#[test]
fn one_picture_becomes_a_set_to_train_on() {
    let place = Place::new();
    let (picture, output) = (place.tmp().join("hero.png"), place.tmp().join("hero-kohya"));
    fs::write(&picture, png(base())).unwrap();
    let mut local = place.local();
    local.arg("--from").arg(&picture).args(["--export", "kohya", "--json", "--trigger", "ohwx"]);
    let ran = Ran::of(local.arg("-o").arg(&output)).done();
    let exported = &ran.json()["export"];
    assert_eq!(
        exported["actors"],
        json!([{
            "actor_id": "hero", "trigger": "ohwx", "class": "person", "images": 6, "captions": 6
        }])
    );
    assert!(place.data().join("hero/base_image/hero_base.png").is_file());
    if let Some(read) = read("kohya", &output) {
        let captions: Vec<&str> =
            read["read"].as_object().unwrap().values().map(|image| image["caption"].as_str().unwrap()).collect();
        assert_eq!(captions.len(), 6);
        assert!(captions.iter().all(|caption| caption.starts_with("ohwx person, ")), "{captions:?}");
    }
}

#[test]
fn running_stack_is_exported_like_its_folder() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    actor.put("hero_1.txt", b"written beside");
    let watching = watch(&place, &[]);
    let output = place.tmp().join("out");
    let output = output.to_str().unwrap();
    let ran = balancer_at(&place, &["export", "hero", "--format", "ai-toolkit", "-o", output, "--json"]).done();
    let found = ran.json()["findings"].clone();
    let kinds: Vec<&str> = found.as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["no_trigger", "no_caption", "too_small"]);
    let read_file = |path: &str| fs::read(place.tmp().join("out/hero").join(path)).unwrap();
    assert_eq!(read_file("hero_2.jpg"), fs::read(actor.training_data().join("hero_2.jpg")).unwrap());
    assert!(read_file("hero_1.txt").ends_with(b" person, written beside"));
    drop(watching);
}

#[test]
fn export_that_can_not_be_written_prevents_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let (picture, taken) = (dir.path().join("hero.png"), dir.path().join("taken"));
    fs::write(&picture, png(base())).unwrap();
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("notes.md"), "notes").unwrap();
    let local = |arguments: &[&str]| {
        Ran::of(balancer().current_dir(dir.path()).args(["local", "--from", "hero.png"]).args(arguments))
    };
    local(&["--export", "kohya", "-o", "taken"]).failed(1, &["the folder is not empty"]);
    local(&["--export", "kohya"]).failed(2, &["--output"]);
    local(&["--export", "kohya", "-o", "new", "--watch"]).failed(2, &["cannot be used with"]);
    local(&["--dry-run"]).failed(2, &["cannot be used with"]);
    local(&["--trigger", "ohwx"]).failed(2, &["need --export"]);
    local(&["--actor", "a", "--actor", "b"]).failed(2, &["give --actor once"]);
    assert!(!dir.path().join("images").exists());
}
