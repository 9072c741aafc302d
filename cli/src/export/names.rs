//! The names of exported files and folders.
//!
//! Trainers put them into shell commands, globs and configuration files, and write caches beside the images. Two names
//! are the same if they differ only in case, because some disks don't tell them apart; and two images with one stem
//! would share one caption.

use std::collections::BTreeSet;

/// The longest stem in bytes. kohya's caches append up to 30 bytes, and Windows limits whole paths to 260 characters.
pub const MAX_STEM_BYTES: usize = 100;

/// Names that Windows reserves for devices, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The ends of the stems of masks, which OneTrainer does not train (`DataLoaderText2ImageMixin`).
const MASKS: [&str; 2] = ["-masklabel", "-condlabel"];

/// Gives each image or folder a name of its own.
#[derive(Debug, Default)]
pub struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// The safe form of a name, with a number if an earlier one took it.
    pub fn give(&mut self, name: &str) -> String {
        let plain = safe(name);
        let numbered = (2_u32..).map(|number| format!("{plain}-{number}"));
        let mut candidates = std::iter::once(plain.clone()).chain(numbered);
        candidates.find(|candidate| self.taken.insert(candidate.to_lowercase())).unwrap_or(plain)
    }
}

/// The name with `_` for every character that is special to shells, file systems or configuration files, or invisible.
fn safe(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " -_.+".contains(c);
    let replaced: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut end = replaced.len().min(MAX_STEM_BYTES);
    while !replaced.is_char_boundary(end) {
        end -= 1;
    }
    // Windows drops dots and spaces at the end; files that begin with a dot are hidden, and one that begins with a hyphen
    // looks like an option.
    let trimmed = replaced[..end].trim_start_matches([' ', '.', '-']).trim_end_matches([' ', '.']);
    if trimmed.is_empty() {
        "image".to_owned()
    } else if is_device(trimmed) || MASKS.iter().any(|mask| trimmed.to_lowercase().ends_with(mask)) {
        format!("{trimmed}_")
    } else {
        trimmed.to_owned()
    }
}

fn is_device(name: &str) -> bool {
    let lower = name.to_lowercase();
    let word = lower.split('.').next().unwrap_or_default();
    let is_port = |prefix| word.strip_prefix(prefix).is_some_and(|rest: &str| rest.len() == 1 && rest != "0");
    DEVICES.contains(&word) || is_port("com") || is_port("lpt")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(names: &[&str]) -> Vec<String> {
        let mut giver = Names::default();
        names.iter().map(|name| giver.give(name)).collect()
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        let names = ["0001_european_20_female_12", "Jürgen 2", "ヒーロー_1", "a.b-c+d"];
        assert_eq!(given(&names), names);
    }

    #[test]
    fn special_and_invisible_characters_are_replaced() {
        assert_eq!(
            given(&["a\"'b", "<script>", "x\u{202e}gpj", "${HOME}[1]"]),
            ["a__b", "_script_", "x_gpj", "__HOME__1_"]
        );
        assert_eq!(
            given(&["..", "-rf", " a. ", "nul.x", "com1", "com0"]),
            ["image", "rf", "a", "nul.x_", "com1_", "com0"]
        );
        assert_eq!(given(&["a-masklabel", "b-CondLabel"]), ["a-masklabel_", "b-CondLabel_"]);
    }

    #[test]
    fn names_that_become_equal_are_numbered() {
        assert_eq!(given(&["a", "A", "a", "a-2", "b?", "b*"]), ["a", "A-2", "a-3", "a-2-2", "b_", "b_-2"]);
        let long = "x".repeat(200);
        let [one, two] = <[String; 2]>::try_from(given(&[&long, &format!("{long}y")])).unwrap();
        assert_eq!((one.len(), two), (MAX_STEM_BYTES, format!("{one}-2")));
    }

    proptest! {
        #[test]
        fn any_names_become_different_safe_names(names in prop::collection::vec(".{0,120}", 1..12)) {
            let mut giver = Names::default();
            let given: Vec<String> = names.iter().map(|name| giver.give(name)).collect();
            let different: BTreeSet<String> = given.iter().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(different.len(), names.len());
            for name in given {
                prop_assert!(!name.is_empty() && name.len() <= MAX_STEM_BYTES + 4, "{}", name);
                prop_assert!(!name.starts_with(['.', '-', ' ']) && !name.ends_with(['.', ' ']), "{}", name);
                prop_assert!(name.chars().all(|c| c.is_alphanumeric() || " -_.+".contains(c)), "{}", name);
            }
        }
    }
}
