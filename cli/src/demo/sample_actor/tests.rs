use std::collections::HashMap;
use std::fs;

use image::imageops;

use super::render::render;
use super::shots::{BASE, PASSPORT, PHOTOGRAPHS};
use super::{ACTOR_ID, faults, sample};

const SMALL: (u32, u32) = (96, 54);

/// Mean difference of the picture from its mirror image, in 8-bit levels.
fn asymmetry(picture: &image::RgbImage) -> f64 {
    let mirrored = imageops::flip_horizontal(picture);
    let sum: f64 = picture.iter().zip(mirrored.iter()).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum();
    sum / picture.len() as f64
}

#[test]
fn the_same_shot_and_seed_give_the_same_picture() {
    let picture = || render(&PHOTOGRAPHS[0], 7, SMALL.0, SMALL.1);
    assert_eq!(picture(), picture());
}

#[test]
fn another_seed_changes_only_the_grain() {
    let [one, other] = [1, 2].map(|seed| render(&PHOTOGRAPHS[1], seed, SMALL.0, SMALL.1));
    let largest = one.iter().zip(other.iter()).map(|(a, b)| a.abs_diff(*b)).max();
    assert_ne!(one, other);
    assert!(largest < Some(60), "{largest:?}");
}

#[test]
fn the_base_image_is_less_symmetric_than_the_passport_photograph() {
    let [base, passport] = [BASE, PASSPORT].map(|shot| asymmetry(&render(&shot, 0, 90, 120)));
    assert!(base > 1.5 * passport, "{base} {passport}");
}

#[test]
fn every_photograph_is_neither_black_nor_white() {
    for shot in PHOTOGRAPHS {
        let picture = render(&shot, 0, SMALL.0, SMALL.1);
        let mean = picture.iter().map(|&level| f64::from(level)).sum::<f64>() / picture.len() as f64;
        assert!((35.0..215.0).contains(&mean), "{:?}: {mean}", shot.setting);
    }
}

#[test]
fn four_stops_less_light_leave_a_dark_picture() {
    let picture = render(&PHOTOGRAPHS[5], 0, SMALL.0, SMALL.1);
    assert!(faults::underexposed(&picture, 4.0).iter().all(|&level| level < 80));
}

#[test]
fn a_trimmed_picture_is_smaller_by_the_margin() {
    let picture = render(&PHOTOGRAPHS[5], 0, SMALL.0, SMALL.1);
    assert_eq!(faults::trimmed(&picture, 4).dimensions(), (92, 50));
}

#[test]
fn the_sample_has_a_base_image_and_numbered_training_images_with_one_exact_copy()
-> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let sample = sample::write_scaled(dir.path(), 0.12)?;
    let actor = dir.path().join(ACTOR_ID);
    assert_eq!(sample.base, actor.join(format!("base_image/{ACTOR_ID}_base.png")));
    let mut files: HashMap<Vec<u8>, usize> = HashMap::new();
    for (number, path) in (1..).zip(&sample.training) {
        assert_eq!(*path, actor.join(format!("training_data/{ACTOR_ID}_{number}.jpg")));
        *files.entry(fs::read(path)?).or_default() += 1;
    }
    assert_eq!(sample.training.len(), 21);
    assert_eq!(files.values().filter(|&&count| count == 2).count(), 1);
    assert_eq!(files.len(), 20);
    assert!(image::open(&sample.base)?.width() < image::open(&sample.base)?.height());
    Ok(())
}
