//! `import` into a data folder, from real files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::actors::{Actor, snapshot};
use crate::support::damaged::png;
use crate::support::pictures::plain;
use crate::support::run::{Ran, balancer};
use crate::support::stack::Place;

/// A folder of sources, a data folder and a cache without running stacks.
struct Import {
    root: TempDir,
}

impl Import {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("sources")).unwrap();
        Self { root }
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// Writes a source and returns its path. Folders are created.
    fn source(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root.path().join("sources").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A folder of images with captions, and its path.
    fn kohya(&self, name: &str, files: &[&str]) -> PathBuf {
        for (number, file) in (1..).zip(files) {
            let content = if file.ends_with("txt") || file.ends_with("caption") {
                format!("ohwx woman, caption {file}").into_bytes()
            } else {
                png(plain(number))
            };
            self.source(&format!("{name}/{file}"), content);
        }
        self.sources().join(name)
    }

    fn sources(&self) -> PathBuf {
        self.root.path().join("sources")
    }

    fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ran {
        let mut command = balancer();
        command.env("BALANCER_CACHE_DIR", self.root.path().join("cache"));
        Ran::of(command.arg("import").args(arguments).arg("--data").arg(self.data()))
    }

    fn file(&self, path: &str) -> Vec<u8> {
        fs::read(self.data().join(path)).unwrap()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.file(path)).unwrap()
    }

    /// Repeats an import, and asserts that it changes no byte and says so.
    fn changes_nothing<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ran {
        let before = snapshot(&self.data());
        let again = self.run(arguments);
        assert!(again.answer.contains("Nothing has changed"), "{again:#?}");
        assert_eq!(snapshot(&self.data()), before);
        again
    }
}

/// A manifest of the earlier script.
fn manifest(actor: &str, numbers: &[u32]) -> String {
    let place = |number| {
        format!("https://boards.s3.us-west-1.amazonaws.com/system_actors/training_data/{actor}/{actor}_{number}.jpg")
    };
    let image = |number: &u32| {
        let record = json!({ "prompt": format!("prompt {number}"), "s3_url": place(*number), "index": 0 });
        (format!("{actor}_{number}.jpg"), record)
    };
    let images: serde_json::Map<String, Value> = numbers.iter().map(image).collect();
    json!({ "actor_id": actor, "total_images": numbers.len(), "generations": [], "images": images }).to_string()
}

fn record(actor: &str, sex: &str) -> String {
    let base = format!("{actor}_base.png");
    let url = format!("https://boards.s3.us-west-1.amazonaws.com/system_actors/base_images/{base}");
    let base_images = json!([{ "filename": base, "s3_url": url, "status": "synced" }]);
    json!({ "character_name": actor, "metadata": { "sex": sex }, "base_images": base_images }).to_string()
}

#[test]
fn shared_manifests_are_imported_once() {
    let (images, records) = (real_data::manifests(), real_data::actor_records());
    if images.is_empty() {
        return;
    }
    let import = Import::new();
    let sources = [images[0].parent().unwrap(), records[0].parent().unwrap()].map(Path::to_owned);
    let report = import.run(&[sources[0].as_os_str(), sources[1].as_os_str(), "--json".as_ref()]).done().json();
    let read = |path: &PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let mut expected = BTreeMap::<String, (usize, bool)>::new();
    for path in &images {
        let manifest = read(path);
        expected.entry(manifest["actor_id"].as_str().unwrap().to_owned()).or_default().0 =
            manifest["images"].as_object().unwrap().len();
    }
    for path in &records {
        expected.entry(read(path)["character_name"].as_str().unwrap().to_owned()).or_default().1 = true;
    }
    let actors = report["actors"].as_array().unwrap();
    assert_eq!((actors.len(), &report["problems"]), (expected.len(), &json!([])));
    for actor in actors {
        let id = actor["actor_id"].as_str().unwrap();
        let (records, has_base) = expected[id];
        assert_eq!(actor["taken"]["records"].as_array().unwrap().len(), records, "{actor}");
        assert_eq!(actor["only_in_s3"].as_array().unwrap().len(), records + usize::from(has_base), "{actor}");
        let manifest = import.json(&format!("{id}/manifest.json"));
        assert_eq!(manifest["images"].as_object().unwrap().len(), records);
        assert_eq!(manifest["metadata"]["sex"].is_string(), has_base, "{manifest}");
    }
    import.changes_nothing(&sources).done();
    // The other order gives the same manifests.
    let other = Import::new();
    other.run(&[&sources[1], &sources[0]]).done();
    assert!(snapshot(&other.data()).values().eq(snapshot(&import.data()).values()));
}

