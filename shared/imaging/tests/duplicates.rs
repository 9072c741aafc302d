//! Duplicates among measured pictures.
#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

use domain::assessment::{Assessment, Flag, Observation, Observed, Origin, assess};
use domain::duplicates::*;
use domain::kind::Kind;
use domain::limits::FrontalImages;
use domain::planner::{Policy, Scope, propose};
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
    let observation =
        Observation { kind: Kind::Photorealistic, quality, flags: Vec::new(), reason: "Sharp.".to_owned() };
    let (origin, pinned) = (Origin::Uploaded, false);
    Observed { filename: filename.to_owned(), observation, facts: measure(file, image), origin, pinned }
}

fn generated(image: Observed, requested: Kind) -> Observed {
    Observed { origin: Origin::Generated { requested: Some(requested) }, ..image }
}

fn deleted(set: &[Assessment], target: u32) -> Vec<String> {
    let target = Target { total: target, shares: "0/100/0".parse().unwrap() };
    let policy = Policy { target, quality_floor: 5, scope: Scope::All };
    propose(set, &policy).delete.into_iter().map(|removal| removal.filename).collect()
}

/// A stick figure on white, in a different pose for each `number`.
fn pose(number: u32) -> RgbImage {
    let mut paper = RgbImage::from_pixel(1024, 576, Rgb([255; 3]));
    let angle = |limb: u32| ((number * 37 + limb * 61) % 90) as f32 / 90.0;
    let mut line = |from: (f32, f32), to: (f32, f32)| {
        for step in 0..=200_u32 {
            let along = step as f32 / 200.0;
            let (x, y) = (from.0 + (to.0 - from.0) * along, from.1 + (to.1 - from.1) * along);
            for (dx, dy) in (0..7).flat_map(|dx| (0..7).map(move |dy| (dx, dy))) {
                paper.put_pixel(x as u32 + dx, y as u32 + dy, Rgb([20; 3]));
            }
        }
    };
    let (neck, hip) = ((512.0, 200.0), (512.0, 310.0));
    for corner in 0..40 {
        let at = |corner: i32| {
            let turn = corner as f32 * std::f32::consts::TAU / 40.0;
            (512.0 + 41.0 * turn.cos(), 157.0 + 41.0 * turn.sin())
        };
        line(at(corner), at(corner + 1));
    }
    line(neck, hip);
    for (limb, side) in [(0, -1.0), (1, 1.0)] {
        let elbow = (neck.0 + side * (20.0 + 50.0 * angle(limb)), neck.1 - 30.0 + 90.0 * angle(limb + 2));
        line(neck, elbow);
        line(elbow, (elbow.0 + side * 40.0 * angle(limb + 4), elbow.1 - 60.0 + 120.0 * angle(limb + 6)));
        let knee = (hip.0 + side * (10.0 + 40.0 * angle(limb + 8)), hip.1 + 70.0);
        line(hip, knee);
        line(knee, (knee.0 + side * 30.0 * angle(limb + 10), 450.0));
    }
    paper
}

#[test]
fn oldest_of_equal_files_is_the_original() {
    let set = [10, 9, 2].map(|number| observed(&format!("a_{number}.jpg"), b"same", &picture(1), 8));
    let duplicates = find_duplicates(&set);
    let exact = Some(&Duplicate::Exact { of: "a_2.jpg" });
    assert_eq!((duplicates.get("a_9.jpg"), duplicates.get("a_10.jpg")), (exact, exact));
    assert_eq!(duplicates.get("a_2.jpg"), None);
}

#[test]
fn best_of_equal_pictures_is_the_original() {
    let set = [observed("a_1.jpg", b"one", &picture(1), 6), observed("a_2.jpg", b"two", &picture(1), 8)];
    assert_eq!(find_duplicates(&set).get("a_1.jpg"), Some(&Duplicate::Near { of: "a_2.jpg" }));
}

#[test]
fn different_pictures_are_no_duplicates() {
    let set = [1, 2, 3].map(|seed| observed(&format!("a_{seed}.jpg"), &[seed as u8], &picture(seed), 8));
    assert!(find_duplicates(&set).is_empty());
}

#[test]
fn copy_has_the_lowest_quality_and_a_reason() {
    let mut set = [observed("a_1.jpg", b"same", &picture(1), 9), observed("a_2.jpg", b"same", &picture(1), 9)];
    for image in &mut set {
        (image.facts.width, image.facts.height) = (1024, 768);
    }
    let assessments = assess(&set, FrontalImages::Keep);
    assert_eq!((assessments[0].quality, assessments[1].quality), (9, 1));
    assert_eq!(assessments[1].flags, [Flag::ExactDuplicate]);
    assert_eq!(assessments[1].reason, "Same file as a_1.jpg.");
}

