//! Exposure limits the quality of pictures.

use domain::assessment::Flag;
use domain::assessment::{Assessment, Observation, Observed, Origin, assess};
use domain::facts::Facts;
use domain::kind::Kind;
use domain::limits::*;
use image::{Rgb, RgbImage};
use imaging::{decode, measure};

fn observed(facts: Facts, kind: Kind, flags: &[Flag]) -> Observed {
    let observation = Observation { kind, quality: 9, flags: flags.to_vec(), reason: "Seen.".to_owned() };
    Observed { filename: "a_1.jpg".to_owned(), observation, facts, origin: Origin::Uploaded, pinned: false }
}

fn assessed(facts: Facts, kind: Kind, flags: &[Flag], frontal_images: FrontalImages) -> Assessment {
    assess(&[observed(facts, kind, flags)], frontal_images).remove(0)
}

fn facts(width: u32, height: u32) -> Facts {
    Facts { sha256: "1".to_owned(), perceptual_hash: String::new(), width, height, tones: None }
}

fn tones_of(image: &RgbImage) -> Facts {
    Facts { tones: measure(b"", image).tones, ..facts(1024, 1024) }
}

#[test]
fn exposure_limits_the_quality_whoever_rates() {
    let gray = |low: u32, high: u32| {
        tones_of(&RgbImage::from_fn(256, 256, |x, _| Rgb([(low + x * (high - low) / 255) as u8; 3])))
    };
    for (facts, finding) in [(gray(0, 20), "Far too dark."), (gray(200, 255), "Far too light.")] {
        let image = assessed(facts, Kind::Photorealistic, &[], FrontalImages::Keep);
        assert_eq!((image.quality, image.flags.as_slice()), (3, &[Flag::BadExposure][..]));
        assert!(image.reason.ends_with(finding), "{}", image.reason);
    }
    assert_eq!(assessed(gray(10, 240), Kind::Photorealistic, &[], FrontalImages::Keep).quality, 9);
}

#[test]
fn a_drawing_may_be_nearly_all_paper_or_all_black() {
    let line = |paper: u8, ink: u8| {
        tones_of(&RgbImage::from_fn(1024, 1024, |x, y| Rgb([if x.abs_diff(y) < 2 { ink } else { paper }; 3])))
    };
    let quality = |facts| assessed(facts, Kind::BwStylized, &[], FrontalImages::Keep).quality;
    assert_eq!((quality(line(255, 20)), quality(line(0, 250))), (9, 9));
    assert_eq!((quality(line(255, 245)), quality(line(0, 9))), (3, 3), "there is nothing to be seen");
    let dark = tones_of(&RgbImage::from_fn(256, 256, |x, _| Rgb([if x < 4 { 45 } else { 20 }; 3])));
    assert_eq!(quality(dark), 3, "an underexposed photograph that is taken for a drawing");
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
fn real_images_are_well_exposed_until_they_are_relit() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/images");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("skipped: there are no images in {folder}");
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let kind = Kind::ALL.into_iter().find(|kind| name.ends_with(kind.as_str())).unwrap();
        let picture = decode(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(of_exposure(&tones_of(&picture), kind), None, "{name}");
        if kind == Kind::Photorealistic {
            for (gain, lift) in [(0.12, 0.0), (1.0, 190.0)] {
                assert!(of_exposure(&tones_of(&relit(&picture, gain, lift)), kind).is_some(), "{name}");
            }
        }
    }
}
