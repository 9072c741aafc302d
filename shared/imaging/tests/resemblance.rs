//! Copies of pictures and different pictures, compared by their pixels.
#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

mod drawings;

use domain::assessment::{Observation, Observed, Origin};
use domain::content::Content;
use domain::kind::Kind;
use domain::resemblance::{Resemblance, nominate};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{crop_imm, flip_horizontal};
use image::{Rgb, RgbImage};
use imaging::{Comparable, PREVIEW_SIDE, decode, measure, resize, shrink};

use drawings::{FIGURE_INK, figure, line_drawing, scene};

/// The real images, if they are available, and drawn scenes.
fn originals() -> Vec<RgbImage> {
    let decoded = |image: real_data::LabelledImage| decode(&std::fs::read(image.path).unwrap()).unwrap();
    real_data::labelled_images().into_iter().map(decoded).chain((0..12).map(scene)).collect()
}

fn drawings() -> Vec<RgbImage> {
    (0..40).map(line_drawing).collect()
}

fn recompressed(image: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    decode(&bytes).unwrap()
}

/// Removes these percentages of the width and the height at each side.
fn trimmed(image: &RgbImage, [left, top, right, bottom]: [u32; 4]) -> RgbImage {
    let (width, height) = image.dimensions();
    let (kept_width, kept_height) = (width * (100 - left - right) / 100, height * (100 - top - bottom) / 100);
    crop_imm(image, width * left / 100, height * top / 100, kept_width, kept_height).to_image()
}

fn copies(image: &RgbImage) -> Vec<RgbImage> {
    vec![
        recompressed(image, 60),
        recompressed(image, 30),
        resize(image, image.width() / 2, image.height() / 2),
        recompressed(&resize(image, image.width() * 3 / 4, image.height() * 3 / 4), 80),
        trimmed(image, [5, 5, 5, 5]),
        trimmed(image, [5, 0, 0, 0]),
        recompressed(&trimmed(image, [0, 0, 5, 5]), 80),
    ]
}

fn observed(number: usize, image: &RgbImage) -> Observed {
    let observation = Observation {
        kind: Kind::Photorealistic,
        quality: 8,
        flags: Vec::new(),
        reason: String::new(),
        content: Content::default(),
    };
    let (filename, facts) = (format!("a_{number}.jpg"), measure(&number.to_le_bytes(), image));
    Observed { filename, observation, facts, origin: Origin::Uploaded, pinned: false }
}

fn prepared(image: &RgbImage) -> Comparable {
    Comparable::of(&shrink(image, PREVIEW_SIDE))
}

fn compared(one: &RgbImage, other: &RgbImage) -> Resemblance {
    prepared(one).compare(&prepared(other))
}

fn is_nominated(one: &RgbImage, other: &RgbImage) -> bool {
    !nominate(&[observed(1, one), observed(2, other)]).is_empty()
}

