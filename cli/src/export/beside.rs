//! Images with a text file of the same stem beside each: what kohya, ai-toolkit, OneTrainer and Replicate read.

use super::format::ExportFormat;
use super::names::Names;
use super::subject::{Subject, stem};
use super::tree::{Content, Source, Tree};

/// The images and captions of an actor, without a folder.
///
/// Every image has its own caption file unless the trainer itself writes missing ones: kohya would fall back to the
/// caption of another image if the path has four underscores (`read_caption` in `train_util.py`), and ai-toolkit to a
/// `default.txt`.
pub fn captioned(subject: &Subject, format: ExportFormat) -> Tree {
    let (mut names, mut files) = (Names::default(), Tree::new());
    for image in &subject.images {
        let name = names.give(stem(&image.name));
        let source = Source::Image(image.name.clone());
        let (ending, picture) = image.file.exported(&subject.actor, source, format.rewrites_webp());
        files.insert(format!("{name}.{ending}"), picture);
        if image.caption.is_some() || !format.writes_captions() {
            files.insert(format!("{name}.txt"), Content::Text(image.caption_with(&subject.words)));
        }
    }
    files
}

/// The same in one folder for each actor. Each folder contains nothing else, because ai-toolkit trains everything below
/// it.
pub fn in_folders(subjects: &[Subject], folders: &[String], format: ExportFormat) -> Tree {
    let of_actor = |(subject, folder): (&Subject, &String)| {
        let files = captioned(subject, format).into_iter();
        let folder = folder.clone();
        files.map(move |(path, content)| (format!("{folder}/{path}"), content)).collect::<Vec<_>>()
    };
    subjects.iter().zip(folders).flat_map(of_actor).collect()
}

/// A name for the trained model.
pub fn model_name(folders: &[String]) -> String {
    match folders {
        [folder] => folder.clone(),
        _ => "actors".to_owned(),
    }
}

/// A text in double quotes, as TOML and YAML read it. ai-toolkit replaces `${…}` in its whole file, so a dollar sign is
/// escaped.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('$', "\\u0024")
}
