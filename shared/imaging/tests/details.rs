//! The measurements of full-size images, and the limits that follow from them.
#![allow(clippy::unwrap_used, reason = "that is how a test fails")]

mod drawings;

use domain::facts::{Details, Facts};
use domain::kind::Kind;
use domain::limits::QualityLimits;
use domain::limits::measured::{of_bars, of_blocks, of_sharpness};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, blur, overlay, resize};
use image::{Rgb, RgbImage};
use imaging::{decode, measure};

use drawings::{FIGURE_INK, figure, line_drawing, scene};

fn facts(image: &RgbImage) -> Facts {
    measure(b"", image)
}

fn details(image: &RgbImage) -> Details {
    facts(image).details.unwrap()
}

fn recompressed(image: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
    decode(&bytes).unwrap()
}

/// A thumbnail of the image, enlarged to the image's size.
fn enlarged(image: &RgbImage, times: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let thumbnail = resize(image, width / times, height / times, FilterType::Triangle);
    resize(&thumbnail, width, height, FilterType::CatmullRom)
}

fn photograph_limit(image: &RgbImage) -> Option<u8> {
    of_sharpness(&facts(image), Kind::Photorealistic, &QualityLimits::default()).map(|limit| limit.most)
}

/// The picture between bars of this colour, each a tenth of the height.
fn letterboxed(image: &RgbImage, bar: u8) -> RgbImage {
    let mut framed = RgbImage::from_pixel(image.width(), image.height() * 5 / 4, Rgb([bar; 3]));
    overlay(&mut framed, image, 0, i64::from(image.height() / 8));
    framed
}

#[test]
fn real_images_have_no_measured_fault() {
    for image in real_data::labelled_images() {
        let facts = facts(&decode(&std::fs::read(&image.path).unwrap()).unwrap());
        let limits = QualityLimits::default();
        let limits = [of_sharpness(&facts, image.kind, &limits), of_bars(&facts, &limits), of_blocks(&facts, &limits)];
        assert_eq!(limits, [None, None, None], "{}: {facts:?}", image.name);
    }
}

#[test]
fn blurred_and_enlarged_photographs_are_limited() {
    let real = real_data::labelled_images().into_iter().filter(|image| image.kind == Kind::Photorealistic);
    let real = real.map(|image| decode(&std::fs::read(image.path).unwrap()).unwrap());
    for picture in real.chain((0..4).map(scene)) {
        assert_eq!(photograph_limit(&blur(&picture, 2.5)), Some(4));
        assert_eq!(photograph_limit(&enlarged(&picture, 6)), Some(4));
        assert!(photograph_limit(&enlarged(&picture, 4)).is_some());
        assert_eq!(photograph_limit(&picture), None);
    }
}

#[test]
fn sharp_subject_before_a_soft_background_is_sharp() {
    let soft = blur(&scene(1), 8.0);
    assert_eq!(photograph_limit(&soft), Some(4));
    assert_eq!(photograph_limit(&figure(soft, 1, 20, FIGURE_INK)), None);
}

#[test]
fn dark_and_noisy_photograph_is_not_blurry() {
    let mut dark = scene(2);
    for pixel in dark.pixels_mut() {
        *pixel = Rgb(pixel.0.map(|level| level / 5));
    }
    assert_eq!(photograph_limit(&dark), None);
}

#[test]
fn large_photograph_is_measured_at_the_trained_size() {
    let picture = scene(3);
    let large = resize(&picture, picture.width() * 4, picture.height() * 4, FilterType::CatmullRom);
    let [large, original] = [&large, &picture].map(|image| details(image).edge_width.unwrap());
    assert!(large < original + 15, "{large}, {original}");
}

#[test]
fn bars_of_both_colours_and_directions_are_measured() {
    let picture = scene(4);
    for bar in [0, 255] {
        let framed = recompressed(&letterboxed(&picture, bar), 85);
        let upright = image::imageops::rotate90(&framed);
        for framed in [framed, upright] {
            let percent = details(&framed).bars_percent;
            assert!((18..=20).contains(&percent), "{percent} %");
        }
    }
    assert_eq!(details(&picture).bars_percent, 0);
}

#[test]
fn paper_around_a_drawing_is_no_bar() {
    for number in 0..8 {
        assert_eq!(details(&line_drawing(number)).bars_percent, 0);
    }
    assert_eq!(details(&RgbImage::from_pixel(64, 64, Rgb([0; 3]))).bars_percent, 0, "nothing is framed");
}

#[test]
fn sharp_edges_of_flat_pictures_are_no_blocks() {
    let corner = RgbImage::from_fn(800, 600, |x, y| Rgb([if x < 240 || y < 160 { 40 } else { 220 }; 3]));
    let tiles = RgbImage::from_fn(768, 768, |x, y| Rgb([((x / 48 * 7 + y / 48 * 13) % 11 * 23) as u8; 3]));
    for picture in [corner, tiles] {
        assert_eq!(of_blocks(&facts(&picture), &QualityLimits::default()), None, "{:?}", details(&picture));
    }
}

#[test]
fn blocks_are_visible_only_at_low_quality() {
    for seed in 0..6 {
        let limit = |quality| of_blocks(&facts(&recompressed(&scene(seed), quality)), &QualityLimits::default());
        assert!(limit(5).is_some(), "{seed}");
        assert_eq!((limit(50), limit(75), limit(95)), (None, None, None), "{seed}");
    }
}

#[test]
fn tiny_images_can_be_measured() {
    for (width, height) in [(1, 1), (1, 40), (40, 1), (7, 9), (23, 24), (25, 25)] {
        let measured = details(&RgbImage::from_pixel(width, height, Rgb([128; 3])));
        assert_eq!(measured, Details { edge_width: None, bars_percent: 0, blockiness: 0 }, "{width}x{height}");
    }
}
