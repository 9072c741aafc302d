//! How the model judges real and made-up pictures.

use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use domain::assessment::{Flag, Observation};
use domain::kind::Kind;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};

use super::EmbeddedVision;
use super::features::Features;
use super::kind_model::kind_of;
use super::plane::scale;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/images");

/// The labelled pictures, at most 512 pixels a side, or none (said aloud) where they aren't at hand.
fn labelled() -> Vec<(String, Kind, RgbImage)> {
    let Ok(entries) = std::fs::read_dir(Path::new(FOLDER)) else {
        eprintln!("skipped: no labelled pictures at {FOLDER}");
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let kind = Kind::ALL.into_iter().find(|kind| name.ends_with(kind.as_str())).unwrap();
        let picture = image::open(&path).unwrap().to_rgb8();
        let longest = picture.width().max(picture.height()) as f32;
        (name, kind, scale(&picture, (512.0 / longest).min(1.0)))
    };
    paths.into_iter().map(read).collect()
}

fn observe(picture: &RgbImage) -> Observation {
    static MODEL: LazyLock<EmbeddedVision> = LazyLock::new(|| EmbeddedVision::new().unwrap());
    MODEL.observe(picture)
}

/// Asserts that at least `least` of the pictures (a share) keep their label after `change`.
fn assert_kinds_survive(least: f32, change: impl Fn(&RgbImage) -> RgbImage) {
    let pictures = labelled();
    let wrong: Vec<_> = pictures
        .iter()
        .filter(|(_, kind, picture)| kind_of(&Features::measure(&change(picture))) != *kind)
        .map(|(name, ..)| name)
        .collect();
    assert!(wrong.len() as f32 <= (1.0 - least) * pictures.len() as f32, "wrong: {wrong:?}");
}

fn recompressed(picture: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(Cursor::new(&mut bytes), quality);
    picture.write_with_encoder(encoder).unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

#[test]
fn kinds_of_real_pictures_are_recognised() {
    assert_kinds_survive(0.96, RgbImage::clone);
}

#[test]
fn kinds_survive_half_the_size() {
    assert_kinds_survive(0.95, |picture| scale(picture, 0.5));
}

#[test]
fn kinds_survive_recompression() {
    assert_kinds_survive(0.95, |picture| recompressed(picture, 80));
}

#[test]
fn photographs_and_drawings_that_are_fine_are_kept() {
    for (name, _, picture) in labelled() {
        let seen = observe(&picture);
        assert!(seen.quality >= 5, "{name}: {seen:?}");
        assert!(!seen.flags.contains(&Flag::DistortedAnatomy), "it can't be measured: {name}");
    }
}

#[test]
fn blur_takes_a_picture_below_the_floor() {
    for (name, _, picture) in labelled().into_iter().step_by(3) {
        let longest = picture.width().max(picture.height()) as f32;
        let seen = observe(&imageops::blur(&picture, longest * 0.008));
        assert!(seen.flags.contains(&Flag::Blurry) && seen.quality < 5, "{name}: {seen:?}");
    }
}

#[test]
fn head_and_shoulders_facing_the_camera_are_flagged() {
    for (name, _, picture) in labelled().into_iter().filter(|(name, ..)| name.starts_with("035")) {
        let side = picture.width() / 3;
        let head = imageops::crop_imm(&picture, side, 8, side, side).to_image();
        let seen = observe(&head);
        assert!(seen.flags.contains(&Flag::LookingAtCamera), "{name}: {seen:?}");
        assert!(seen.flags.contains(&Flag::Symmetrical) && seen.quality >= 5, "{name}: {seen:?}");
    }
}

#[test]
fn a_picture_that_mirrors_itself_is_flagged() {
    let picture = RgbImage::from_fn(200, 150, |x, y| {
        let from_axis = x.min(199 - x);
        Rgb([(from_axis * 2) as u8, (y + from_axis / 2) as u8, if (from_axis / 9) % 2 == 0 { 40 } else { 190 }])
    });
    let seen = observe(&picture);
    assert!(seen.flags.contains(&Flag::Symmetrical), "{seen:?}");
}

#[test]
fn odd_pictures_are_judged_without_a_panic() {
    for (width, height) in [(1, 1), (1, 300), (300, 1), (2, 2), (13, 40), (64, 64), (512, 65)] {
        for color in [[0; 3], [255; 3], [128; 3], [255, 0, 0]] {
            let seen = observe(&RgbImage::from_pixel(width, height, Rgb(color)));
            assert!((1..=10).contains(&seen.quality), "{width}x{height}: {seen:?}");
        }
    }
}

#[test]
fn a_plain_surface_is_worth_nothing() {
    assert_eq!(observe(&RgbImage::from_pixel(64, 64, Rgb([120, 90, 200]))).quality, 1);
}

#[test]
fn the_reason_is_one_sentence() {
    let seen = observe(&RgbImage::from_fn(96, 96, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 60])));
    assert!(seen.reason.ends_with('.') && seen.reason.matches('.').count() == 1, "{}", seen.reason);
}

#[test]
fn the_model_can_be_shared_between_threads() {
    fn assert_shareable<T: Send + Sync>() {}
    assert_shareable::<EmbeddedVision>();
}
