//! Duplicates among measured pictures whose resemblance is known.
#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

use domain::assessment::{Assessment, Flag, Observation, Observed, Origin, assess};
use domain::content::Content;
use domain::duplicates::*;
use domain::kind::Kind;
use domain::limits::DEFAULT_QUALITY_FLOOR;
use domain::planner::{Policy, Scope, propose};
use domain::resemblance::{Resemblance, Resemblances, nominate};
use domain::settings::Settings;
use domain::target::Target;
use image::{Rgb, RgbImage};
use imaging::measure;
use proptest::prelude::*;

/// A different picture for each `seed`.
fn picture(seed: u32) -> RgbImage {
    RgbImage::from_fn(96, 64, |x, y| {
        let wave = f64::from(x * (seed % 7 + 2) + y * (seed % 5 + 1) * 2 + seed * 13).sin();
        Rgb([(128.0 + 127.0 * (wave * f64::from(seed + 1)).sin()) as u8; 3])
    })
}

fn observed(filename: &str, file: &[u8], image: &RgbImage, quality: u8) -> Observed {
    let observation = Observation {
        kind: Kind::Photorealistic,
        quality,
        flags: Vec::new(),
        reason: "Sharp.".to_owned(),
        content: Content::default(),
    };
    let (origin, pinned) = (Origin::Uploaded, false);
    Observed { filename: filename.to_owned(), observation, facts: measure(file, image), origin, pinned }
}

fn generated(image: Observed, requested: Kind) -> Observed {
    Observed { origin: Origin::Generated { requested: Some(requested) }, ..image }
}

fn deleted(set: &[Assessment], target: u32) -> Vec<String> {
    let target = Target { total: target, shares: "0/100/0".parse().unwrap(), ..Target::default() };
    let policy = Policy { target, quality_floor: DEFAULT_QUALITY_FLOOR, scope: Scope::All };
    propose(set, &policy).delete.into_iter().map(|removal| removal.filename).collect()
}

/// Confirms that images with equal pictures show the same picture, and nothing else.
fn confirmed(set: &[Observed]) -> Resemblances {
    let mut confirmed = Resemblances::default();
    for (one, other) in nominate(set) {
        let (one, other) = (&set[one].facts, &set[other].facts);
        let is_equal = one.perceptual_hash == other.perceptual_hash;
        confirmed.record(one, other, if is_equal { Resemblance::SamePicture } else { Resemblance::Different });
    }
    confirmed
}

fn assessments_of(set: &[Observed]) -> Vec<Assessment> {
    assess(set, &confirmed(set), &Settings::default())
}

#[test]
fn oldest_of_equal_files_is_the_original() {
    let set = [10, 9, 2].map(|number| observed(&format!("a_{number}.jpg"), b"same", &picture(1), 8));
    let resemblances = confirmed(&set);
    let duplicates = find_duplicates(&set, &resemblances, DEFAULT_QUALITY_FLOOR);
    let exact = Some(&Duplicate::Exact { of: "a_2.jpg" });
    assert_eq!((duplicates.get("a_9.jpg"), duplicates.get("a_10.jpg")), (exact, exact));
    assert_eq!(duplicates.get("a_2.jpg"), None);
}

#[test]
fn best_of_equal_pictures_is_the_original() {
    let set = [observed("a_1.jpg", b"one", &picture(1), 6), observed("a_2.jpg", b"two", &picture(1), 8)];
    assert_eq!(
        find_duplicates(&set, &confirmed(&set), DEFAULT_QUALITY_FLOOR).get("a_1.jpg"),
        Some(&Duplicate::Near { of: "a_2.jpg" })
    );
}

#[test]
fn different_pictures_are_no_duplicates() {
    let set = [1, 2, 3].map(|seed| observed(&format!("a_{seed}.jpg"), &[seed as u8], &picture(seed), 8));
    assert!(find_duplicates(&set, &confirmed(&set), DEFAULT_QUALITY_FLOOR).is_empty());
}

