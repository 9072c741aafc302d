use proptest::prelude::*;

use super::*;
use crate::kind::Kind;
use crate::observation::Origin;

const PASSPORT: [Flag; 2] = [Flag::LookingAtCamera, Flag::Symmetrical];

fn image(number: usize, quality: u8, flags: &[Flag], origin: Origin) -> Assessment {
    Assessment {
        filename: format!("a_{number}.jpg"),
        kind: Kind::Photorealistic,
        quality,
        flags: flags.to_vec(),
        reason: "Seen.".to_owned(),
        content: crate::content::Content::default(),
        pinned: false,
        origin,
    }
}

fn generated() -> Origin {
    Origin::Generated { requested: None }
}

fn with(frontal: FrontalRule) -> Settings {
    let mut settings = Settings::default();
    settings.rules.frontal = frontal;
    settings
}

fn qualities(set: &[Assessment], settings: &Settings) -> Vec<u8> {
    limit_frontal(set.to_vec(), settings).iter().map(|image| image.quality).collect()
}

#[test]
fn three_of_twenty_may_be_frontal_by_default() {
    let exempt = |total| FrontalRule::default().exempt(total);
    assert_eq!([0, 3, 4, 6, 20, 500].map(exempt), [0, 0, 1, 1, 3, 75]);
}

#[test]
fn best_frontal_images_keep_their_quality() {
    let set: Vec<_> = [7, 9, 8, 7, 10].into_iter().zip(1..).map(|(q, n)| image(n, q, &PASSPORT, generated())).collect();
    let limited = limit_frontal(set, &Settings::default());
    assert_eq!(limited.iter().map(|image| image.quality).collect::<Vec<_>>(), [4, 9, 8, 4, 10]);
    assert_eq!(limited[0].reason, "Seen. Like a passport photograph; the set has 3 frontal images already.");
}

#[test]
fn one_sign_costs_less_than_both() {
    let flags: [&[Flag]; 4] = [&PASSPORT, &PASSPORT[..1], &PASSPORT[1..], &[]];
    let set: Vec<_> = flags.into_iter().zip(1..).map(|(flags, n)| image(n, 9, flags, generated())).collect();
    assert_eq!(qualities(&set, &with(FrontalRule { percent: 0, ..FrontalRule::default() })), [4, 6, 6, 9]);
}

#[test]
fn own_frontal_images_keep_their_quality() {
    let set: Vec<_> = (1..=5).map(|number| image(number, 9, &PASSPORT, Origin::Uploaded)).collect();
    assert_eq!(qualities(&set, &Settings::default()), [9; 5]);
    let replacing = FrontalRule { own: FrontalImages::Replace, ..FrontalRule::default() };
    assert_eq!(qualities(&set, &with(replacing)), [9, 9, 9, 4, 4]);
}

#[test]
fn image_that_goes_anyway_takes_no_place() {
    let missed = Origin::Generated { requested: Some(Kind::BwStylized) };
    let mut set = vec![image(1, 10, &[], missed), image(2, 4, &PASSPORT, Origin::Uploaded)];
    set.extend((3..=6).map(|number| image(number, 8, &PASSPORT, generated())));
    assert_eq!(qualities(&set, &Settings::default()), [10, 4, 8, 8, 8, 4]);
}

#[test]
fn surplus_image_takes_no_place() {
    let mut set: Vec<_> = (1..=13).map(|number| image(number, 7, &[], Origin::Uploaded)).collect();
    set.extend((14..=16).map(|number| image(number, 10, &PASSPORT, generated())));
    let drawing = |number| Assessment { kind: Kind::BwStylized, ..image(number, 8, &PASSPORT, generated()) };
    set.extend((17..=19).map(drawing));
    assert_eq!(qualities(&set, &Settings::default())[16..], [8, 8, 8]);
}

#[test]
fn both_signs_cost_at_least_as_much_as_one() {
    let mut settings = with(FrontalRule { percent: 0, ..FrontalRule::default() });
    settings.rules.limits = "passport_like=10,symmetrical=5".parse().unwrap();
    assert_eq!(qualities(&[image(1, 9, &PASSPORT, generated())], &settings), [5]);
}

#[test]
fn pinned_and_own_images_come_before_better_ones() {
    let mut set: Vec<_> = (1..=4).map(|number| image(number, 9, &PASSPORT, generated())).collect();
    set.push(image(5, 7, &PASSPORT, Origin::Uploaded));
    set.push(Assessment { pinned: true, ..image(6, 3, &PASSPORT, generated()) });
    assert_eq!(qualities(&set, &Settings::default()), [9, 4, 4, 4, 7, 3]);
}

#[test]
fn treatment_is_read_as_it_is_written() {
    for treatment in [FrontalImages::Keep, FrontalImages::Replace] {
        assert_eq!(treatment.to_string().parse(), Ok(treatment));
    }
    assert!("yes".parse::<FrontalImages>().unwrap_err().to_string().contains("keep or replace"));
}

prop_compose! {
    fn any_image()(
        quality in 1_u8..=10, camera: bool, symmetrical: bool, own: bool, pinned: bool, number in 1_usize..100,
    ) -> Assessment {
        let flags = [(camera, Flag::LookingAtCamera), (symmetrical, Flag::Symmetrical)];
        let flags: Vec<_> = flags.into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag)).collect();
        let origin = if own { Origin::Uploaded } else { generated() };
        Assessment { pinned, ..image(number, quality, &flags, origin) }
    }
}

proptest! {
    #[test]
    fn second_application_changes_nothing(
        set in proptest::collection::vec(any_image(), 0..30),
        percent in 0_u8..=100,
        replace: bool,
        total in 1_u32..40,
        quality_floor in 1_u8..=10,
        passport_like in 1_u8..=10,
    ) {
        let own = if replace { FrontalImages::Replace } else { FrontalImages::Keep };
        let mut settings = with(FrontalRule { own, percent });
        settings.target.total = total;
        settings.rules.quality_floor = quality_floor;
        settings.rules.limits = settings.rules.limits.with(&[(Fault::PassportLike, passport_like)].into());
        let once = limit_frontal(unique(set), &settings);
        prop_assert_eq!(limit_frontal(once.clone(), &settings), once);
    }

    #[test]
    fn only_frontal_images_lose_quality(set in proptest::collection::vec(any_image(), 0..30), percent in 0_u8..=100) {
        let set = unique(set);
        let settings = with(FrontalRule { percent, ..FrontalRule::default() });
        for (before, after) in set.iter().zip(limit_frontal(set.clone(), &settings)) {
            prop_assert!(after.quality <= before.quality);
            prop_assert!(after.quality == before.quality || !before.flags.is_empty());
            prop_assert!(after.quality == before.quality || !before.origin.is_uploaded(), "own images keep theirs");
        }
    }
}

/// The images with different names.
fn unique(set: Vec<Assessment>) -> Vec<Assessment> {
    set.into_iter().zip(1..).map(|(image, n)| Assessment { filename: format!("a_{n}.jpg"), ..image }).collect()
}
