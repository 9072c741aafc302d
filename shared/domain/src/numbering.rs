//! The number in an image's file name.

use std::sync::LazyLock;

use regex::Regex;

use crate::actor::ActorId;

/// Whatever is higher is nobody's count: such a file has no number. So the numbers of a set never run out.
const HIGHEST: u64 = 999_999_999_999_999_999;

/// The number of a file: the last `_123.` in its name, or 0 where there is none.
#[must_use]
pub fn number_of(filename: &str) -> u64 {
    #[expect(clippy::expect_used, reason = "a constant pattern that every test of this module compiles")]
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"_(\d+)\.").expect("the pattern is valid"));
    NUMBER
        .captures_iter(filename)
        .last()
        .and_then(|found| found[1].parse().ok())
        .filter(|&number| number <= HIGHEST)
        .unwrap_or(0)
}

/// The highest number among files; 0 where there are none.
pub fn highest<'a>(filenames: impl IntoIterator<Item = &'a str>) -> u64 {
    filenames.into_iter().map(number_of).max().unwrap_or(0)
}

/// Numbers from here on are not the result of counting: cameras and phones write dates and times into names.
const FIRST_UNLIKELY: u64 = 10_000;

/// The file with the highest number, if that is so high that the numbers of new images would surprise the user. `known`
/// is the highest number that the user knows of, or that a new image received.
pub fn leap<'a>(filenames: impl IntoIterator<Item = &'a str>, known: u64) -> Option<(&'a str, u64)> {
    let highest = filenames.into_iter().map(|name| (name, number_of(name))).max_by_key(|&(_, number)| number)?;
    (highest.1 >= FIRST_UNLIKELY && highest.1 > known).then_some(highest)
}

/// The name of a new image.
#[must_use]
pub fn filename(actor: &ActorId, number: u64) -> String {
    format!("{actor}_{number}.jpg")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_number_is_the_last_one_between_an_underscore_and_a_dot() {
        assert_eq!(number_of("0001_european_20_female_12.png"), 12);
        assert_eq!(number_of("a_3.b_7.jpg"), 7);
        assert_eq!(number_of("hero_007.webp"), 7);
    }

    #[test]
    fn a_phones_name_makes_numbers_leap() {
        let names = ["hero_3.jpg", "PXL_20231012_184512345.jpg", "IMG_20250101_120000.jpg"];
        assert_eq!(leap(names, 0), Some(("PXL_20231012_184512345.jpg", 184_512_345)));
        assert_eq!(leap(names, 184_512_345), None, "said once");
        assert_eq!(leap(["hero_9999.jpg", "a.jpg"], 0), None);
    }

    #[test]
    fn leading_zeros_and_endless_numbers_do_no_harm() {
        let longest = format!("hero_{HIGHEST}.jpg");
        assert_eq!(number_of(&format!("hero_{}7.jpg", "0".repeat(29))), 7);
        assert_eq!(number_of(&format!("hero_{}.jpg", "9".repeat(30))), 0, "it has no number");
        assert_eq!(highest([longest.as_str(), "hero_1.jpg"]) + 1, 1_000_000_000_000_000_000);
    }

    #[test]
    fn a_name_without_a_number_counts_zero() {
        for name in ["portrait.jpg", "12.jpg", "hero_12", "hero_12a.jpg", "", "x_18446744073709551615.jpg"] {
            assert_eq!(number_of(name), 0, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_new_name_carries_its_own_number(id in "[A-Za-z0-9_-]{1,40}", number in 0..=HIGHEST) {
            let actor: ActorId = id.parse().unwrap();
            prop_assert_eq!(number_of(&filename(&actor, number)), number);
        }

        #[test]
        fn any_name_at_all_has_a_number_and_it_stands_in_the_name(name in ".*[_0-9.]*.*") {
            let number = number_of(&name);
            prop_assert!(number == 0 || name.contains(&number.to_string()));
        }
    }
}
