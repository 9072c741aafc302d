//! Unusual names of folders and files, as users and operating systems create them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use domain::kind::Kind;
use serde_json::Value;

use crate::support::actors::{Actor, snapshot};
use crate::support::background::{Background, wait_until};
use crate::support::pictures::drawn;
use crate::support::run::{Ran, balancer, run};
use crate::support::stack::Place;

/// An actor with a base image, and with its images in this subfolder of the actor's folder.
fn with_images_in(data: &Path, id: &str, folder: &str) -> Actor {
    let actor = Actor::nothing(data, id).with_base();
    fs::create_dir_all(actor.dir.join(folder)).unwrap();
    for (number, bytes) in (1..).zip(&drawn(Kind::Photorealistic)[..3]) {
        fs::write(actor.dir.join(folder).join(format!("{id}_{number}.jpg")), bytes).unwrap();
        fs::write(actor.dir.join(folder).join(format!("{id}_{number}.txt")), "a caption").unwrap();
    }
    actor
}

fn status_of<'a>(report: &'a Value, id: &str) -> &'a Value {
    let actors = report["actors"].as_array().unwrap();
    &actors.iter().find(|actor| actor["actor_id"] == id).unwrap_or_else(|| panic!("{id} is not in {report:#}"))["status"]
}

#[test]
fn images_that_cannot_be_interpreted_stop_the_actor() {
    let place = Place::new();
    let data = place.data();
    let kohya = with_images_in(&data, "kohya", "training_data/10_kohya woman");
    let beside = with_images_in(&data, "beside", "10_beside woman");
    let phone = Actor::nothing(&data, "phone").with_base();
    for name in ["1.HEIC", "2.heic"] {
        phone.put(name, b"an image");
    }
    let latin = Actor::nothing(&data, "latin").with_base();
    fs::write(latin.training_data().join(OsStr::from_bytes(b"caf\xe9_1.jpg")), "an image").unwrap();
    fs::create_dir(data.join("loose")).unwrap();
    fs::write(data.join("loose/1.jpg"), &drawn(Kind::Photorealistic)[0]).unwrap();
    let whole = Actor::balanced(&data, "whole");
    let skipped = [&kohya, &beside, &phone, &latin];
    let before = skipped.map(|actor| snapshot(&actor.dir));
    let words = [
        "kohya: found 3 images in training_data/10_kohya woman: move them up into training_data, with their captions",
        "beside: found 3 images in beside/10_beside woman, and none in training_data",
        "phone: training_data contains 2 HEIC images, which can't be read",
        "latin: the names of all images in training_data are not UTF-8",
        "loose: found 1 image; move",
    ];
    let proposed = Ran::of(place.local().args(["--dry-run", "--json"])).failed(3, &words);
    assert!(proposed.last_line()["actors"][1]["reason"].as_str().unwrap().contains("10_kohya woman"), "{proposed:#?}");
    let ran = Ran::of(place.local().arg("--json")).failed(3, &words);
    for actor in skipped {
        assert_eq!(status_of(&ran.last_line(), &actor.id), "needs_attention");
    }
    assert_eq!(status_of(&ran.last_line(), "whole"), "balanced");
    assert_eq!(skipped.map(|actor| snapshot(&actor.dir)), before);
    whole.agrees_with_its_manifest();
}

#[test]
fn ordinary_folder_causes_no_remarks() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    for file in actor.files() {
        let stem = file.strip_suffix(".jpg").unwrap();
        for name in [format!("{stem}.txt"), format!("{stem}_0512x0768_sdxl.npz"), format!("{file}:Zone.Identifier")] {
            actor.put(&name, b"sidecar");
        }
        actor.put(&format!("._{file}"), b"\0\x05\x16\x07");
    }
    for name in ["Thumbs.db", "desktop.ini", ".DS_Store"] {
        actor.put(name, b"system file");
    }
    let quiet = Ran::of(&mut place.local()).done();
    assert!(!quiet.remarks.contains("ignored") && !quiet.remarks.contains("skipped"), "{quiet:#?}");
    for name in ["1.heic", "2.HEIC", "3.gif", "notes.md", "list.csv", "odd\u{1b}_9.jpg"] {
        actor.put(name, b"ignored");
    }
    let before = actor.files();
    let ran = Ran::of(&mut place.local()).done();
    for line in [
        "ignored in hero: 1 GIF image (convert it to JPEG or PNG)",
        "ignored in hero: 2 HEIC images (convert them to JPEG or PNG)",
        "ignored in hero: 2 other files (list.csv, notes.md)",
        "ignored in hero: odd\\u{1b}_9.jpg, for names that are too long or hold control characters (rename them)",
    ] {
        assert_eq!(ran.remarks.lines().filter(|other| *other == line).count(), 1, "`{line}` in {ran:#?}");
    }
    assert_eq!(ran.remarks.matches("ignored").count(), 4, "{ran:#?}");
    assert_eq!(actor.files(), before);
}

