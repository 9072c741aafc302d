//! What the trainers read of any export.

mod readers;

use std::collections::{BTreeMap, BTreeSet};

use domain::caption::{Caption, CaptionSource};
use domain::kind::{Kind, KindCounts};
use domain::status::Status;
use imaging::Encoding;
use proptest::prelude::*;
use serde_json::Value;

use super::subject::{ActorFacts, ImageFacts, PictureFile, SubjectImage, folder_names};
use super::tree::{Content, Form, Picture, Source, Tree};
use super::words::Words;
use super::*;
use readers::Read;

/// The names and captions of the images of one actor.
type Images = BTreeMap<String, Option<String>>;

const SETTINGS: Settings = Settings { repeats: 10, resolution: 1024 };

fn subject(actor: &str, images: &Images) -> Subject {
    let image = |(name, caption): (&String, &Option<String>)| SubjectImage {
        name: name.clone(),
        file: file(name),
        caption: caption.clone().map(|text| Caption { text, source: CaptionSource::Model }),
        facts: ImageFacts::default(),
    };
    let counts = KindCounts::default();
    Subject {
        actor: actor.parse().unwrap(),
        words: Words { trigger: format!("ohwx{}", actor.len()), class: "woman".to_owned() },
        facts: ActorFacts { profile: Default::default(), status: Status::Balanced, target: counts, counts },
        base_image: Some(file("base.jpg")),
        images: images.iter().map(image).collect(),
    }
}

fn file(name: &str) -> PictureFile {
    let lower = name.to_lowercase();
    let encoding = match lower.rsplit('.').next() {
        Some("png") => Encoding::Png,
        Some("webp") => Encoding::WebP,
        _ => Encoding::Jpeg,
    };
    PictureFile { encoding, is_upright: !lower.contains("turned"), sha256: name.len().to_string(), size: (1024, 1024) }
}

fn images(names: &[&str]) -> Images {
    names.iter().map(|name| ((*name).to_owned(), Some("at dusk".to_owned()))).collect()
}

/// The names of the images that a trainer read, with their captions.
fn by_source(files: &Tree, read: Read) -> Images {
    let source = |path: &str| match &files[path] {
        Content::Picture(Picture { source: Source::Image(name), .. }) => name.clone(),
        other => panic!("{path}: {other:?}"),
    };
    read.into_iter().map(|(path, caption)| (source(&path), caption)).collect()
}

/// The captions that a trainer must read.
fn expected(subject: &Subject) -> Images {
    let caption = |image: &SubjectImage| (image.name.clone(), Some(image.caption_with(&subject.words)));
    subject.images.iter().map(caption).collect()
}

fn archive<'a>(files: &'a Tree, path: &str) -> &'a Tree {
    match &files[path] {
        Content::Archive(files) => files,
        other => panic!("{path}: {other:?}"),
    }
}

fn text<'a>(files: &'a Tree, path: &str) -> &'a str {
    match &files[path] {
        Content::Text(text) => text,
        other => panic!("{path}: {other:?}"),
    }
}

fn request(format: ExportFormat) -> Request {
    let (trigger, class, settings) = (None, None, SETTINGS);
    Request { format, output: "out".into(), trigger, class, settings, strict: false, replace: false }
}

#[test]
fn names_that_differ_by_case_keep_their_captions() {
    let images = images(&["a.jpg", "a.png", "A.JPG", "0001.jpg", "0001_a_b_c_d.jpg"]);
    let hero = [subject("hero", &images)];
    let files = kohya::layout(&hero, &SETTINGS).files;
    assert_eq!(by_source(&files, readers::kohya(&files, "hero")), expected(&hero[0]));
    let names: Vec<&String> = files.keys().filter(|path| path.ends_with(".txt")).collect();
    assert_eq!(names, ["hero/0001.txt", "hero/0001_a_b_c_d.txt", "hero/A.txt", "hero/a-2.txt", "hero/a-3.txt"]);
}

