//! The quality limits of badly exposed pictures.

use domain::assessment::{Assessment, Flag, Observation, Observed, Origin, assess};
use domain::content::Content;
use domain::facts::Facts;
use domain::kind::Kind;
use domain::limits::QualityLimits;
use domain::limits::measured::of_exposure;
use domain::resemblance::Resemblances;
use domain::settings::Settings;
use image::{Rgb, RgbImage};
use imaging::{decode, measure};

fn assessed(facts: Facts, kind: Kind) -> Assessment {
    let observation =
        Observation { kind, quality: 9, flags: Vec::new(), reason: "Seen.".to_owned(), content: Content::default() };
    let (filename, origin, pinned) = ("a_1.jpg".to_owned(), Origin::Uploaded, false);
    let image = Observed { filename, observation, facts, origin, pinned };
    assess(&[image], &Resemblances::default(), &Settings::default()).remove(0)
}

/// The facts of an image as if it were large, without faults other than those of its exposure.
fn large(image: &RgbImage) -> Facts {
    Facts { width: 1024, height: 1024, details: None, ..measure(b"", image) }
}

#[test]
fn exposure_limits_the_quality() {
    let gray = |low: u32, high: u32| {
        large(&RgbImage::from_fn(256, 256, |x, _| Rgb([(low + x * (high - low) / 255) as u8; 3])))
    };
    for (facts, finding) in [(gray(0, 20), "Far too dark."), (gray(200, 255), "Far too light.")] {
        let image = assessed(facts, Kind::Photorealistic);
        assert_eq!((image.quality, image.flags.as_slice()), (3, &[Flag::BadExposure][..]));
        assert!(image.reason.ends_with(finding), "{}", image.reason);
    }
    assert_eq!(assessed(gray(10, 240), Kind::Photorealistic).quality, 9);
}

#[test]
fn drawing_may_be_nearly_all_white_or_black() {
    let line = |paper: u8, ink: u8| {
        large(&RgbImage::from_fn(1024, 1024, |x, y| Rgb([if x.abs_diff(y) < 2 { ink } else { paper }; 3])))
    };
    let quality = |facts| assessed(facts, Kind::BwStylized).quality;
    assert_eq!((quality(line(255, 20)), quality(line(0, 250))), (9, 9));
    assert_eq!((quality(line(255, 245)), quality(line(0, 9))), (3, 3), "nothing is visible");
    let dark = large(&RgbImage::from_fn(256, 256, |x, _| Rgb([if x < 4 { 45 } else { 20 }; 3])));
    assert_eq!(quality(dark), 3, "an underexposed photograph that looks like a drawing");
}

/// `value * gain + lift` for every channel.
fn relit(picture: &RgbImage, gain: f32, lift: f32) -> RgbImage {
    let mut picture = picture.clone();
    for pixel in picture.pixels_mut() {
        *pixel = Rgb(pixel.0.map(|value| f32::from(value).mul_add(gain, lift).clamp(0.0, 255.0) as u8));
    }
    picture
}

#[test]
fn real_images_are_limited_only_if_relit() {
    for image in real_data::labelled_images() {
        let picture = decode(&std::fs::read(&image.path).unwrap()).unwrap();
        assert_eq!(of_exposure(&large(&picture), image.kind, &QualityLimits::default()), None, "{}", image.name);
        if image.kind == Kind::Photorealistic {
            for (gain, lift) in [(0.12, 0.0), (1.0, 190.0)] {
                let relit = large(&relit(&picture, gain, lift));
                assert!(of_exposure(&relit, image.kind, &QualityLimits::default()).is_some(), "{}", image.name);
            }
        }
    }
}
