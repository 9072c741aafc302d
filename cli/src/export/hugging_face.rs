//! Hugging Face `datasets`: an image folder with metadata. `docs/EXPORT.md` names the places in its sources.

use serde_json::json;

use super::names::Names;
use super::subject::{Subject, stem};
use super::tree::{Content, Guide, Layout, Source, Tree};

/// The folder's name makes all images a split `train`. In the root, a file like `hero_test_1.jpg` would become a split of
/// its own.
const SPLIT: &str = "train";

const CARD: &str = "\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: \"train/*\"
---
Images of characters with captions. `text` contains the trigger word; `actor` says whose image it is.
";

/// One image folder with a column `actor`: `datasets` filters it into one set for each actor.
pub fn layout(subjects: &[Subject]) -> Layout {
    let (mut names, mut files, mut lines) = (Names::default(), Tree::new(), String::new());
    for subject in subjects {
        for image in &subject.images {
            let source = Source::Image(image.name.clone());
            let (ending, picture) = image.file.exported(&subject.actor, source, false);
            let name = format!("{}.{ending}", names.give(stem(&image.name)));
            let line = json!({
                "file_name": name,
                "text": image.caption_with(&subject.words),
                "actor": subject.actor,
                "trigger": subject.words.trigger,
                "class": subject.words.class,
                "kind": image.facts.kind,
            });
            lines.push_str(&format!("{line}\n"));
            files.insert(format!("{SPLIT}/{name}"), picture);
        }
    }
    files.insert(format!("{SPLIT}/metadata.jsonl"), Content::Text(lines));
    files.insert("README.md".to_owned(), Content::Text(CARD.to_owned()));
    let guide = Guide {
        commands: vec![
            "python -c 'import datasets; print(datasets.load_dataset(\"imagefolder\", data_dir=\".\"))'".to_owned(),
        ],
        before: vec!["`pip install datasets pillow` installs what reads it".to_owned()],
    };
    Layout { files, guide }
}
