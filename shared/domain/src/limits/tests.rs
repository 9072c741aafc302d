use super::*;
use crate::assessment::{Assessment, Observation, Observed, assess, void_ambiguous_comparisons};
use crate::content::{Content, NotCompared};
use crate::facts::Details;
use crate::facts::Facts;
use crate::kind::Kind;
use crate::resemblance::{Resemblance, Resemblances};
use crate::settings::Settings;

fn observed(facts: Facts, kind: Kind, flags: &[Flag]) -> Observed {
    let observation = Observation {
        kind,
        quality: 9,
        flags: flags.to_vec(),
        reason: "Seen.".to_owned(),
        content: Content::default(),
    };
    Observed { filename: "a_1.jpg".to_owned(), observation, facts, origin: Origin::Uploaded, pinned: false }
}

fn assessed(facts: Facts, kind: Kind, flags: &[Flag]) -> Assessment {
    assess(&[observed(facts, kind, flags)], &Resemblances::default(), &Settings::default()).remove(0)
}

fn facts(width: u32, height: u32) -> Facts {
    Facts { sha256: "1".to_owned(), perceptual_hash: String::new(), width, height, tones: None, details: None }
}

#[test]
fn shorter_side_limits_the_quality() {
    for (width, height, most) in
        [(4000, 511, 4), (200, 196, 4), (512, 4000, 6), (767, 1024, 6), (768, 768, 9), (1024, 576, 6)]
    {
        let image = assessed(facts(width, height), Kind::Photorealistic, &[]);
        let is_small = image.flags == [Flag::Small] && image.reason == format!("Seen. Small: {width}×{height} px.");
        assert_eq!((image.quality, is_small), (most, most < 9), "{width}×{height}: {image:?}");
    }
}

#[test]
fn another_character_limits_the_quality() {
    let settings = Settings::default();
    let generated = Origin::Generated { requested: None };
    for (same, origin, most) in [
        (SameCharacter::Yes, generated, 9),
        (SameCharacter::No, generated, 2),
        (SameCharacter::No, Origin::Uploaded, 2),
        (SameCharacter::Unsure, generated, 4),
        (SameCharacter::Unsure, Origin::Uploaded, 5),
    ] {
        let mut image = Observed { origin, ..observed(facts(1024, 1024), Kind::Photorealistic, &[]) };
        image.observation.content.same_character = Some(same);
        let assessed = assess(&[image], &Resemblances::default(), &settings).remove(0);
        assert_eq!(assessed.quality, most, "{same} {origin:?}");
        assert_eq!(assessed.reason.contains("another character"), most < 9, "{}", assessed.reason);
    }
}

#[test]
fn changed_limit_applies_instead_of_the_default() {
    let mut settings = Settings::default();
    settings.rules.limits = "text=10,small=3".parse().unwrap();
    let image = |width| observed(facts(width, 1024), Kind::ColorStylized, &[Flag::Text]);
    let quality = |width| assess(&[image(width)], &Resemblances::default(), &settings).remove(0).quality;
    assert_eq!((quality(1024), quality(600)), (9, 3));
}

#[test]
fn lowest_limit_applies() {
    let flags = [Flag::Blurry, Flag::DistortedAnatomy];
    let image = assessed(facts(600, 600), Kind::Photorealistic, &flags);
    assert_eq!(image.quality, 3);
    assert_eq!(image.reason, "Seen. Small: 600×600 px. Blurry. Distorted anatomy.");
    assert_eq!(image.flags, [Flag::Blurry, Flag::DistortedAnatomy, Flag::Small]);
}

fn detailed(edge_width: u16, bars_percent: u8, blockiness: u16) -> Facts {
    let details = Details { edge_width: Some(edge_width), bars_percent, blockiness };
    Facts { details: Some(details), ..facts(1024, 1024) }
}