#[test]
fn files_get_the_ending_that_trainers_list() {
    let hero = [subject("hero", &images(&["a.JFIF", "b.Jpg", "c.jpe", "d.webp", "turned.jpg"]))];
    let form = |files: &Tree, path: &str| match &files[path] {
        Content::Picture(picture) => picture.form,
        other => panic!("{other:?}"),
    };
    let files = kohya::layout(&hero, &SETTINGS).files;
    for path in ["hero/a.jpg", "hero/b.jpg", "hero/c.jpg", "hero/d.webp"] {
        assert_eq!(form(&files, path), Form::Original, "{path}");
    }
    assert_eq!(form(&files, "hero/turned.png"), Form::Png);
    assert_eq!(form(&ai_toolkit::layout(&hero, &SETTINGS).files, "hero/d.png"), Form::Png);
    let files = manifest::layout(&hero, &SETTINGS).files;
    assert_eq!(form(&files, "hero/images/turned.jpg"), Form::Original);
}

#[test]
fn several_actors_get_a_subset_each() {
    let subjects = [subject("hero", &images(&["1.jpg"])), subject("the villain", &images(&["1.jpg"]))];
    let files = kohya::layout(&subjects, &SETTINGS).files;
    let dataset = text(&files, "dataset.toml");
    assert_eq!(dataset.matches("[[datasets.subsets]]").count(), 2, "{dataset}");
    assert!(dataset.contains("image_dir = \"the villain\"\n  class_tokens = \"ohwx11 woman\""), "{dataset}");
    let config = ai_toolkit::layout(&subjects, &SETTINGS).files;
    let config = text(&config, "balancer-train.yaml");
    assert!(config.contains("folder_path: \"the villain\"\n          trigger_word: \"ohwx11\""), "{config}");
    let zips = replicate::layout(&subjects, &SETTINGS).files;
    assert_eq!(zips.keys().collect::<Vec<_>>(), ["hero.json", "hero.zip", "the villain.json", "the villain.zip"]);
    let folder = hugging_face::layout(&subjects).files;
    let lines: Vec<Value> =
        text(&folder, "train/metadata.jsonl").lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!((&lines[1]["file_name"], &lines[1]["actor"]), (&"1-2.jpg".into(), &"the villain".into()));
}

#[test]
fn undescribed_image_is_captioned_with_its_medium() {
    let mut hero = subject("hero", &[("a.jpg".to_owned(), None)].into());
    hero.images[0].facts.kind = Some(Kind::BwStylized);
    let files = kohya::layout(&[hero], &SETTINGS).files;
    assert_eq!(text(&files, "hero/a.txt"), "ohwx4 woman, black-and-white drawing");
}

#[test]
fn replicate_describes_images_without_a_caption() {
    let mut images = images(&["a.jpg", "b.jpg"]);
    images.insert("c.jpg".to_owned(), None);
    let files = replicate::layout(&[subject("hero", &images)], &SETTINGS).files;
    let read = readers::replicate(archive(&files, "hero.zip"));
    assert_eq!((read["c.jpg"].clone(), read["a.jpg"].clone()), (None, Some("ohwx4 woman, at dusk".to_owned())));
    let inputs: Value = serde_json::from_str(text(&files, "hero.json")).unwrap();
    assert_eq!(inputs["autocaption"], true);
    assert_eq!(inputs["autocaption_prefix"], "ohwx4 woman, ");
    assert_eq!(inputs["steps"], 300);
    assert_eq!(inputs["resolution"], "512,768,1024");
}