#[test]
fn twelve_poses_on_white_paper_are_kept() {
    let drawn = |number: u32| {
        let image = observed(&format!("a_{number}.png"), &[number as u8], &pose(number), 8);
        Observed { observation: Observation { kind: Kind::BwStylized, ..image.observation }, ..image }
    };
    let set: Vec<Observed> = (1..=12).map(drawn).collect();
    let pairs = (0..12).flat_map(|one| (0..one).map(move |other| (one, other)));
    let alike = pairs.filter(|&(one, other)| set[one].facts.looks_like(&set[other].facts)).count();
    assert!(alike > 33, "the hash confuses only {alike} of 66 pairs");
    let assessed = assess(&set, FrontalImages::Keep);
    assert!(assessed.iter().all(|image| image.quality == 6), "they are only small: {assessed:#?}");
    assert!(assessed.iter().any(|image| image.flags.contains(&Flag::NearDuplicate)));
    assert!(deleted(&assessed, 12).is_empty());
}

#[test]
fn near_duplicate_is_deleted_before_its_equals() {
    let mut set = vec![
        observed("a_1.jpg", b"one", &pose(1), 8),
        observed("a_2.jpg", b"two", &pose(1), 8),
        observed("a_3.jpg", b"three", &picture(3), 8),
    ];
    for image in &mut set {
        image.observation.kind = Kind::BwStylized;
        (image.facts.width, image.facts.height) = (1024, 1024);
    }
    let assessed = assess(&set, FrontalImages::Keep);
    assert_eq!((assessed[1].quality, assessed[1].flags.as_slice()), (8, &[Flag::NearDuplicate][..]));
    assert!(assessed[1].reason.ends_with("Looks much like a_1.jpg."), "{}", assessed[1].reason);
    assert_eq!(deleted(&assessed, 2), ["a_2.jpg"]);
    set[1].observation.quality = 9;
    assert_eq!(deleted(&assess(&set, FrontalImages::Keep), 2), ["a_1.jpg"], "the better of the two stays");
}

#[test]
fn upload_is_the_original_of_a_generated_copy() {
    let uploaded = observed("a_9.jpg", b"same", &picture(1), 6);
    let made = generated(observed("a_2.jpg", b"same", &picture(1), 9), Kind::Photorealistic);
    let pinned = Observed { pinned: true, filename: "a_1.jpg".to_owned(), ..made.clone() };
    let set = [uploaded, made, pinned];
    let duplicates: Vec<&str> = find_duplicates(&set).into_keys().collect();
    assert_eq!(duplicates, ["a_1.jpg", "a_2.jpg"]);
}

#[test]
fn copy_of_a_near_duplicate_is_an_exact_duplicate() {
    let set = [
        observed("a_1.jpg", b"one", &picture(1), 9),
        observed("a_2.jpg", b"two", &picture(1), 8),
        observed("a_3.jpg", b"two", &picture(1), 8),
    ];
    let duplicates = find_duplicates(&set);
    assert_eq!(duplicates.get("a_2.jpg"), Some(&Duplicate::Near { of: "a_1.jpg" }));
    assert_eq!(duplicates.get("a_3.jpg"), Some(&Duplicate::Exact { of: "a_2.jpg" }));
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
                },
                facts: facts[usize::from(content)].clone(),
                origin: Origin::Uploaded,
                pinned,
            };
            if is_uploaded { image } else { generated(image, Kind::BwStylized) }
        };
        let set: Vec<Observed> = images.iter().enumerate().map(one).collect();
        let duplicates = find_duplicates(&set);
        let is_copy = |image: &&Observed| {
            matches!(duplicates.get(image.filename.as_str()), Some(Duplicate::Exact { .. }))
        };
        for content in &facts {
            let of_content = || set.iter().filter(|image| image.facts.sha256 == content.sha256);
            let originals: Vec<_> = of_content().filter(|image| !is_copy(image)).collect();
            prop_assert_eq!(originals.len(), usize::from(of_content().next().is_some()));
            let has_upload = of_content().any(|image| image.origin.is_uploaded());
            prop_assert!(originals.iter().all(|image| image.origin.is_uploaded() == has_upload));
        }
    }
}