#[test]
fn both_kinds_of_manifest_combine_in_two_imports() {
    let import = Import::new();
    let images = import.source("images/hero.json", manifest("hero", &[3, 17]));
    let record = import.source("records/0001.json", record("hero", "male"));
    import.source("records/hero/hero_base.png", png(plain(9)));
    import.source("images/hero/hero_3.jpg", png(plain(3)));
    let ran = import.run(&[&images]).done();
    let line = "hero: 2 records, 1 image; 1 image only in s3://boards/system_actors/training_data/hero/";
    assert!(ran.answer.starts_with(line), "{ran:#?}");
    assert!(ran.remarks.contains("aws s3 sync"), "{ran:#?}");
    let ran = import.run(&[&record]).done();
    assert!(ran.answer.starts_with("hero: 1 base image, metadata (sex)"), "{ran:#?}");
    let found = import.json("hero/manifest.json");
    assert_eq!((&found["last_number"], &found["metadata"]["sex"]), (&json!(17), &json!("male")));
    assert_eq!(found["images"]["hero_3.jpg"]["prompt"], "prompt 3");
    assert_eq!(import.file("hero/base_image/hero_base.png"), png(plain(9)));
    assert_eq!(import.file("hero/training_data/hero_3.jpg"), png(plain(3)));
    import.changes_nothing(&[&record, &images]).done();
}

#[test]
fn images_of_manifests_are_taken_from_a_folder() {
    let import = Import::new();
    let source = import.source("hero.json", manifest("hero", &[1, 2]));
    let images = import.source("pool/training_data/hero_2.jpg", png(plain(2)));
    let images = images.ancestors().nth(2).unwrap();
    let arguments = [source.as_os_str(), "--images".as_ref(), images.as_os_str(), "--json".as_ref()];
    let report = import.run(&arguments).done().json();
    let hero = &report["actors"][0];
    assert_eq!(hero["taken"]["images"], json!(["hero_2.jpg"]));
    let missing = json!({
        "file": "hero_1.jpg",
        "s3_url": "https://boards.s3.us-west-1.amazonaws.com/system_actors/training_data/hero/hero_1.jpg",
        "bucket": "boards",
        "key": "system_actors/training_data/hero/hero_1.jpg",
    });
    assert_eq!(hero["only_in_s3"], json!([missing]));
}

#[test]
fn kohya_folders_bring_captions_trigger_and_class() {
    let import = Import::new();
    let files = ["a.png", "a.txt", "b.jpg", "b.caption", "b_flux.npz", ".DS_Store", "c.heic"];
    import.kohya("train/10_ohwx woman", &files);
    import.kohya("train/1_sks", &["d.webp"]);
    let parent = import.sources().join("train");
    let ran = import.run(&[&parent]).done();
    assert!(ran.answer.contains("ohwx_woman: 2 images, 2 captions, actor.json; 1 skipped"), "{ran:#?}");
    assert!(ran.remarks.contains("skipped c.heic: HEIC can't be read; convert it"), "{ran:#?}");
    assert!(ran.remarks.contains("10 repeats were not taken"), "{ran:#?}");
    assert_eq!(import.json("ohwx_woman/actor.json"), json!({ "trigger": "ohwx", "class": "woman" }));
    assert_eq!(import.json("sks/actor.json"), json!({ "trigger": "sks" }));
    let actor = Actor { id: "ohwx_woman".to_owned(), dir: import.data().join("ohwx_woman") };
    assert_eq!(actor.files(), ["a.png", "a.txt", "b.jpg", "b.txt"].map(str::to_owned).into());
    assert_eq!(import.file("ohwx_woman/training_data/b.txt"), b"ohwx woman, caption b.caption");
    assert!(!import.data().join("ohwx_woman/manifest.json").exists(), "nothing is invented");
    import.changes_nothing(&[&parent]).done();
}

#[test]
fn own_settings_and_files_are_never_replaced() {
    let import = Import::new();
    let actor = Actor::nothing(&import.data(), "ohwx_woman");
    fs::write(actor.dir.join("actor.json"), "{\"trigger\": \"mine\"}").unwrap();
    fs::write(actor.training_data().join("a.png"), png(plain(7))).unwrap();
    let source = import.kohya("10_ohwx woman", &["a.png", "b.png"]);
    let ran =
        import.run(&[&source]).failed(1, &["1 file or source was not imported", "refused", "a.png has other content"]);
    assert!(ran.remarks.contains("its trigger is mine, and ohwx in the source"), "{ran:#?}");
    assert!(ran.remarks.contains("add \"class\": \"woman\""), "{ran:#?}");
    assert_eq!(import.file("ohwx_woman/actor.json"), b"{\"trigger\": \"mine\"}");
    assert_eq!(import.file("ohwx_woman/training_data/a.png"), png(plain(7)));
    assert_eq!(import.file("ohwx_woman/training_data/b.png"), png(plain(2)));
}

