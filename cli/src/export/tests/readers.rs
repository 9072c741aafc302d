//! How trainers find images and captions, as their sources say. `docs/EXPORT.md` names the versions.

use std::collections::BTreeMap;

use crate::export::tree::{Content, Tree};

/// The images of a folder with their captions, by path. `None` if the trainer finds no caption.
pub type Read = BTreeMap<String, Option<String>>;

/// sd-scripts, `library/train_util.py`: `IMAGE_EXTENSIONS`, `glob_images` and `read_caption`.
pub fn kohya(files: &Tree, folder: &str) -> Read {
    const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "PNG", "JPG", "JPEG", "WEBP"];
    let is_direct = |path: &str| path.rsplit_once('/').is_some_and(|(dir, _)| dir == folder);
    let images = files.keys().filter(|path| is_direct(path) && ENDINGS.contains(&ending(path)));
    let caption = |image: &String| {
        let base = without_ending(image);
        let tokens: Vec<&str> = base.split('_').collect();
        let fallback = if tokens.len() >= 5 { tokens[..tokens.len() - 4].join("_") } else { base.to_owned() };
        let found = [base.to_owned(), fallback].into_iter().find_map(|it| text(files, &format!("{it}.txt")))?;
        let first = found.lines().next().expect("assert len(lines) > 0");
        Some(first.trim().to_owned())
    };
    images.map(|image| (image.clone(), caption(image))).collect()
}

/// ai-toolkit, `toolkit/data_loader.py` (`os.walk`), `toolkit/dataloader_mixins.py` (`load_caption`) and
/// `toolkit/prompt_utils.py` (`inject_trigger_into_prompt`). Its README says that WebP has issues.
pub fn ai_toolkit(files: &Tree, folder: &str, trigger: &str) -> Read {
    let below = format!("{folder}/");
    let is_seen =
        |path: &str| path.strip_prefix(&below).is_some_and(|rest| !rest.split('/').any(|it| it.starts_with('.')));
    let images = files.keys().filter(|path| is_seen(path) && is_one_of(path, &["jpg", "jpeg", "png", "webp"]));
    let caption = |image: &String| {
        let raw = text(files, &format!("{}.txt", without_ending(image)))?;
        let prompt = raw.replace("[trigger]", trigger).replace("[name]", trigger);
        Some(if prompt.contains(trigger) { prompt } else { format!("{trigger} {prompt}") })
    };
    images.map(|image| (image.clone(), caption(image))).collect()
}

/// OneTrainer, `modules/dataLoader/mixin/DataLoaderText2ImageMixin.py`, and mgds, `CollectPaths` and
/// `LoadMultipleTexts`. Of several lines it draws one.
pub fn one_trainer(files: &Tree, folder: &str) -> Read {
    let is_direct = |path: &str| path.rsplit_once('/').is_some_and(|(dir, _)| dir == folder);
    let is_mask = |path: &str| ["-masklabel", "-condlabel"].iter().any(|mask| without_ending(path).ends_with(mask));
    let images = files.keys().filter(|path| {
        is_direct(path)
            && !is_mask(path)
            && is_one_of(path, &["bmp", "jpg", "jpeg", "png", "tif", "tiff", "webp", "avif"])
    });
    let caption = |image: &String| {
        let found = text(files, &format!("{}.txt", without_ending(image)))?;
        let lines: Vec<String> = found.lines().map(|line| line.trim().to_owned()).filter(|it| !it.is_empty()).collect();
        <[String; 1]>::try_from(lines).ok().map(|[line]| line)
    };
    images.map(|image| (image.clone(), caption(image))).collect()
}

/// flux-fine-tuner, `train.py` (`extract_zip`) and `caption.py` (`iter_images_captions`), in a zip.
pub fn replicate(files: &Tree) -> Read {
    let is_seen = |path: &str| !path.starts_with("__MACOSX/") && !path.starts_with("._");
    let endings = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];
    let images = files.keys().filter(|path| is_seen(path) && is_one_of(path, &endings));
    images.map(|image| (image.clone(), text(files, &format!("{}.txt", without_ending(image))))).collect()
}

/// The text of a file; never of zero bytes, and without a byte-order mark, which trainers would train.
fn text(files: &Tree, path: &str) -> Option<String> {
    match files.get(path)? {
        Content::Text(text) => {
            assert!(!text.is_empty() && !text.starts_with('\u{feff}'), "{path}: {text:?}");
            Some(text.clone())
        }
        other => panic!("{path}: {other:?}"),
    }
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn is_one_of(path: &str, endings: &[&str]) -> bool {
    endings.contains(&ending(path).to_lowercase().as_str())
}

fn without_ending(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(base, _)| base)
}
