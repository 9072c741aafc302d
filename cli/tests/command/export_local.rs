//! `balancer local --from BASE --export FORMAT`: from one picture to a set to train on.

use std::fs;

use serde_json::json;

use crate::support::actors::SIX;
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
    local.args(SIX).arg("--from").arg(&picture).args(["--export", "kohya", "--json", "--trigger", "ohwx"]);
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
