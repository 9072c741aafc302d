//! The format `manifest`: unchanged images, and one JSON with everything known.

use serde_json::{Value, json};

use super::json_text;
use super::names::Names;
use super::subject::{PictureFile, Settings, Subject, SubjectImage, folder_names, stem};
use super::tree::{Content, Guide, Layout, Source, Tree};
use crate::outcome::SCHEMA;

const MANIFEST: &str = "manifest.json";

pub fn layout(subjects: &[Subject], settings: &Settings) -> Layout {
    let mut files = Tree::new();
    let folders = folder_names(subjects);
    let actors: Vec<Value> =
        subjects.iter().zip(&folders).map(|(subject, folder)| actor(subject, folder, &mut files)).collect();
    let Settings { repeats, resolution } = settings;
    let manifest = json!({ "schema": SCHEMA, "repeats": repeats, "resolution": resolution, "actors": actors });
    files.insert(MANIFEST.to_owned(), Content::Text(json_text(&manifest)));
    let before = format!("{MANIFEST} describes every image; its paths are relative to its folder");
    Layout { files, guide: Guide { commands: Vec::new(), before: vec![before] } }
}

fn actor(subject: &Subject, folder: &str, files: &mut Tree) -> Value {
    let base_image = subject.base_image.as_ref().map(|file| {
        let (ending, content) = file.unchanged(&subject.actor, Source::BaseImage);
        let path = format!("{folder}/base_image.{ending}");
        files.insert(path.clone(), content);
        merged([json!({ "file": path }), described(file)])
    });
    let mut names = Names::default();
    let images: Vec<Value> = subject.images.iter().map(|it| image(subject, it, folder, &mut names, files)).collect();
    let own = json!({
        "actor_id": subject.actor,
        "trigger": subject.words.trigger,
        "class": subject.words.class,
        "base_image": base_image,
    });
    merged([own, json!(subject.facts), json!({ "images": images })])
}

fn image(subject: &Subject, image: &SubjectImage, folder: &str, names: &mut Names, files: &mut Tree) -> Value {
    let (ending, content) = image.file.unchanged(&subject.actor, Source::Image(image.name.clone()));
    let path = format!("{folder}/images/{}.{ending}", names.give(stem(&image.name)));
    files.insert(path.clone(), content);
    let own = json!({ "file": path, "name": image.name, "caption": image.caption });
    merged([own, described(&image.file), json!(image.facts)])
}

fn described(file: &PictureFile) -> Value {
    let (width, height) = file.size;
    json!({ "sha256": file.sha256, "width": width, "height": height })
}

/// The fields of all objects in one.
fn merged<const N: usize>(objects: [Value; N]) -> Value {
    let fields = objects.into_iter().filter_map(|object| if let Value::Object(it) = object { Some(it) } else { None });
    Value::Object(fields.flatten().collect())
}