#[test]
fn measured_faults_limit_the_quality() {
    for (facts, quality, flags) in [
        (detailed(29, 3, 999), 9, vec![]),
        (detailed(30, 0, 0), 6, vec![Flag::Blurry]),
        (detailed(40, 0, 0), 4, vec![Flag::Blurry]),
        (detailed(14, 4, 0), 6, vec![Flag::Letterboxed]),
        (detailed(14, 0, 1000), 5, vec![Flag::Blocky]),
    ] {
        let image = assessed(facts, Kind::Photorealistic, &[]);
        assert_eq!((image.quality, &image.flags), (quality, &flags), "{image:?}");
    }
    let soft = assessed(detailed(45, 0, 0), Kind::Photorealistic, &[]);
    assert_eq!(soft.reason, "Seen. Blurred or enlarged: the sharpest edges are 4.5 px wide.");
}

#[test]
fn soft_outlines_of_a_painting_are_no_fault() {
    assert_eq!(assessed(detailed(90, 0, 0), Kind::ColorStylized, &[]).quality, 9);
}

#[test]
fn record_without_tones_has_no_exposure_limit() {
    let old: Facts = serde_json::from_str(r#"{"sha256":"1","perceptual_hash":"","width":1024,"height":1024}"#).unwrap();
    assert_eq!(assessed(old, Kind::Photorealistic, &[]).quality, 9);
}

#[test]
fn worse_degree_of_a_fault_never_costs_less() {
    let mut settings = Settings::default();
    settings.rules.limits = "small=3,soft=2,blurry=10".parse().unwrap();
    let quality = |facts| {
        let image = observed(facts, Kind::Photorealistic, &[]);
        assess(&[image], &Resemblances::default(), &settings).remove(0).quality
    };
    assert_eq!((quality(facts(1024, 600)), quality(facts(1024, 400))), (3, 3));
    assert_eq!((quality(detailed(30, 0, 0)), quality(detailed(45, 0, 0))), (2, 2));
    let blurry = observed(facts(1024, 1024), Kind::ColorStylized, &[Flag::Blurry]);
    assert_eq!(assess(&[blurry], &Resemblances::default(), &settings).remove(0).quality, 2);
}

/// Images of the same picture, with these sizes and origins, each observed as 9.
fn same_picture(images: &[(u32, Origin)]) -> (Vec<Observed>, Resemblances) {
    let observe = |(index, &(side, origin)): (usize, &(u32, Origin))| {
        let facts = Facts { sha256: format!("{index:032}"), ..facts(side, side) };
        Observed { filename: format!("a_{index}.jpg"), origin, ..observed(facts, Kind::Photorealistic, &[]) }
    };
    let set: Vec<Observed> = images.iter().enumerate().map(observe).collect();
    let mut known = Resemblances::default();
    for (index, one) in set.iter().enumerate() {
        for other in &set[..index] {
            known.record(&one.facts, &other.facts, Resemblance::SamePicture);
        }
    }
    (set, known)
}

#[test]
fn thumbnail_repeats_the_large_picture() {
    let (set, known) = same_picture(&[(400, Origin::Uploaded), (2000, Origin::Uploaded)]);
    let assessed = assess(&set, &known, &Settings::default());
    assert_eq!((assessed[0].quality, assessed[1].quality), (4, 9));
    assert!(assessed[0].flags.contains(&Flag::NearDuplicate) && assessed[1].flags.is_empty(), "{assessed:?}");
}

#[test]
fn image_that_goes_is_no_original() {
    let (set, known) = same_picture(&[(400, Origin::Uploaded), (2000, Origin::Generated { requested: None })]);
    let assessed = assess(&set, &known, &Settings::default());
    assert!(assessed[1].flags.is_empty(), "the only good copy must not lose ties: {assessed:?}");
}

#[test]
fn ambiguous_base_image_voids_every_comparison() {
    let mut set = [1, 2].map(|_| observed(facts(1024, 1024), Kind::Photorealistic, &[]));
    set[0].observation.content.same_character = Some(SameCharacter::No);
    let mut unchanged = set.clone();
    void_ambiguous_comparisons(&mut unchanged);
    assert_eq!(unchanged, set);
    set[1].observation.content.not_compared = Some(NotCompared::SeveralCharacters);
    void_ambiguous_comparisons(&mut set);
    for Observed { observation, .. } in set {
        assert_eq!(observation.content.same_character, None);
        assert_eq!(observation.content.not_compared, Some(NotCompared::SeveralCharacters));
    }
}
