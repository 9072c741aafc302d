//! `balancer export`: what it writes, says and refuses.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::actors::{Actor, snapshot};
use crate::support::desk::{Desk, tree};
use crate::support::run::Ran;
use crate::support::sets::{add, balanced, change_records, jpeg, shaded};

const FORMATS: [&str; 6] = ["kohya", "ai-toolkit", "onetrainer", "huggingface", "replicate", "manifest"];

fn kinds(ran: &Ran) -> Vec<String> {
    let findings = ran.json()["findings"].clone();
    findings.as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn balanced_set_is_exported_for_every_trainer() {
    let desk = Desk::new();
    let actor = balanced(&desk.data(), "hero");
    let before = snapshot(&desk.data());
    for format in FORMATS {
        let ran = desk.export(&["hero", "--format", format, "-o", format, "--strict", "--json"]).done();
        assert_eq!(
            ran.json()["actors"][0],
            json!({
                "actor_id": "hero", "trigger": "ohwx", "class": "woman", "images": 3, "captions": 3
            })
        );
        assert_eq!(ran.json()["findings"], json!([]));
        let marker: Value =
            serde_json::from_slice(&fs::read(desk.path(format).join("balancer-export.json")).unwrap()).unwrap();
        assert_eq!(marker["export"], *format);
    }
    assert_eq!(snapshot(&desk.data()), before, "the data folder is unchanged");
    let pairs = [
        "hero/hero_1.jpg",
        "hero/hero_1.txt",
        "hero/hero_2.jpg",
        "hero/hero_2.txt",
        "hero/hero_3.jpg",
        "hero/hero_3.txt",
    ];
    let kohya = tree(&desk.path("kohya"));
    assert_eq!(kohya[..3], ["balancer-export.json", "dataset.toml", "hero/hero_1.jpg"]);
    assert!(pairs.iter().all(|path| kohya.contains(&(*path).to_owned())), "{kohya:?}");
    let image = actor.training_data().join("hero_1.jpg");
    assert_eq!(fs::read(desk.path("kohya/hero/hero_1.jpg")).unwrap(), fs::read(image).unwrap());
    let caption = fs::read_to_string(desk.path("kohya/hero/hero_1.txt")).unwrap();
    assert_eq!(caption, "ohwx woman, scene of hero_1.jpg");
    assert!(desk.path("manifest/hero/base_image.png").is_file());
    let outputs = desk.outputs();
    assert!(!outputs.iter().any(|name| name.starts_with('.')), "{outputs:?}");
}

#[test]
fn same_sets_give_the_same_bytes() {
    let desk = Desk::new();
    balanced(&desk.data(), "hero");
    balanced(&desk.data(), "villain");
    for format in FORMATS {
        for name in ["one", "two"] {
            desk.export(&["--format", format, "-o", &format!("{name}-{format}")]).done();
        }
        let files = |name: &str| -> Vec<(String, Vec<u8>)> {
            let dir = desk.path(&format!("{name}-{format}"));
            let relative = |path: PathBuf| path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
            snapshot(&dir).into_iter().map(|(path, bytes)| (relative(path), bytes)).collect()
        };
        assert!(files("one") == files("two"), "{format}");
        let root = desk.root().to_str().unwrap().to_owned();
        let names_root = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&root);
        assert!(files("one").iter().all(|(_, bytes)| !names_root(bytes)), "{format} contains an absolute path");
    }
    for name in ["one.zip", "two.zip"] {
        desk.export(&["hero", "--format", "kohya", "-o", name]).done();
    }
    assert!(fs::read(desk.path("one.zip")).unwrap() == fs::read(desk.path("two.zip")).unwrap());
}

