//! The sample's files: a base image, and a training set that is out of balance.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::kind::Kind;
use embedded::generator::draw;
use image::{ImageError, RgbImage};
use thiserror::Error;

use super::faults;
use super::render::{Shot, render};
use super::setting::Setting;
use super::shots::{BASE, BLURRED, DARK, PASSPORT, PHOTOGRAPHS, SITTINGS};

/// The sample actor's id, which says what it is.
pub const ACTOR_ID: &str = "demo_robotic_scout";

/// Size of the base image, in pixels.
const BASE_SIZE: (u32, u32) = (720, 960);
/// Size of photographs, in pixels.
const PHOTOGRAPH_SIZE: (u32, u32) = (960, 540);
/// JPEG quality of the training images, and of a picture that has been saved once more.
const QUALITY: u8 = 93;
const SAVED_AGAIN: u8 = 82;

/// What a training image is.
#[derive(Debug, Clone, Copy)]
enum Content {
    /// One of [`PHOTOGRAPHS`].
    Photograph(usize),
    /// One of [`SITTINGS`], drawn or painted.
    Drawing(usize, Kind, &'static str),
    /// One of [`BLURRED`], out of focus by so many pixels.
    OutOfFocus(usize, f32),
    /// [`DARK`], by so many stops.
    Underexposed(f32),
    /// The character in the middle, looking into the camera.
    Passport,
    /// The same file as that of one of [`PHOTOGRAPHS`].
    ExactCopy(usize),
    /// One of [`PHOTOGRAPHS`], trimmed by so many pixels and saved again.
    NearCopy(usize, u32),
}

use Content::{Drawing, ExactCopy, NearCopy, OutOfFocus, Passport, Photograph, Underexposed};
use Kind::{BwStylized, ColorStylized};

/// The training images in the order of their numbers, which start at 1. Of twenty wanted images thirteen are to be
/// photographs, four drawings without colour and three in colour; here are nine, one and five that are sound.
const CONTENTS: [Content; 21] = [
    Photograph(0),
    Drawing(0, ColorStylized, "Comic book panel of a city street at night, bold dark outlines and flat colors"),
    Photograph(1),
    OutOfFocus(0, 5.0),
    Photograph(3),
    Drawing(1, ColorStylized, "Watercolor painting, wet washes on rough paper"),
    Photograph(2),
    ExactCopy(1),
    Passport,
    Photograph(4),
    Drawing(2, BwStylized, "Pencil drawing, fine hatching"),
    Drawing(3, ColorStylized, "Comic book panel of a desert, bold dark outlines and saturated flat colors"),
    Underexposed(5.5),
    Photograph(5),
    Photograph(6),
    Drawing(4, ColorStylized, "Gouache painting of a sunny garden, opaque matte strokes"),
    NearCopy(4, 6),
    OutOfFocus(1, 7.0),
    Photograph(7),
    Drawing(5, ColorStylized, "Digital painting of a mountain valley at sunrise, luminous mist"),
    Photograph(8),
];

/// Where the sample's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The base image.
    pub base: PathBuf,
    /// The training images, by number.
    pub training: Vec<PathBuf>,
}

/// Why the sample could not be written.
#[derive(Debug, Error)]
pub enum SampleError {
    /// A folder or file could not be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A picture could not be encoded.
    #[error("cannot encode {path}: {source}", path = path.display())]
    Encode {
        /// The file it was meant for.
        path: PathBuf,
        /// The reason.
        source: ImageError,
    },
}

/// Writes the sample actor's folder into `dir`: `{actor}/base_image/{actor}_base.png` and
/// `{actor}/training_data/{actor}_{n}.jpg`. Files of the same names are replaced.
pub fn write_sample(dir: &Path) -> Result<Sample, SampleError> {
    write_scaled(dir, 1.0)
}

/// The same with every picture `scale` times as wide and high, since tests have no time for large ones.
pub fn write_scaled(dir: &Path, scale: f32) -> Result<Sample, SampleError> {
    let actor = dir.join(ACTOR_ID);
    let base = actor.join("base_image").join(format!("{ACTOR_ID}_base.png"));
    create_parent(&base)?;
    take(&BASE, 0, BASE_SIZE, scale)
        .save(&base)
        .map_err(|source| SampleError::Encode { path: base.clone(), source })?;

    let photographs = PHOTOGRAPHS.each_ref().map(|shot| take(shot, 1, PHOTOGRAPH_SIZE, scale));
    let mut training = Vec::with_capacity(CONTENTS.len());
    for (number, content) in (1..).zip(CONTENTS) {
        let path = actor.join("training_data").join(format!("{ACTOR_ID}_{number}.jpg"));
        let file = encode(content, &photographs, scale)
            .map_err(|source| SampleError::Encode { path: path.clone(), source })?;
        create_parent(&path)?;
        fs::write(&path, file).map_err(|source| SampleError::Write { path: path.clone(), source })?;
        training.push(path);
    }
    Ok(Sample { base, training })
}

fn create_parent(path: &Path) -> Result<(), SampleError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|source| SampleError::Write { path: folder.to_owned(), source })
}

/// The JPEG file of a training image.
fn encode(content: Content, photographs: &[RgbImage], scale: f32) -> Result<Vec<u8>, ImageError> {
    let picture = match content {
        Photograph(index) | ExactCopy(index) => return faults::jpeg(&photographs[index], QUALITY),
        Drawing(index, kind, prompt) => {
            let sitting = &SITTINGS[index];
            let size = if sitting.setting == Setting::Studio { BASE_SIZE } else { PHOTOGRAPH_SIZE };
            let seed = 5 + index as u64;
            draw(&take(sitting, seed, size, scale), kind, prompt, seed)
        }
        OutOfFocus(index, sigma) => {
            faults::out_of_focus(&take(&BLURRED[index], 2, PHOTOGRAPH_SIZE, scale), sigma * scale)
        }
        Underexposed(stops) => faults::underexposed(&take(&DARK, 3, PHOTOGRAPH_SIZE, scale), stops),
        Passport => take(&PASSPORT, 4, PHOTOGRAPH_SIZE, scale),
        NearCopy(index, margin) => {
            return faults::jpeg(&faults::trimmed(&photographs[index], margin), SAVED_AGAIN);
        }
    };
    faults::jpeg(&picture, QUALITY)
}

fn take(shot: &Shot, seed: u64, size: (u32, u32), scale: f32) -> RgbImage {
    let scaled = |length: u32| (length as f32 * scale) as u32;
    render(shot, seed, scaled(size.0), scaled(size.1))
}