#[test]
fn copy_has_the_lowest_quality_and_a_reason() {
    let mut set = [observed("a_1.jpg", b"same", &picture(1), 9), observed("a_2.jpg", b"same", &picture(1), 9)];
    for image in &mut set {
        (image.facts.width, image.facts.height, image.facts.details) = (1024, 768, None);
    }
    let assessments = assessments_of(&set);
    assert_eq!((assessments[0].quality, assessments[1].quality), (9, 1));
    assert_eq!(assessments[1].flags, [Flag::ExactDuplicate]);
    assert_eq!(assessments[1].reason, "Same file as a_1.jpg.");
}

#[test]
fn pair_that_was_not_compared_is_no_duplicate() {
    let set = [observed("a_1.jpg", b"one", &picture(1), 6), observed("a_2.jpg", b"two", &picture(1), 8)];
    assert_eq!(nominate(&set), [(0, 1)]);
    assert!(find_duplicates(&set, &Resemblances::default(), DEFAULT_QUALITY_FLOOR).is_empty());
}

#[test]
fn mirror_image_is_only_mentioned() {
    let mut set = [observed("a_1.jpg", b"one", &picture(1), 8), observed("a_2.jpg", b"two", &picture(2), 8)];
    for image in &mut set {
        (image.facts.width, image.facts.height, image.facts.details) = (1024, 1024, None);
    }
    let mut mirrored = Resemblances::default();
    mirrored.record(&set[1].facts, &set[0].facts, Resemblance::Mirrored);
    let assessed = assess(&set, &mirrored, &Settings::default());
    assert_eq!((assessed[1].quality, assessed[1].flags.as_slice()), (8, &[][..]));
    assert_eq!(assessed[1].reason, "Sharp. Mirror image of a_1.jpg.");
    assert_eq!(assessed[0].reason, "Sharp.");
}

#[test]
fn near_duplicate_of_a_mirror_image_is_found() {
    let set = [1, 2, 3].map(|seed| observed(&format!("a_{seed}.jpg"), &[seed as u8], &picture(seed), 8));
    let mut known = Resemblances::default();
    known.record(&set[0].facts, &set[1].facts, Resemblance::Mirrored);
    known.record(&set[1].facts, &set[2].facts, Resemblance::SamePicture);
    let duplicates = find_duplicates(&set, &known, DEFAULT_QUALITY_FLOOR);
    assert_eq!(duplicates.get("a_2.jpg"), Some(&Duplicate::Mirrored { of: "a_1.jpg" }));
    assert_eq!(duplicates.get("a_3.jpg"), Some(&Duplicate::Near { of: "a_2.jpg" }));
}

#[test]
fn nominated_partners_are_bounded() {
    let set: Vec<Observed> = (0..200_u32)
        .map(|number| observed(&format!("a_{number}.jpg"), &number.to_le_bytes(), &picture(1), 8))
        .collect();
    let pairs = nominate(&set);
    assert!(pairs.len() <= 200 * 12, "{}", pairs.len());
}

#[test]
fn generated_images_are_nominated_only_if_close() {
    let mut set = [1, 2].map(|seed| observed(&format!("a_{seed}.jpg"), &[seed as u8], &picture(seed), 8));
    // Each character stands for six bits.
    set[0].facts.perceptual_hash = "A".repeat(43);
    set[1].facts.perceptual_hash = "/".repeat(7) + &"A".repeat(36);
    assert_eq!(set[0].facts.hash_distance(&set[1].facts), Some(42));
    assert_eq!(nominate(&set), [(0, 1)]);
    let [one, other] = set;
    assert!(nominate(&[one, generated(other, Kind::Photorealistic)]).is_empty());
}

#[test]
fn near_duplicate_is_deleted_before_its_equals() {
    let mut set = vec![
        observed("a_1.jpg", b"one", &picture(1), 8),
        observed("a_2.jpg", b"two", &picture(1), 8),
        observed("a_3.jpg", b"three", &picture(3), 8),
    ];
    for image in &mut set {
        image.observation.kind = Kind::BwStylized;
        (image.facts.width, image.facts.height, image.facts.details) = (1024, 1024, None);
    }
    let assessed = assessments_of(&set);
    assert_eq!((assessed[1].quality, assessed[1].flags.as_slice()), (8, &[Flag::NearDuplicate][..]));
    assert!(assessed[1].reason.ends_with("Looks much like a_1.jpg."), "{}", assessed[1].reason);
    assert_eq!(deleted(&assessed, 2), ["a_2.jpg"]);
    set[1].observation.quality = 9;
    assert_eq!(deleted(&assessments_of(&set), 2), ["a_1.jpg"], "the better of the two stays");
}