#[test]
fn every_fault_is_said_and_strict_refuses() {
    let desk = Desk::new();
    let actor = balanced(&desk.data(), "hero");
    fs::remove_file(actor.dir.join("actor.json")).unwrap();
    actor.put("uncaptioned.jpg", &jpeg((1024, 1024), 40));
    actor.put("broken.jpg", b"no image");
    actor.put("hero_2.jpg", &jpeg((1024, 1024), 50));
    actor.put("hero_3.txt", b"caf\xe9");
    add(&actor, "small.jpg", &jpeg((300, 200), 60), "photorealistic");
    let refused = desk.export(&["hero", "--format", "kohya", "-o", "out", "--strict"]);
    refused.failed(
        1,
        &[
            "the set is not balanced: ",
            "no trigger word is chosen, so ohwx",
            "no caption for 1 image: theirs names only the trigger, the class and the kind",
            "the text files beside 1 image are not UTF-8",
            "too small for 1024 × 1024 pixels: 1 image; --resolution 256 suits all images (small.jpg)",
            "left out 1 image that can't be read; replace or remove them (broken.jpg)",
            "changed since they were assessed: 1 image",
            "nothing was exported: --strict",
        ],
    );
    assert_eq!(desk.outputs(), [""; 0]);
    let ran = desk.export(&["hero", "--format", "kohya", "-o", "out", "--json"]).done();
    let expected =
        ["not_balanced", "no_trigger", "no_caption", "unreadable_caption", "too_small", "unusable", "changed"];
    assert_eq!(kinds(&ran), expected);
    assert!(!desk.path("out/hero/broken.jpg").exists());
    let trigger = ran.json()["actors"][0]["trigger"].as_str().unwrap().to_owned();
    assert_eq!(
        fs::read_to_string(desk.path("out/hero/hero_3.txt")).unwrap(),
        format!("{trigger} person, colour illustration")
    );
}

#[test]
fn odd_names_become_safe_ones() {
    let desk = Desk::new();
    let actor = balanced(&desk.data(), "it's $HOME");
    let long = format!("{}.jpg", "x".repeat(200));
    for (shade, name) in (100..).zip([
        "a \"quote\".jpg",
        "<script>.jpg",
        "x\u{202e}gpj.JPG",
        &long,
        "a.jfif",
        "A.jpe",
        "0001.jpg",
        "0001_a_b_c_d.jpg",
    ]) {
        add(&actor, name, &jpeg((1024, 1024), shade), "photorealistic");
    }
    desk.export(&["it's $HOME", "--format", "kohya", "-o", "out"]).done();
    let names: Vec<String> = tree(&desk.path("out")).into_iter().filter(|path| path.ends_with(".jpg")).collect();
    assert_eq!(
        names[..7],
        [
            "it_s _HOME/0001.jpg",
            "it_s _HOME/0001_a_b_c_d.jpg",
            "it_s _HOME/A.jpg",
            "it_s _HOME/_script_.jpg",
            "it_s _HOME/a _quote_.jpg",
            "it_s _HOME/a-2.jpg",
            "it_s _HOME/it_s _HOME_1.jpg",
        ]
    );
    assert!(names.iter().any(|name| name.ends_with("/x_gpj.jpg")), "{names:?}");
    assert!(names.iter().all(|name| name.len() < 130), "{names:?}");
    let marker: Value = serde_json::from_slice(&fs::read(desk.path("out/balancer-export.json")).unwrap()).unwrap();
    assert_eq!(marker["files"]["it_s _HOME/a-2.jpg"]["image"], "a.jfif");
}

