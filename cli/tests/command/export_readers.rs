//! Exports, opened by what reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::readers::read;
use crate::support::run::{Ran, balancer};
use crate::support::sets::{add, balanced, change_records, jpeg};

/// Two actors, one of them with names that trainers stumble over, exported once for each test.
fn exported(format: &str, output: &str, actors: &[&str]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let hero = balanced(&data, "hero");
    for (shade, name) in (100..).zip(["0001.jpg", "0001_test_b_c_d.jpg", "a.JPG", "a.jfif", "validation 'x'.jpeg"]) {
        add(&hero, name, &jpeg((1024, 900), shade), "photorealistic");
    }
    change_records(&hero, |images| images["0001.jpg"]["caption"] = "two\nlines, with ohwx".into());
    balanced(&data, "the villain");
    let path = dir.path().join(output);
    let mut command = balancer();
    command.arg("export").args(actors).args(["--format", format, "--data"]).arg(&data).arg("-o").arg(&path);
    Ran::of(command.args(["--repeats", "5"]).env("BALANCER_CACHE_DIR", dir.path().join("cache"))).done();
    (dir, path)
}

/// The captions of the hero, by exported name.
fn captions_of_hero() -> BTreeMap<String, String> {
    let scenes = [
        ("0001_test_b_c_d.jpg", "0001_test_b_c_d.jpg"),
        ("a.jpg", "a.JPG"),
        ("a-2.jpg", "a.jfif"),
        ("hero_1.jpg", "hero_1.jpg"),
        ("hero_2.jpg", "hero_2.jpg"),
        ("hero_3.jpg", "hero_3.jpg"),
        ("validation _x_.jpg", "validation 'x'.jpeg"),
    ];
    let captions = scenes.map(|(name, image)| (name.to_owned(), format!("ohwx woman, scene of {image}")));
    captions.into_iter().chain([("0001.jpg".to_owned(), "two lines, with ohwx".to_owned())]).collect()
}

/// The captions that a reader has read, by path.
fn captions(read: &Value) -> BTreeMap<String, String> {
    let images = read["read"].as_object().unwrap();
    images.iter().map(|(path, image)| (path.clone(), image["caption"].as_str().unwrap().to_owned())).collect()
}

fn in_folder(folder: &str, captions: BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    let folder = folder.to_owned();
    captions.into_iter().map(move |(name, caption)| (format!("{folder}/{name}"), caption))
}

/// The captions of both actors, by path.
fn captions_of_both() -> BTreeMap<String, String> {
    let villain = |number| {
        let name = format!("the villain_{number}.jpg");
        (name.clone(), format!("ohwx woman, scene of {name}"))
    };
    let villain = [1, 2, 3].map(villain).into_iter().collect();
    in_folder("hero", captions_of_hero()).chain(in_folder("the villain", villain)).collect()
}

#[test]
fn kohya_reads_every_image_with_its_caption() {
    let (_dir, path) = exported("kohya", "out", &[]);
    let Some(read) = read("kohya", &path) else { return };
    assert_eq!(captions(&read), captions_of_both());
    assert_eq!(read["repeats"], json!([5, 5]));
    assert_eq!(read["read"]["hero/a.jpg"]["size"], json!([1024, 900]));
}

#[test]
fn ai_toolkit_reads_every_image_with_its_caption() {
    let (_dir, path) = exported("ai-toolkit", "out", &[]);
    let Some(read) = read("ai-toolkit", &path) else { return };
    assert_eq!(captions(&read), captions_of_both());
    assert_eq!((&read["resolution"], &read["steps"]), (&json!([512, 768, 1024]), &json!(550)));
}

#[test]
fn one_trainer_reads_every_image_with_its_caption() {
    let (_dir, path) = exported("onetrainer", "out", &[]);
    let Some(read) = read("onetrainer", &path) else { return };
    assert_eq!(captions(&read), captions_of_both());
    assert_eq!(read["repeats"], json!([5.0, 5.0]));
}

#[test]
fn hugging_face_reads_one_split_with_all_columns() {
    let (_dir, path) = exported("huggingface", "out", &[]);
    let Some(read) = read("huggingface", &path) else { return };
    let rows: Vec<&Value> = read["read"].as_object().unwrap().values().collect();
    let found: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["actor"].as_str().unwrap(), row["text"].as_str().unwrap())).collect();
    assert_eq!(found.len(), 11);
    for caption in captions_of_hero().values() {
        assert!(found.contains(&("hero", caption)), "{caption} is not in {found:?}");
    }
    for row in rows {
        assert_eq!((&row["trigger"], &row["class"]), (&json!("ohwx"), &json!("woman")));
    }
}

#[test]
fn replicate_reads_the_zip_of_each_actor() {
    let (_dir, path) = exported("replicate", "out", &[]);
    let Some(found) = read("replicate", &path.join("hero.zip")) else { return };
    assert_eq!(captions(&found), captions_of_hero());
    let inputs: Value = serde_json::from_slice(&fs::read(path.join("hero.json")).unwrap()).unwrap();
    assert_eq!(
        inputs,
        json!({ "trigger_word": "ohwx", "autocaption": false, "steps": 400, "resolution": "512,768,1024" })
    );
    let (_dir, path) = exported("replicate", "hero.zip", &["hero"]);
    assert_eq!(captions(&read("replicate", &path).unwrap()), captions_of_hero());
}

#[test]
fn zip_extracts_to_the_same_files_as_the_folder() {
    let (_dir, zip) = exported("kohya", "out.zip", &[]);
    let Some(read) = read("unzip", &zip) else { return };
    let (_other, folder) = exported("kohya", "out", &[]);
    assert_eq!(read["times"], json!([[1980, 1, 1, 0, 0, 0]]));
    let extracted = Path::new(&format!("{}.extracted", zip.display())).to_owned();
    for name in read["names"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        assert!(fs::read(extracted.join(name)).unwrap() == fs::read(folder.join(name)).unwrap(), "{name}");
    }
    assert_eq!(read["names"].as_array().unwrap().len(), 25);
}
