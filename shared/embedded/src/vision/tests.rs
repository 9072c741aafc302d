//! Observations of real and synthetic pictures.

use std::io::Cursor;
use std::sync::LazyLock;

use domain::assessment::{Flag, Observation};
use domain::kind::Kind;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};

use super::EmbeddedVision;
use super::features::Features;
use super::kind_model::kind_of;
use super::plane::scale;

/// The labelled images, at most 512 pixels a side: name, kind and picture.
fn labelled() -> Vec<(String, Kind, RgbImage)> {
    let read = |labelled: real_data::LabelledImage| {
        let picture = image::open(&labelled.path).unwrap().to_rgb8();
        let longest = picture.width().max(picture.height()) as f32;
        (labelled.name, labelled.kind, scale(&picture, (512.0 / longest).min(1.0)))
    };
    real_data::labelled_images().into_iter().map(read).collect()
}

fn observe(picture: &RgbImage) -> Observation {
    static MODEL: LazyLock<EmbeddedVision> = LazyLock::new(|| EmbeddedVision::new().unwrap());
    MODEL.observe(picture)
}

/// Asserts that the model recognises at least the share `least` of the kinds after a change of the pictures.
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
fn kinds_of_real_images_are_recognised() {
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
fn good_images_are_above_the_quality_floor() {
    for (name, _, picture) in labelled() {
        let seen = observe(&picture);
        assert!(seen.quality >= 5, "{name}: {seen:?}");
        assert!(!seen.flags.contains(&Flag::DistortedAnatomy), "the model can't measure it: {name}");
    }
}

#[test]
fn blurred_image_is_below_the_quality_floor() {
    for (name, _, picture) in labelled().into_iter().step_by(3) {
        let longest = picture.width().max(picture.height()) as f32;
        let seen = observe(&imageops::blur(&picture, longest * 0.008));
        assert!(seen.flags.contains(&Flag::Blurry) && seen.quality < 5, "{name}: {seen:?}");
    }
}

#[test]
fn face_that_faces_the_camera_is_flagged() {
    for (name, _, picture) in labelled().into_iter().filter(|(name, ..)| name.starts_with("035")) {
        let side = picture.width() / 3;
        let head = imageops::crop_imm(&picture, side, 8, side, side).to_image();
        let seen = observe(&head);
        assert!(seen.flags.contains(&Flag::LookingAtCamera), "{name}: {seen:?}");
        assert!(seen.flags.contains(&Flag::Symmetrical) && seen.quality >= 5, "{name}: {seen:?}");
    }
}

#[test]
fn symmetrical_picture_is_flagged() {
    let picture = RgbImage::from_fn(200, 150, |x, y| {
        let from_axis = x.min(199 - x);
        Rgb([(from_axis * 2) as u8, (y + from_axis / 2) as u8, if (from_axis / 9) % 2 == 0 { 40 } else { 190 }])
    });
    let seen = observe(&picture);
    assert!(seen.flags.contains(&Flag::Symmetrical), "{seen:?}");
}

#[test]
fn unusual_sizes_and_colours_cause_no_panic() {
    for (width, height) in [(1, 1), (1, 300), (300, 1), (2, 2), (13, 40), (64, 64), (512, 65)] {
        for color in [[0; 3], [255; 3], [128; 3], [255, 0, 0]] {
            let seen = observe(&RgbImage::from_pixel(width, height, Rgb(color)));
            assert!((1..=10).contains(&seen.quality), "{width}x{height}: {seen:?}");
        }
    }
}

#[test]
fn plain_surface_has_the_lowest_quality() {
    assert_eq!(observe(&RgbImage::from_pixel(64, 64, Rgb([120, 90, 200]))).quality, 1);
}

#[test]
fn reason_is_one_sentence() {
    let seen = observe(&RgbImage::from_fn(96, 96, |x, y| Rgb([(x * 2) as u8, (y * 2) as u8, 60])));
    assert!(seen.reason.ends_with('.') && seen.reason.matches('.').count() == 1, "{}", seen.reason);
}

#[test]
fn model_can_be_shared_between_threads() {
    fn assert_shareable<T: Send + Sync>() {}
    assert_shareable::<EmbeddedVision>();
}