#[test]
fn other_spellings_of_names_lose_no_image() {
    let place = Place::new();
    let named = Actor::balanced(&place.data(), "O'Brien & Söhne, #3");
    let jurgen = Actor::balanced(&place.data(), "Ju\u{308}rgen");
    fs::rename(jurgen.training_data().join("Ju\u{308}rgen_1.jpg"), jurgen.training_data().join("ü_1.jpg")).unwrap();
    fs::write(jurgen.dir.join("actor.json"), b"\xef\xbb\xbf{\"sex\":\"female\"}").unwrap();
    let twins = Actor::balanced(&place.data(), "twins");
    fs::rename(twins.training_data().join("twins_2.jpg"), twins.training_data().join("TWINS_1.JPG")).unwrap();
    let latin = Actor::balanced(&place.data(), "latin");
    for (name, bytes) in [(b"caf\xe9_1.jpg", "one"), (b"caf\xe8_1.jpg", "other")] {
        fs::write(latin.training_data().join(OsStr::from_bytes(name)), bytes).unwrap();
    }
    let phone = Actor::balanced(&place.data(), "phone");
    let from_phone = phone.training_data().join("PXL_20231012_184512345.jpg");
    fs::rename(phone.training_data().join("phone_1.jpg"), &from_phone).unwrap();
    let before = [&named, &jurgen, &twins, &latin, &phone].map(|actor| snapshot(&actor.training_data()));
    let ran = Ran::of(&mut place.local()).done();
    for (words, times) in [
        ("its name is not UTF-8; rename it", 2),
        ("twins in twins: TWINS_1.JPG, twins_1.jpg share one caption", 1),
        ("numbered from 184512346 on, after PXL_20231012_184512345.jpg", 1),
        ("skipped", 2),
    ] {
        assert_eq!(ran.remarks.matches(words).count(), times, "`{words}` in {ran:#?}");
    }
    assert_eq!([&named, &jurgen, &twins, &latin, &phone].map(|actor| snapshot(&actor.training_data())), before);
    let dirs: BTreeSet<_> = fs::read_dir(place.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(dirs.len(), 5, "{dirs:?}");
    let manifest = jurgen.manifest();
    assert_eq!((&manifest["actor_id"], &manifest["metadata"]["sex"]), (&"Jürgen".into(), &"female".into()));
    let again = Ran::of(place.local().args(["--actor", "Jürgen", "--actor", "phone"])).done();
    assert!(!again.remarks.contains("numbered from"), "{again:#?}");
}

#[test]
fn two_folders_of_one_actor_are_skipped() {
    let place = Place::new();
    for id in ["Jürgen", "Ju\u{308}rgen"] {
        Actor::balanced(&place.data(), id);
    }
    Actor::balanced(&place.data(), "whole");
    let before = ["Jürgen", "Ju\u{308}rgen"].map(|id| snapshot(&place.data().join(id)));
    let ran = Ran::of(&mut place.local()).done();
    assert_eq!(ran.remarks.matches("both are Jürgen, in two Unicode forms").count(), 1, "{ran:#?}");
    assert_eq!(["Jürgen", "Ju\u{308}rgen"].map(|id| snapshot(&place.data().join(id))), before);
}

#[test]
fn assessments_from_other_shells_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let text = "\u{feff}[{\"filename\":\"b.jpg\",\"kind\":\"bw_stylized\",\"quality\":7}]";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes(), &utf16] {
        let file = dir.path().join("assessments.json");
        fs::write(&file, bytes).unwrap();
        run(["plan", "--assessments", file.to_str().unwrap()]).done();
        Ran::of(balancer().args(["plan", "--assessments", "-"]).write_stdin(bytes)).done();
    }
}

#[test]
fn images_in_a_subfolder_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("10_hero")).unwrap();
    fs::write(dir.path().join("10_hero/1.jpg"), &drawn(Kind::Photorealistic)[0]).unwrap();
    let deeper = dir.path().join("10_hero");
    run([Path::new("assess"), dir.path()]).failed(1, &["holds no usable image", deeper.to_str().unwrap()]);
}

fn watch(place: &Place) -> Background {
    let mut command = place.local_in_background();
    command.arg("--watch");
    let mut watching = Background::start(command);
    watching.wait_for("Ctrl-C ends it");
    watching
}

#[test]
fn watch_waits_for_a_folder_that_vanished() {
    let place = Place::new();
    let actor = Actor::balanced(&place.data(), "hero");
    let mut watching = watch(&place);
    let elsewhere = place.tmp().join("elsewhere");
    // The folder disappears, or is emptied, or its images move into a folder that is not scanned.
    fs::rename(actor.training_data(), &elsewhere).unwrap();
    watching.wait_for("training_data is gone: nothing is deleted because of that");
    fs::create_dir(actor.training_data()).unwrap();
    watching.wait_for("training_data has lost all of its images");
    fs::rename(&elsewhere, actor.training_data().join("10_hero")).unwrap();
    watching.wait_for("found 6 images in training_data/10_hero");
    fs::rename(actor.training_data().join("10_hero"), &elsewhere).unwrap();
    fs::remove_dir(actor.training_data()).unwrap();
    fs::rename(&elsewhere, actor.training_data()).unwrap();
    watching.wait_for("the images of hero are back");
    fs::remove_file(actor.training_data().join("hero_1.jpg")).unwrap();
    watching.wait_for("removed ");
    let is_replaced = || actor.files().iter().any(|name| name == "hero_7.jpg");
    wait_until(is_replaced, || watching.output());
    watching.signal("INT");
    assert_eq!(watching.end(), Some(130), "{}", watching.output());
    assert_eq!(watching.output().matches("removed ").count(), 1, "{}", watching.output());
    for number in 2..=6 {
        assert!(actor.files().contains(&format!("hero_{number}.jpg")), "{:?}", actor.files());
    }
}
