//! The embedded image generator: an offline stand-in for a paid image model.
//!
//! It invents nothing about the actor. The figure is cut out of the base image when its backdrop is plain,
//! framed off-center by a tilted virtual camera, set in front of painted scenery that follows the words of
//! the prompt, and finished as a photograph, a black-and-white drawing or a painting. A base image with a
//! scene of its own keeps that scene and is cropped instead.

mod brief;
mod carved;
mod colour;
mod drawn;
mod dry_media;
mod flat_colour;
mod flat_gray;
mod framing;
mod lines;
mod painterly;
mod photographic;
mod scenery;
mod shot;
mod subject;
mod texture;
mod tone;

use domain::kind::Kind;
use image::{DynamicImage, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use brief::Brief;

/// Width of every generated picture, in pixels.
pub const WIDTH: u32 = 1024;
/// Height of every generated picture, in pixels: 16:9.
pub const HEIGHT: u32 = 576;

/// Makes one picture of the given kind from a base image.
///
/// The same base image, kind, prompt and seed give the same picture, byte for byte. Place, time of day and
/// technique follow from the words of the prompt; what the prompt leaves open follows from the seed. The
/// picture is [`WIDTH`] × [`HEIGHT`] pixels; black-and-white pictures have equal channels.
#[must_use]
pub fn draw(base: &RgbImage, kind: Kind, prompt: &str, seed: u64) -> RgbImage {
    let mut rng = rng_for(kind, prompt, seed);
    let brief = Brief::read(kind, prompt, &mut rng);
    let shot = shot::take(base, &brief, &mut rng);
    match brief.medium {
        brief::Medium::Photograph => photographic::develop(&shot, &brief, &mut rng),
        brief::Medium::Bw(technique) => {
            let gray = match technique {
                brief::Bw::PenAndInk | brief::Bw::Etching | brief::Bw::Manga => drawn::draw(&shot, technique, &mut rng),
                brief::Bw::Woodcut | brief::Bw::Linocut | brief::Bw::Scratchboard => {
                    carved::carve(&shot, technique, &mut rng)
                }
                brief::Bw::Pencil | brief::Bw::Charcoal | brief::Bw::Conte => {
                    dry_media::rub(&shot, technique, &mut rng)
                }
                brief::Bw::Vector | brief::Bw::CutPaper => flat_gray::cut(&shot, technique, &mut rng),
            };
            DynamicImage::ImageLuma8(gray).into_rgb8()
        }
        brief::Medium::Color(technique) => colour::paint(&shot, technique, &mut rng),
    }
}

/// The random numbers of one picture, seeded by everything the caller chose except the base image.
fn rng_for(kind: Kind, prompt: &str, seed: u64) -> ChaCha8Rng {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(kind.as_str())
        .chain_update([0])
        .chain_update(prompt)
        .finalize();
    ChaCha8Rng::from_seed(digest.into())
}

#[cfg(test)]
mod tests;
