//! What kohya's trainers say about images: in the name of a folder, or in a dataset file.
//!
//! Source: sd-scripts, `docs/config_README-en.md`. A folder `10_ohwx woman` is trained ten times with the words
//! `ohwx woman`. A dataset file names folders and words itself; the names of these folders are not read.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The longest number of repeats. Longer digits are a date or a number of something else.
const MAX_DIGITS: usize = 4;

/// The words that stand for a character in training.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub trigger: Option<String>,
    pub class: Option<String>,
}

/// A folder's name in kohya's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderName {
    pub repeats: u32,
    /// The text after the repeats, which is the trigger and the class.
    pub text: String,
}

/// A folder of images that a dataset file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subset {
    /// Absolute, or relative to the file's folder.
    pub image_dir: String,
    /// The words for images without a caption.
    pub class_tokens: Option<String>,
}

#[derive(Deserialize)]
struct DatasetFile {
    #[serde(default)]
    datasets: Vec<Dataset>,
}

#[derive(Deserialize)]
struct Dataset {
    #[serde(default)]
    subsets: Vec<SubsetTable>,
}

/// The other settings, such as the resolution, concern the training only.
#[derive(Deserialize)]
struct SubsetTable {
    image_dir: Option<String>,
    class_tokens: Option<String>,
    #[serde(default)]
    is_reg: bool,
    #[serde(flatten)]
    _others: BTreeMap<String, toml::Value>,
}

impl FolderName {
    /// Reads a name such as `10_ohwx woman`; `None` for other names. A leading zero, as in `0001_european_20_female`,
    /// begins an actor's id.
    pub fn parse(name: &str) -> Option<Self> {
        let (digits, text) = name.split_once('_')?;
        let is_count = (1..=MAX_DIGITS).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        let text = text.trim();
        (is_count && !text.is_empty()).then_some(())?;
        Some(Self { repeats: digits.parse().ok()?, text: text.to_owned() })
    }
}

impl Words {
    /// The first word is the trigger, and the others are the class.
    pub fn of(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let trigger = words.next().map(str::to_owned);
        let class = words.collect::<Vec<_>>().join(" ");
        Self { trigger, class: Some(class).filter(|class| !class.is_empty()) }
    }
}

/// An actor's id from these words: `ohwx_woman`, whose last word also says what the actor is.
pub fn id_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("_")
}

/// The folders of a dataset file, and the subsets that are left out, with the reasons.
///
/// # Errors
/// A clause with the line, if the file can't be read.
pub fn subsets(file: &str) -> Result<(Vec<Subset>, Vec<String>), String> {
    let read: DatasetFile = toml::from_str(file).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + file[..span.start.min(file.len())].matches('\n').count());
        format!("line {line}: {}", error.message())
    })?;
    let (mut folders, mut left_out) = (Vec::new(), Vec::new());
    for (number, subset) in (1..).zip(read.datasets.into_iter().flat_map(|dataset| dataset.subsets)) {
        match subset.image_dir {
            Some(image_dir) if subset.is_reg => {
                left_out.push(format!("subset {number} ({image_dir}) has regularization images, which show no actor"));
            }
            Some(image_dir) => folders.push(Subset { image_dir, class_tokens: subset.class_tokens }),
            None => left_out.push(format!("subset {number} names no image_dir")),
        }
    }
    if folders.is_empty() && left_out.is_empty() {
        return Err("it has no `[[datasets.subsets]]` with an image_dir".to_owned());
    }
    Ok((folders, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(trigger: &str, class: Option<&str>) -> Words {
        Words { trigger: Some(trigger.to_owned()), class: class.map(str::to_owned) }
    }

    #[test]
    fn folder_name_has_repeats_trigger_and_class() {
        for (name, repeats, text, expected) in [
            ("10_ohwx woman", 10, "ohwx woman", words("ohwx", Some("woman"))),
            ("1_sks", 1, "sks", words("sks", None)),
            ("5_my_char old man", 5, "my_char old man", words("my_char", Some("old man"))),
            ("20_ ohwx  woman ", 20, "ohwx  woman", words("ohwx", Some("woman"))),
        ] {
            let found = FolderName::parse(name).unwrap();
            assert_eq!((found.repeats, found.text.as_str()), (repeats, text), "{name}");
            assert_eq!(Words::of(&found.text), expected, "{name}");
        }
        assert_eq!(id_of("ohwx  woman"), "ohwx_woman");
    }

    #[test]
    fn other_folder_names_are_not_kohyas() {
        for name in
            ["0001_european_20_female", "hero", "10_", "10_ ", "_woman", "ten_woman", "20251017_set", "-1_a", "١_a", ""]
        {
            assert_eq!(FolderName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn dataset_file_names_its_folders() {
        let file = "
[general]
caption_extension = '.txt'
[[datasets]]
resolution = [1024, 1024]
  [[datasets.subsets]]
  image_dir = 'images/hero'
  class_tokens = 'ohwx woman'
  num_repeats = 10
  [[datasets.subsets]]
  image_dir = '/reg'
  is_reg = true
  [[datasets.subsets]]
  metadata_file = 'a.json'
";
        let (folders, left_out) = subsets(file).unwrap();
        let expected = Subset { image_dir: "images/hero".to_owned(), class_tokens: Some("ohwx woman".to_owned()) };
        assert_eq!(folders, [expected]);
        assert_eq!(left_out.len(), 2, "{left_out:?}");
        assert!(left_out[0].contains("regularization") && left_out[1].contains("no image_dir"), "{left_out:?}");
    }

    #[test]
    fn broken_dataset_file_is_reported_with_its_line() {
        for (file, words) in [
            ("[general]\nx = \n", "line 2"),
            ("[[datasets]]\n[[datasets.subsets]]\nimage_dir = 3\n", "line"),
            ("[[prompt]]\nid = 'a'\n", "no `[[datasets.subsets]]`"),
        ] {
            let problem = subsets(file).unwrap_err();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
