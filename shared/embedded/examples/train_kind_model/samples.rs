//! Reads the labelled folder, and makes the variants of its pictures that are training data.

use std::error::Error;
use std::io::Cursor;
use std::path::Path;

use domain::kind::Kind;
use embedded::vision::features::{COUNT, Features};
use embedded::vision::plane::scale;
use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::filters::{in_rgb, stylized};

/// The number of altered copies of every picture.
const VARIANTS: usize = 24;
/// The number of times that every filter is applied to every photograph.
const FILTER_ROUNDS: usize = 2;
/// The weight of a filtered photograph: lower than that of a drawing by an artist or a diffusion model.
const FILTERED_WEIGHT: f32 = 0.25;

pub(crate) struct Sample {
    /// The index of the original picture. A fold omits a picture with all its variants.
    pub(crate) source: usize,
    pub(crate) kind: Kind,
    pub(crate) features: [f32; COUNT],
    pub(crate) weight: f32,
    pub(crate) origin: Origin,
}

/// A labelled picture of the folder.
pub(crate) struct Picture {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The picture, at most 512 pixels a side.
    pub(crate) image: RgbImage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An unchanged picture of the folder.
    Real,
    /// A cropped, resized and recompressed picture of the folder.
    Altered,
    /// A photograph without its colour.
    Grayscale,
    /// A filtered photograph.
    Filtered,
}

/// The pictures of a folder with their kinds, in the order of their names (`NNN_kind.jpg`).
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Picture>, Box<dyn Error>> {
    let mut paths =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    let mut pictures = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let kind = Kind::ALL.into_iter().find(|kind| name.ends_with(&format!("_{kind}")));
        if let Some(kind) = kind {
            let image = shrunk(&image::open(&path)?.to_rgb8(), 512);
            pictures.push(Picture { name, kind, image });
        }
    }
    Ok(pictures)
}

/// All samples made from one picture.
pub(crate) fn samples(source: usize, kind: Kind, picture: &RgbImage) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(source as u64);
    let sample = |kind, image: &RgbImage, weight, origin| Sample {
        source,
        kind,
        features: Features::measure(image).to_array(),
        weight,
        origin,
    };
    let mut samples = vec![sample(kind, picture, 1.0, Origin::Real)];
    for _ in 0..VARIANTS {
        let image = altered(picture, kind, &mut rng)?;
        samples.push(sample(kind, &image, 1.0, Origin::Altered));
    }
    if kind == Kind::Photorealistic {
        for _ in 0..FILTER_ROUNDS {
            let gray = in_rgb(&imageops::grayscale(&altered(picture, kind, &mut rng)?));
            samples.push(sample(kind, &gray, FILTERED_WEIGHT, Origin::Grayscale));
            let base = altered(picture, kind, &mut rng)?;
            for (kind, image) in stylized(&base, &mut rng) {
                let image = recompressed(&image, rng.random_range(70..96))?;
                samples.push(sample(kind, &image, FILTERED_WEIGHT, Origin::Filtered));
            }
        }
    }
    Ok(samples)
}

/// A cropped, resized and recompressed copy with other light, possibly mirrored or blurred.
fn altered(picture: &RgbImage, kind: Kind, rng: &mut ChaCha8Rng) -> Result<RgbImage, image::ImageError> {
    let mut image = cropped(picture, rng);
    if rng.random_bool(0.5) {
        imageops::flip_horizontal_in_place(&mut image);
    }
    image = shrunk(&image, rng.random_range(128..513));
    let gain = rng.random_range(0.75..1.2_f32);
    let tint = if kind == Kind::BwStylized { paper(rng) } else { [1.0; 3] };
    for pixel in image.pixels_mut() {
        for (value, tint) in pixel.0.iter_mut().zip(tint) {
            *value = (f32::from(*value) * gain * tint).min(255.0) as u8;
        }
    }
    if rng.random_bool(0.3) {
        image = imageops::blur(&image, rng.random_range(0.3..1.0));
    }
    recompressed(&image, rng.random_range(50..96))
}

/// The colour of paper: usually white, otherwise slightly yellowed.
fn paper(rng: &mut ChaCha8Rng) -> [f32; 3] {
    let age = if rng.random_bool(0.6) { 0.0 } else { rng.random_range(0.0..0.12) };
    [1.0, 1.0 - age / 2.0, 1.0 - age]
}

/// At least seven tenths of each side.
fn cropped(picture: &RgbImage, rng: &mut ChaCha8Rng) -> RgbImage {
    let mut side = |length: u32| {
        let kept = (length as f32 * rng.random_range(0.7..1.0)) as u32;
        (rng.random_range(0..=length - kept), kept)
    };
    let (left, width) = side(picture.width());
    let (top, height) = side(picture.height());
    imageops::crop_imm(picture, left, top, width, height).to_image()
}

/// At most `longest` pixels on the longer side.
fn shrunk(picture: &RgbImage, longest: u32) -> RgbImage {
    let factor = longest as f32 / picture.width().max(picture.height()) as f32;
    scale(picture, factor.min(1.0))
}

fn recompressed(image: &RgbImage, quality: u8) -> Result<RgbImage, image::ImageError> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(Cursor::new(&mut bytes), quality))?;
    Ok(image::load_from_memory(&bytes)?.to_rgb8())
}
