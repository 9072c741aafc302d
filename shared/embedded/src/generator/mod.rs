//! The embedded generator: an offline stand-in for a paid image model.
//!
//! It adds nothing to the actor. If the backdrop of the base image is plain, the generator cuts out the figure, frames
//! it off-center with a tilted virtual camera, places it in front of painted scenery that follows the words of the
//! prompt, and finishes the picture as a photograph, a black-and-white drawing or a painting. It crops a base image
//! that has a scene of its own.

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

/// The width of every generated picture, in pixels.
pub const WIDTH: u32 = 1024;
/// The height of every generated picture, in pixels: 16:9.
pub const HEIGHT: u32 = 576;

/// Generates one picture of [`WIDTH`] × [`HEIGHT`] pixels from a base image.
///
/// The same base image, kind, prompt and seed give the same picture, byte for byte. The words of the prompt determine
/// the place, the time of day and the technique, and the seed everything else. Black-and-white pictures have equal
/// channels.
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

/// The random numbers of one picture, seeded by all inputs except the base image.
fn rng_for(kind: Kind, prompt: &str, seed: u64) -> ChaCha8Rng {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(kind.to_string())
        .chain_update([0])
        .chain_update(prompt)
        .finalize();
    ChaCha8Rng::from_seed(digest.into())
}

#[cfg(test)]
mod tests;