#[test]
fn manifest_says_everything_with_relative_paths() {
    let hero = [subject("hero", &images(&["a.jpg"]))];
    let files = manifest::layout(&hero, &SETTINGS).files;
    let manifest: Value = serde_json::from_str(text(&files, "manifest.json")).unwrap();
    let actor = &manifest["actors"][0];
    assert_eq!(actor["base_image"]["file"], "hero/base_image.jpg");
    assert_eq!(actor["images"][0]["file"], "hero/images/a.jpg");
    assert_eq!(actor["images"][0]["caption"]["text"], "at dusk");
    for field in ["sha256", "kind", "quality", "flags", "reason", "prompt", "width", "height"] {
        assert!(actor["images"][0].get(field).is_some(), "{field}");
    }
}

#[test]
fn dollar_signs_are_no_variables_in_configurations() {
    let mut hero = subject("hero", &images(&["a.jpg"]));
    hero.words.trigger = "${HOME}".to_owned();
    let files = ai_toolkit::layout(&[hero], &SETTINGS).files;
    assert!(!text(&files, "balancer-train.yaml").contains("${"));
}

#[test]
fn one_trigger_for_several_actors_is_wrong_usage() {
    let request = Request { trigger: Some("ohwx".to_owned()), ..request(ExportFormat::Kohya) };
    request.check(true).unwrap();
    assert!(request.check(false).unwrap_err().is::<WrongUsage>());
    let request = Request { output: "x.ZIP".into(), ..self::request(ExportFormat::Replicate) };
    request.check(true).unwrap();
    assert!(request.check(false).unwrap_err().is::<WrongUsage>());
}

fn any_images() -> impl Strategy<Value = Images> {
    prop::collection::btree_map(
        "[^/\u{0}]{0,12}[_a-cA-C-]{1,9}\\.(jpg|PNG|webp|JFIF)",
        prop::option::of("(?s).{0,40}"),
        1..9,
    )
}

proptest! {
    #[test]
    fn every_trainer_reads_every_image_with_its_caption(images in any_images()) {
        let subjects = [subject("hero", &images), subject("HERO", &images)];
        for (subject, folder) in subjects.iter().zip(folder_names(&subjects)) {
            let files = kohya::layout(&subjects, &SETTINGS).files;
            prop_assert_eq!(by_source(&files, readers::kohya(&files, &folder)), expected(subject));
            let files = one_trainer::layout(&subjects, &SETTINGS).files;
            prop_assert_eq!(by_source(&files, readers::one_trainer(&files, &folder)), expected(subject));
            let files = ai_toolkit::layout(&subjects, &SETTINGS).files;
            let read = readers::ai_toolkit(&files, &folder, &subject.words.trigger);
            prop_assert!(read.keys().all(|path| !path.ends_with(".webp")));
            prop_assert_eq!(by_source(&files, read), expected(subject));
            let files = replicate::layout(&subjects, &SETTINGS).files;
            let files = archive(&files, &format!("{folder}.zip"));
            let read = by_source(files, readers::replicate(files));
            prop_assert!(read.iter().all(|(name, caption)| caption.is_some() == images[name].is_some()));
            prop_assert_eq!(read.len(), images.len());
        }
    }

    #[test]
    fn every_path_is_relative_and_unique(images in any_images()) {
        let subjects = [subject("hero", &images), subject("villain", &images)];
        for format in <ExportFormat as clap::ValueEnum>::value_variants() {
            let files = layout(&subjects, &request(*format)).files;
            let lower: BTreeSet<String> = files.keys().map(|path| path.to_lowercase()).collect();
            prop_assert_eq!(lower.len(), files.len(), "{}", format);
            for path in files.keys() {
                prop_assert!(path.split('/').all(|part| !part.is_empty() && part != ".." && !part.starts_with('.')), "{}", path);
                prop_assert!(!path.contains(['\\', '"', '\'', '<', '\u{202e}']), "{}", path);
            }
            let pictures = files.values().filter(|it| matches!(it, Content::Picture(Picture { source: Source::Image(_), .. })));
            let expected = if *format == ExportFormat::Replicate { 0 } else { 2 * images.len() };
            prop_assert_eq!(pictures.count(), expected, "{}", format);
        }
    }
}
