use std::collections::BTreeSet;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::colors::color_word;
use super::{Library, PLACEHOLDER, Prompt, preview};
use crate::content::{Angle, Framing};
use crate::coverage::{Needs, ViewCounts};
use crate::kind::Kind;

fn all() -> &'static [Prompt] {
    Library::built_in().prompts()
}

fn of_kind(kind: Kind) -> Vec<&'static Prompt> {
    Library::built_in().of_kind(kind).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[test]
fn library_has_fifteen_eleven_and_nine_prompts() {
    assert_eq!(Library::built_in().counts().to_string(), "15/11/9");
}

#[test]
fn every_prompt_makes_the_same_demands() {
    let demands = ["off-center", "unaware of the camera", "identity", "face and clothing features", "reference image"];
    for prompt in all() {
        for demand in demands {
            assert!(prompt.text.to_lowercase().contains(demand), "{}: {demand}", prompt.id);
        }
    }
}

#[test]
fn every_prompt_names_a_camera_angle() {
    for prompt in all() {
        let named = words(&prompt.text).any(|word| ["angle", "view", "shot"].contains(&word.as_str()));
        assert!(named, "{}", prompt.id);
    }
}

/// Each framing and the words for it in a prompt.
const FRAMINGS: [(Framing, &str); 4] = [
    (Framing::CloseUp, "close-up"),
    (Framing::Medium, "medium"),
    (Framing::FullBody, "full-body"),
    (Framing::Wide, "wide"),
];

/// Each angle and the words for it in a prompt.
const ANGLES: [(Angle, &str); 4] = [
    (Angle::Front, "from the front"),
    (Angle::ThreeQuarter, "three-quarter"),
    (Angle::Profile, "profile"),
    (Angle::Back, "from behind"),
];

/// The values whose words the text contains.
fn named<T: Copy>(text: &str, words: [(T, &str); 4]) -> Vec<T> {
    let text = text.to_lowercase();
    words.iter().filter(|(_, word)| text.contains(word)).map(|&(value, _)| value).collect()
}

#[test]
fn every_prompt_names_its_framing_and_no_other() {
    for prompt in all() {
        assert_eq!(named(&prompt.text, FRAMINGS), [prompt.framing], "{}", prompt.id);
    }
}

#[test]
fn every_prompt_names_its_angle_and_no_other() {
    for prompt in all() {
        assert_eq!(named(&prompt.text, ANGLES), [prompt.angle], "{}", prompt.id);
    }
}

#[test]
fn every_kind_has_prompts_for_each_view() {
    for kind in Kind::ALL {
        let framings: BTreeSet<_> = of_kind(kind).iter().map(|prompt| prompt.framing).collect();
        let angles: BTreeSet<_> = of_kind(kind).iter().map(|prompt| prompt.angle).collect();
        assert_eq!((framings.len(), angles.len()), (4, 4), "{kind}");
    }
}

#[test]
fn every_prompt_has_forty_to_seventy_words() {
    for prompt in all() {
        let count = prompt.text.split_whitespace().count();
        assert!((40..=70).contains(&count), "{} has {count} words", prompt.id);
        assert!(prompt.render("robotic character").chars().count() <= 1000, "{}", prompt.id);
    }
}

#[test]
fn no_prompt_assumes_a_gender() {
    let gendered = ["he", "she", "him", "her", "his", "hers"];
    for prompt in all() {
        assert!(!words(&prompt.text).any(|word| gendered.contains(&word.as_str())), "{}", prompt.id);
    }
}

#[test]
fn no_black_and_white_prompt_names_a_color() {
    for prompt in of_kind(Kind::BwStylized) {
        assert_eq!(color_word(&prompt.text), None, "{}", prompt.id);
    }
}

#[test]
fn rendering_replaces_every_placeholder() {
    for prompt in all() {
        assert!(prompt.text.contains(PLACEHOLDER), "{}", prompt.id);
        let text = prompt.render("robotic character");
        assert!(text.contains("the robotic character") && !text.contains('{'), "{}", prompt.id);
    }
}

#[test]
fn preview_ends_between_words() {
    for prompt in all() {
        let text = prompt.render("woman");
        let short = preview(&text);
        let kept = short.strip_suffix('…').unwrap();
        assert!((70..=100).contains(&kept.chars().count()), "{short}");
        let rest = text.strip_prefix(kept).unwrap();
        assert!(!rest.starts_with(char::is_alphanumeric), "{short}");
    }
}

