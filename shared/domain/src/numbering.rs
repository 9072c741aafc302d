//! The number in an image's file name.

use std::sync::LazyLock;

use regex::Regex;

use crate::actor::ActorId;

/// A file with a higher number counts as one without a number, so that the next number always fits into 64 bits.
const MAX_NUMBER: u64 = 999_999_999_999_999_999;

/// The number of a file: the last `_123.` in its name, or 0 if the name has none.
#[must_use]
pub fn number_of(filename: &str) -> u64 {
    #[expect(clippy::expect_used, reason = "a constant pattern that every test of this module compiles")]
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"_(\d+)\.").expect("the pattern is valid"));
    NUMBER
        .captures_iter(filename)
        .last()
        .and_then(|found| found[1].parse().ok())
        .filter(|&number| number <= MAX_NUMBER)
        .unwrap_or(0)
}

/// The highest number among files; 0 if there are none.
pub fn highest<'a>(filenames: impl IntoIterator<Item = &'a str>) -> u64 {
    filenames.into_iter().map(number_of).max().unwrap_or(0)
}

/// Numbers from here on are unlikely to be a count: cameras and phones write dates and times into names.
const UNLIKELY_FROM: u64 = 10_000;

/// The file with the highest number, if the numbers of new images would be surprisingly high after it. `known` is the
/// highest number that the user knows of, or that a new image received.
pub fn surprising_number<'a>(filenames: impl IntoIterator<Item = &'a str>, known: u64) -> Option<(&'a str, u64)> {
    let highest = filenames.into_iter().map(|name| (name, number_of(name))).max_by_key(|&(_, number)| number)?;
    (highest.1 >= UNLIKELY_FROM && highest.1 > known).then_some(highest)
}

/// The file name of a generated image.
#[must_use]
pub fn filename(actor: &ActorId, number: u64) -> String {
    format!("{actor}_{number}.jpg")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn number_is_the_last_between_underscore_and_dot() {
        assert_eq!(number_of("0001_european_20_female_12.png"), 12);
        assert_eq!(number_of("a_3.b_7.jpg"), 7);
        assert_eq!(number_of("hero_007.webp"), 7);
    }

    #[test]
    fn number_of_a_phones_file_name_is_surprising() {
        let names = ["hero_3.jpg", "PXL_20231012_184512345.jpg", "IMG_20250101_120000.jpg"];
        assert_eq!(surprising_number(names, 0), Some(("PXL_20231012_184512345.jpg", 184_512_345)));
        assert_eq!(surprising_number(names, 184_512_345), None, "reported once");
        assert_eq!(surprising_number(["hero_9999.jpg", "a.jpg"], 0), None);
    }

    #[test]
    fn leading_zeros_and_huge_numbers_are_harmless() {
        let longest = format!("hero_{MAX_NUMBER}.jpg");
        assert_eq!(number_of(&format!("hero_{}7.jpg", "0".repeat(29))), 7);
        assert_eq!(number_of(&format!("hero_{}.jpg", "9".repeat(30))), 0, "it has no number");
        assert_eq!(highest([longest.as_str(), "hero_1.jpg"]) + 1, 1_000_000_000_000_000_000);
    }

    #[test]
    fn name_without_a_number_has_number_zero() {
        for name in ["portrait.jpg", "12.jpg", "hero_12", "hero_12a.jpg", "", "x_18446744073709551615.jpg"] {
            assert_eq!(number_of(name), 0, "{name}");
        }
    }

    proptest! {
        #[test]
        fn new_name_contains_its_number(id in "[A-Za-z0-9_-]{1,40}", number in 0..=MAX_NUMBER) {
            let actor: ActorId = id.parse().unwrap();
            prop_assert_eq!(number_of(&filename(&actor, number)), number);
        }

        #[test]
        fn number_of_any_name_is_part_of_the_name(name in ".*[_0-9.]*.*") {
            let number = number_of(&name);
            prop_assert!(number == 0 || name.contains(&number.to_string()));
        }
    }
}
