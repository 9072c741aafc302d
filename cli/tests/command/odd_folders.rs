//! Data folders with unexpected content.

use std::fs;

use crate::support::actors::{Actor, snapshot};
use crate::support::damaged::png;
use crate::support::run::Ran;
use crate::support::stack::Place;

#[test]
fn files_other_than_images_are_named_and_kept() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    for (name, text) in [("notes.txt", "to do"), ("broken_7.png", "not a picture"), (".hidden.png", "stranger's")] {
        actor.put(name, text.as_bytes());
    }
    fs::create_dir(place.data().join("bad:name")).unwrap();
    fs::create_dir(place.data().join("bad:name/training_data")).unwrap();
    fs::create_dir(place.data().join("no actor at all")).unwrap();
    let before = actor.files();
    let ran = Ran::of(&mut place.local()).done();
    for words in [
        "ignored in hero: 1 other file (notes.txt)",
        "notes.txt",
        "skipped ",
        "bad:name: `bad:name`",
        "it contains `:`",
    ] {
        assert_eq!(ran.remarks.matches(words).count(), 1, "`{words}` is not printed exactly once in {ran:#?}");
    }
    assert!(ran.answer.contains("broken_7.png: the content is not PNG, JPEG or WebP"), "{ran:#?}");
    assert_eq!(actor.files(), before);
}

#[test]
fn unusable_base_image_is_named() {
    let place = Place::new();
    let actor = Actor::without_base(&place.data(), "hero");
    let base = actor.dir.join("base_image/portrait.png");
    fs::create_dir(base.parent().unwrap()).unwrap();
    fs::write(&base, png(image::RgbImage::new(1, 1))).unwrap();
    let before = actor.files();
    let ran = Ran::of(&mut place.local());
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    assert!(ran.answer.contains(base.to_str().unwrap()) && ran.answer.contains("1×1"), "{ran:#?}");
    assert_eq!(actor.files(), before);
}

#[test]
fn dry_run_names_an_invalid_actor_file() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    fs::write(actor.dir.join("actor.json"), r#"{"sexx":"female"}"#).unwrap();
    let before = snapshot(&place.data());
    let ran = Ran::of(place.local().arg("--dry-run")).failed(3, &[]);
    let output = ran.answer + &ran.remarks;
    assert!(output.contains("actor.json") && output.contains("sexx"), "{output}");
    assert_eq!(snapshot(&place.data()), before);
}

#[test]
fn unusable_trash_is_named_after_five_attempts() {
    let place = Place::new();
    let actor = Actor::unbalanced(&place.data(), "hero");
    let trash = actor.dir.join("trash");
    fs::write(&trash, "a file instead of a folder").unwrap();
    // Five attempts with pauses of 2, 4, 8 and 16 seconds.
    let ran = Ran::of(&mut place.local()).failed(3, &[]);
    assert!((ran.answer + &ran.remarks).contains(trash.to_str().unwrap()));
}