#[test]
fn preview_of_a_short_text_is_the_text() {
    assert_eq!(preview("Charcoal drawing."), "Charcoal drawing.");
}

#[test]
fn preview_cuts_long_words_beyond_ascii() {
    assert_eq!(preview(&"é".repeat(300)), format!("{}…", "é".repeat(100)));
}

#[test]
fn covered_set_gets_random_prompts() {
    for kind in Kind::ALL {
        let first = |seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let drawn = Library::built_in().draw(kind, &BTreeSet::new(), 1, &mut Needs::default(), &mut random);
            drawn[0].id.as_str()
        };
        let ids: BTreeSet<_> = (0..400).map(first).collect();
        assert_eq!(ids.len(), of_kind(kind).len(), "{kind}");
    }
}

/// A library of this many photographic prompts, with the views of the built-in ones.
fn library_of(count: usize) -> Library {
    let like = of_kind(Kind::Photorealistic);
    let entry = |number: usize| {
        let Prompt { framing, angle, .. } = like[number % like.len()];
        format!(
            "[[prompt]]\nid = \"own-{number}\"\nkind = \"photorealistic\"\nframing = \"{framing}\"\nangle = \"{angle}\"\nmedium = \"photograph\"\nscene = \"on stage {number}\"\n"
        )
    };
    let file = "mode = \"replace\"\n".to_owned() + &(0..count).map(entry).collect::<String>();
    Library::read(file.as_bytes()).unwrap()
}

#[test]
fn kind_without_prompts_draws_none() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let drawn = |kind, random: &mut ChaCha8Rng| {
        library_of(2).draw(kind, &BTreeSet::new(), 3, &mut Needs::default(), random).len()
    };
    assert_eq!((drawn(Kind::BwStylized, &mut random), drawn(Kind::Photorealistic, &mut random)), (0, 3));
}

proptest! {
    #[test]
    fn draw_repeats_no_prompt_while_unused_ones_remain(
        prompts in 1usize..20,
        used_bits in any::<u32>(),
        count in 0usize..60,
        seed in any::<u64>(),
        (framing, angle) in any::<([u8; 4], [u8; 4])>(),
    ) {
        let library = library_of(prompts);
        let kind = Kind::Photorealistic;
        let used: BTreeSet<String> = library
            .of_kind(kind)
            .enumerate()
            .filter(|(index, _)| used_bits >> index & 1 == 1)
            .map(|(_, prompt)| prompt.id.clone())
            .collect();
        let wanted = ViewCounts { framing: framing.map(u32::from), angle: angle.map(u32::from) };
        let mut needs = Needs { wanted, ..Needs::default() };
        let drawn = library.draw(kind, &used, count, &mut needs, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(drawn.len(), count);

        let first_lap = (prompts - used.len()).min(count);
        let (unused, again) = drawn.split_at(first_lap);
        prop_assert!(unused.iter().all(|prompt| !used.contains(&prompt.id)));
        for lap in std::iter::once(unused).chain(again.chunks(prompts)) {
            let ids: BTreeSet<_> = lap.iter().map(|prompt| &prompt.id).collect();
            prop_assert_eq!(ids.len(), lap.len());
        }
    }

    #[test]
    fn drawn_prompt_has_the_most_needed_view(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        seed in any::<u64>(),
        (framing, angle) in any::<([u8; 4], [u8; 4])>(),
    ) {
        let wanted = ViewCounts { framing: framing.map(u32::from), angle: angle.map(u32::from) };
        let mut needs = Needs { wanted, ..Needs::default() };
        let mut undrawn = of_kind(kind);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for prompt in Library::built_in().draw(kind, &BTreeSet::new(), 6, &mut needs.clone(), &mut random) {
            prop_assert_eq!(prompt.kind, kind);
            let gain = |prompt: &Prompt| needs.gain(prompt.framing, prompt.angle);
            prop_assert!(undrawn.iter().all(|other| gain(other) <= gain(prompt)), "{}", prompt.id);
            undrawn.retain(|other| other.id != prompt.id);
            needs.has.count(Some(prompt.framing), Some(prompt.angle));
        }
    }
}