#[test]
fn upload_is_the_original_of_a_generated_copy() {
    let uploaded = observed("a_9.jpg", b"same", &picture(1), 6);
    let made = generated(observed("a_2.jpg", b"same", &picture(1), 9), Kind::Photorealistic);
    let pinned = Observed { pinned: true, filename: "a_1.jpg".to_owned(), ..made.clone() };
    let set = [uploaded, made, pinned];
    let duplicates: Vec<&str> =
        find_duplicates(&set, &Resemblances::default(), DEFAULT_QUALITY_FLOOR).into_keys().collect();
    assert_eq!(duplicates, ["a_1.jpg", "a_2.jpg"]);
}

#[test]
fn copy_of_a_near_duplicate_is_an_exact_duplicate() {
    let set = [
        observed("a_1.jpg", b"one", &picture(1), 9),
        observed("a_2.jpg", b"two", &picture(1), 8),
        observed("a_3.jpg", b"two", &picture(1), 8),
    ];
    let resemblances = confirmed(&set);
    let duplicates = find_duplicates(&set, &resemblances, DEFAULT_QUALITY_FLOOR);
    assert_eq!(duplicates.get("a_2.jpg"), Some(&Duplicate::Near { of: "a_1.jpg" }));
    assert_eq!(duplicates.get("a_3.jpg"), Some(&Duplicate::Exact { of: "a_2.jpg" }));
}

/// Whether no rule deletes the image for itself.
fn stays(image: &Observed) -> bool {
    let is_failed = image.origin.missed_kind(image.observation.kind).is_some();
    image.pinned || !is_failed && image.observation.quality >= DEFAULT_QUALITY_FLOOR
}

proptest! {
    #[test]
    fn each_content_has_one_original(
        images in proptest::collection::vec((0_u8..4, 1_u8..=10, any::<bool>(), any::<bool>()), 0..16),
    ) {
        let facts: Vec<_> = (0..4_u8).map(|content| measure(&[content], &picture(u32::from(content) + 1))).collect();
        let one = |(number, &(content, quality, is_uploaded, pinned)): (usize, &(u8, u8, bool, bool))| {
            let image = Observed {
                filename: format!("a_{number}.jpg"),
                observation: Observation {
                    kind: Kind::ALL[usize::from(quality) % 3], quality, flags: Vec::new(), reason: String::new(),
                    content: Content::default(),
                },
                facts: facts[usize::from(content)].clone(),
                origin: Origin::Uploaded,
                pinned,
            };
            if is_uploaded { image } else { generated(image, Kind::BwStylized) }
        };
        let set: Vec<Observed> = images.iter().enumerate().map(one).collect();
        let resemblances = confirmed(&set);
    let duplicates = find_duplicates(&set, &resemblances, DEFAULT_QUALITY_FLOOR);
        let is_copy = |image: &&Observed| {
            matches!(duplicates.get(image.filename.as_str()), Some(Duplicate::Exact { .. }))
        };
        for content in &facts {
            let of_content = || set.iter().filter(|image| image.facts.sha256 == content.sha256);
            let originals: Vec<_> = of_content().filter(|image| !is_copy(image)).collect();
            prop_assert_eq!(originals.len(), usize::from(of_content().next().is_some()));
            let some_stay = of_content().any(stays);
            let candidates = || of_content().filter(|image| stays(image) == some_stay);
            let has_upload = candidates().any(|image| image.origin.is_uploaded());
            prop_assert!(originals.iter().all(|image| stays(image) == some_stay), "a group loses not all its images");
            prop_assert!(originals.iter().all(|image| image.origin.is_uploaded() == has_upload));
        }
    }
}