#[test]
fn pictures_are_upright_and_webp_is_png_where_needed() {
    let desk = Desk::new();
    let actor = balanced(&desk.data(), "hero");
    let mut webp = std::io::Cursor::new(Vec::new());
    shaded((1024, 1024), 7).write_to(&mut webp, image::ImageFormat::WebP).unwrap();
    add(&actor, "w.webp", webp.get_ref(), "photorealistic");
    let turned = turned(&jpeg((1024, 900), 9));
    add(&actor, "turned.jpg", &turned, "photorealistic");
    desk.export(&["hero", "--format", "kohya", "-o", "kohya"]).done();
    desk.export(&["hero", "--format", "ai-toolkit", "-o", "ai"]).done();
    desk.export(&["hero", "--format", "manifest", "-o", "all"]).done();
    assert_eq!(fs::read(desk.path("kohya/hero/w.webp")).unwrap(), *webp.get_ref());
    assert_eq!(image::open(desk.path("ai/hero/w.png")).unwrap().to_rgb8(), shaded((1024, 1024), 7));
    let upright = image::open(desk.path("kohya/hero/turned.png")).unwrap();
    assert_eq!((upright.width(), upright.height()), (900, 1024));
    assert_eq!(fs::read(desk.path("all/hero/images/turned.jpg")).unwrap(), turned);
}

/// The JPEG with an EXIF orientation of a quarter turn.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let exif = b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    [&jpeg[..2], exif, &jpeg[2..]].concat()
}

#[test]
fn actor_without_images_is_left_out() {
    let desk = Desk::new();
    balanced(&desk.data(), "hero");
    Actor::nothing(&desk.data(), "newcomer").with_base();
    let ran = desk.export(&["--format", "kohya", "-o", "out", "--json"]).done();
    assert_eq!(kinds(&ran), ["not_balanced", "no_images"]);
    assert!(!desk.path("out/newcomer").exists());
    desk.export(&["newcomer", "--format", "kohya", "-o", "none"])
        .failed(1, &["nothing was exported: there is no image"]);
    desk.export(&["stranger", "--format", "kohya", "-o", "none"]).failed(1, &["holds no folder stranger"]);
}

#[test]
fn actor_that_needs_attention_is_exported_with_code_3() {
    let desk = Desk::new();
    let actor = balanced(&desk.data(), "hero");
    let path = actor.dir.join("manifest.json");
    let mut manifest = actor.manifest();
    manifest["balancing"] = json!({
        "status": "needs_attention", "reason": "There is no base image.", "rounds": 1, "images": "digest"
    });
    fs::write(path, manifest.to_string()).unwrap();
    let ran = desk.export(&["hero", "--format", "manifest", "-o", "out"]);
    ran.failed(3, &["the set is not balanced: There is no base image."]);
    assert!(desk.path("out/manifest.json").is_file());
    change_records(&actor, |images| images["hero_1.jpg"]["unusable"] = "It is damaged.".into());
    desk.export(&["hero", "--format", "manifest", "-o", "out", "--replace"]).failed(3, &["left out 1 image"]);
}

#[test]
fn wrong_usage_is_told_before_anything_is_read() {
    let desk = Desk::new();
    balanced(&desk.data(), "hero");
    balanced(&desk.data(), "villain");
    for (arguments, words) in [
        (&["--format", "kohya", "-o", "o", "--trigger", "ohwx"][..], "several actors one character"),
        (&["hero", "--format", "kohya", "-o", "o", "--trigger", "a,b"], "the trigger or the class can't be used"),
        (&["--format", "replicate", "-o", "o.zip"], "one zip for each actor"),
        (&["--format", "kohya", "-o", "o", "--resolution", "1000"], "a multiple of 64"),
        (&["--format", "lora", "-o", "o"], "possible values: kohya, ai-toolkit, onetrainer, huggingface"),
    ] {
        desk.export(arguments).failed(2, &[words]);
    }
    assert_eq!(desk.outputs(), [""; 0]);
}

#[test]
fn answer_names_the_command_and_what_to_edit() {
    let desk = Desk::new();
    balanced(&desk.data(), "hero");
    let answer = desk.export(&["--format", "kohya", "-o", "my sets.zip"]).done().answer;
    for words in [
        "exported 3 images for kohya to my sets.zip",
        "SD_SCRIPTS stands for your copy",
        "pretrained_model_name_or_path in train.toml",
        "unzip 'my sets.zip' -d 'my sets'\n  cd 'my sets'\n  accelerate launch",
    ] {
        assert!(answer.contains(words), "`{words}` is not in {answer}");
    }
}