#[test]
fn dataset_file_names_folders_and_words() {
    let import = Import::new();
    import.kohya("sets/hero", &["a.png", "a.txt"]);
    let file = "[[datasets]]\n[[datasets.subsets]]\nimage_dir = 'sets/hero'\nclass_tokens = 'ohwx man'\n";
    let source = import.source("dataset.toml", file);
    import.run(&[&source]).done();
    assert_eq!(import.json("ohwx_man/actor.json"), json!({ "trigger": "ohwx", "class": "man" }));
    assert_eq!(import.file("ohwx_man/training_data/a.txt"), b"ohwx woman, caption a.txt");
    let broken = import.source("broken.toml", "[[datasets]]\nsubsets = 3\n");
    import.run(&[&broken]).failed(1, &["broken.toml: it is no dataset file of kohya: line 2"]);
}

#[test]
fn flat_folder_needs_the_actors_name() {
    let import = Import::new();
    let source = import.kohya("photos", &["a.png", "a.txt"]);
    import.run(&[&source]).failed(2, &["whose images these are", "--actor ID"]);
    assert!(!import.data().exists());
    let arguments = [source.as_os_str(), "--actor".as_ref(), "the hero".as_ref()];
    import.run(&arguments).done();
    assert_eq!(import.file("the hero/training_data/a.png"), png(plain(1)));
    assert!(!import.data().join("the hero/actor.json").exists());
    import.changes_nothing(&arguments).done();
}

#[test]
fn unreadable_sources_are_named_and_the_others_done() {
    let import = Import::new();
    import.source("m/good.json", manifest("good", &[1]));
    import.source("m/cut.json", "{\"actor_id\": \"cut\", ");
    import.source("m/newer.json", "{\"actor_id\": \"newer\", \"images\": {}, \"schema\": 7}");
    import.source("m/other.json", "{\"total_images\": 3}");
    let damaged = Actor::nothing(&import.data(), "damaged");
    fs::write(damaged.dir.join("manifest.json"), "{").unwrap();
    import.source("m/damaged.json", manifest("damaged", &[1]));
    let words = [
        "cut.json: it is no JSON",
        "`schema` is 7",
        "other.json: it is no manifest",
        "damaged/manifest.json is not a manifest",
    ];
    let ran = import.run(&[import.sources().join("m")]).failed(1, &words);
    assert!(ran.answer.contains("good: 1 record"), "{ran:#?}");
    assert_eq!(import.file("damaged/manifest.json"), b"{");
    assert!(!import.data().join("cut").exists() && !import.data().join("newer").exists());
    import.run(&[import.sources().join("none")]).failed(1, &["there is no such file or folder"]);
}

#[test]
fn hostile_names_are_refused_or_shown_escaped() {
    let import = Import::new();
    let long = format!("{}_1.jpg", "x".repeat(190));
    let images: serde_json::Map<String, Value> =
        ["../../escaped.jpg", "a\u{1}b.jpg", "J\u{202e}gpj_2.jpg", "it's \"quoted\" <script>_3.jpg", &long]
            .map(|name| (name.to_owned(), json!({ "s3_url": format!("s3://b/x/{name}") })))
            .into_iter()
            .collect();
    let source = import.source("hero.json", json!({ "actor_id": "hero", "images": images }).to_string());
    let outside = import.source("escape.json", manifest("../outside", &[1]));
    let before = snapshot(&import.sources());
    let ran = import.run(&[&source, &outside]).failed(1, &["can't be an actor's id", "leads to another folder"]);
    assert!(ran.answer.contains("hero: 3 records") && ran.answer.contains("2 refused"), "{ran:#?}");
    assert!(!ran.answer.contains('\u{202e}') && !ran.remarks.contains(['\u{202e}', '\u{1}']), "{ran:#?}");
    let recorded = import.json("hero/manifest.json")["images"].as_object().unwrap().len();
    assert_eq!(recorded, 3);
    assert_eq!(snapshot(&import.sources()), before);
    let kohya = import.kohya("3_it\u{202e}s woman", &["a.png"]);
    import.run(&[&kohya]).failed(1, &["U+202E", "--actor ID"]);
}