/// The number of pairs of these different pictures that are taken for the same picture.
fn confused(pictures: &[RgbImage]) -> usize {
    let prepared: Vec<_> = pictures.iter().map(prepared).collect();
    let observed: Vec<_> = pictures.iter().enumerate().map(|(number, picture)| observed(number, picture)).collect();
    let pairs = (0..pictures.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
    let nominated =
        pairs.filter(|&(one, other)| !nominate(&[observed[one].clone(), observed[other].clone()]).is_empty());
    nominated.filter(|&(one, other)| prepared[one].compare(&prepared[other]) == Resemblance::SamePicture).count()
}

/// The figure in two poses before the same scene, as in a burst of photographs.
fn burst(seed: u32) -> [RgbImage; 2] {
    [seed, seed + 1].map(|pose| figure(scene(seed), pose, 20, FIGURE_INK))
}

#[test]
#[allow(clippy::print_stdout, reason = "it states the precision and the recall")]
fn precision_and_recall_of_near_duplicates() {
    let originals: Vec<_> = originals().into_iter().chain(drawings()).collect();
    let (mut found, mut missed) = (0, 0);
    for original in &originals {
        let (facts, picture) = (observed(1, original), prepared(original));
        for copy in copies(original) {
            let is_nominated = !nominate(&[facts.clone(), observed(2, &copy)]).is_empty();
            let is_found = is_nominated && picture.compare(&prepared(&copy)) == Resemblance::SamePicture;
            *(if is_found { &mut found } else { &mut missed }) += 1;
        }
    }
    let wrong = confused(&originals) + (0..12).filter(|&seed| confused(&burst(seed)) > 0).count();
    let (precision, recall) =
        (f64::from(found) / (found as usize + wrong) as f64, f64::from(found) / f64::from(found + missed));
    println!("{} originals, {} copies: precision {precision:.4}, recall {recall:.4}", originals.len(), found + missed);
    assert_eq!(wrong, 0, "different pictures were taken for the same one");
    assert!(recall >= 0.98, "{missed} of {} copies were missed", found + missed);
}

#[test]
fn figure_in_another_pose_is_another_picture() {
    for seed in 0..12 {
        let [one, other] = burst(seed);
        assert!(is_nominated(&one, &other), "the hash distinguishes the poses of {seed}");
        assert_eq!(compared(&one, &other), Resemblance::Different, "{seed}");
    }
}

#[test]
fn line_drawings_are_different_though_hashes_agree() {
    let drawings = &drawings()[..12];
    let pairs = (0..12).flat_map(|one| (0..one).map(move |other| (one, other)));
    let nominated = pairs.filter(|&(one, other)| is_nominated(&drawings[one], &drawings[other])).count();
    assert_eq!((nominated, confused(drawings)), (66, 0));
}

#[test]
fn clothing_of_another_colour_is_another_picture() {
    for seed in 0..6 {
        let dressed = |ink| figure(scene(seed), seed, 20, ink);
        // Both inks are equally bright.
        let (one, other) = (dressed([200, 60, 60]), dressed([60, 110, 155]));
        assert_eq!(compared(&one, &other), Resemblance::Different, "{seed}");
    }
}

#[test]
fn head_of_another_real_person_is_another_picture() {
    let is_portrait = |image: &real_data::LabelledImage| image.name.as_str() >= "029";
    let portraits: Vec<RgbImage> = real_data::labelled_images()
        .into_iter()
        .filter(is_portrait)
        .map(|image| decode(&std::fs::read(image.path).unwrap()).unwrap())
        .collect();
    for (one, other) in portraits.iter().zip(portraits.iter().skip(1)) {
        let mut swapped = one.clone();
        let (width, height) = (one.width() as f32, one.height() as f32);
        for (x, y, pixel) in swapped.enumerate_pixels_mut() {
            let (dx, dy) = (x as f32 / width - 0.5, y as f32 / height - 0.16);
            if (dx / 0.07) * (dx / 0.07) + (dy / 0.07) * (dy / 0.07) < 1.0 {
                *pixel = *other.get_pixel(x.min(other.width() - 1), y.min(other.height() - 1));
            }
        }
        assert_eq!(compared(one, &swapped), Resemblance::Different);
    }
}

#[test]
fn mirrored_copy_is_recognised_as_mirrored() {
    for original in originals() {
        let mirrored = recompressed(&flip_horizontal(&original), 70);
        assert!(is_nominated(&original, &mirrored));
        assert_eq!(compared(&original, &mirrored), Resemblance::Mirrored);
    }
}

#[test]
fn tiny_and_plain_pictures_can_be_compared() {
    let plain = |width, height| RgbImage::from_pixel(width, height, Rgb([90; 3]));
    for other in [plain(1, 1), plain(1, 500), plain(512, 2), plain(64, 64)] {
        assert_eq!(compared(&plain(64, 64), &other), Resemblance::Different);
    }
}