#[test]
fn dry_run_changes_nothing() {
    let import = Import::new();
    let source = import.kohya("10_ohwx woman", &["a.png", "a.txt"]);
    let manifest = import.source("hero.json", manifest("hero", &[1]));
    let arguments = [source.as_os_str(), manifest.as_os_str(), "--dry-run".as_ref()];
    let ran = import.run(&arguments).done();
    assert!(ran.answer.contains("ohwx_woman: 1 image, 1 caption, actor.json"), "{ran:#?}");
    assert!(
        ran.answer.ends_with("Would import 2 actors: 1 record, 1 image, 1 caption, 1 image only in S3.\n"),
        "{ran:#?}"
    );
    assert!(!import.data().exists());
}

#[test]
fn interrupted_import_is_completed_by_the_next() {
    let import = Import::new();
    let source = import.kohya("10_ohwx woman", &["a.png", "a.txt", "b.png"]);
    import.run(&[&source]).done();
    let complete = snapshot(&import.data());
    fs::remove_file(import.data().join("ohwx_woman/training_data/b.png")).unwrap();
    fs::remove_file(import.data().join("ohwx_woman/actor.json")).unwrap();
    let ran = import.run(&[&source]).done();
    assert!(ran.answer.starts_with("ohwx_woman: 1 image, actor.json; 2 already there"), "{ran:#?}");
    assert_eq!(snapshot(&import.data()), complete);
}

#[test]
fn linked_images_are_copied_dangling_ones_refused() {
    let import = Import::new();
    let source = import.kohya("photos", &["a.png"]);
    let elsewhere = import.source("elsewhere.png", png(plain(5)));
    symlink(elsewhere, source.join("linked.png")).unwrap();
    symlink("gone.png", source.join("dangling.png")).unwrap();
    fs::write(source.join("text.png"), "no image").unwrap();
    let arguments = [source.as_os_str(), "--actor".as_ref(), "hero".as_ref()];
    import.run(&arguments).failed(1, &["dangling.png: it can't be read", "text.png: it is no PNG"]);
    let copied = import.data().join("hero/training_data/linked.png");
    assert!(!copied.is_symlink() && fs::read(copied).unwrap() == png(plain(5)));
    assert!(!import.data().join("hero/training_data/text.png").exists());
}

#[test]
fn balancing_an_imported_folder_reuses_no_number() {
    let place = Place::new();
    let sources = tempfile::tempdir().unwrap();
    let template = Actor::without_base(sources.path(), "hero");
    fs::write(template.training_data().join("hero.json"), manifest("hero", &[1, 2, 3, 40])).unwrap();
    fs::write(template.training_data().join("record.json"), record("hero", "female")).unwrap();
    let base = Actor::nothing(sources.path(), "other").with_base();
    fs::copy(base.dir.join("base_image/other_base.png"), template.training_data().join("hero_base.png")).unwrap();
    let mut command = place.balancer();
    command.arg("import").arg(template.training_data()).arg("--data").arg(place.data());
    let ran = Ran::of(&mut command).done();
    assert!(ran.answer.starts_with("hero: 4 records, 3 images, 1 base image, metadata (sex)"), "{ran:#?}");
    let report = Ran::of(place.local().arg("--json")).done().last_line();
    let actor = Actor { id: "hero".to_owned(), dir: place.data().join("hero") };
    assert_eq!(report["actors"][0]["status"], "balanced", "{report:#}");
    let manifest = actor.manifest();
    let generated = report["actors"][0]["generated"].as_array().unwrap();
    assert!(!generated.is_empty() && manifest["last_number"].as_u64().unwrap() > 40, "{manifest:#}");
    for file in generated {
        let name = file["file"].as_str().unwrap();
        assert!(domain::numbering::number_of(name) > 40, "{name}");
    }
    assert_eq!(manifest["metadata"]["sex"], "female");
    let kept =
        manifest["images"].as_object().unwrap().iter().chain(manifest["trash"].as_object().into_iter().flatten());
    let prompts = kept.filter(|(name, _)| ["hero_1.jpg", "hero_2.jpg", "hero_3.jpg"].contains(&name.as_str()));
    for (name, entry) in prompts {
        let entry = entry.get(0).unwrap_or(entry);
        let number = domain::numbering::number_of(name);
        assert!(entry.to_string().contains(&format!("prompt {number}")), "{name}: {entry}");
    }
}
