//! Pictures that encode their kind and quality, readable from a grid or a single image.
//!
//! The middle of the picture is a field of 4×4 squares, lit or dark. The colour of the lit squares encodes the kind.
//! Their pattern encodes the quality and the variant, with one square for odd parity. Around the field lie grey blocks
//! whose pattern depends on the variant, so that no two variants have similar perceptual hashes.

use domain::kind::Kind;
use image::{Rgb, RgbImage};
use imaging::encode_jpeg;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pixels along a side.
pub const SIDE: u32 = 768;

/// The number of variants of each kind and quality, which start at 0.
pub const VARIANTS: u32 = 1 << VARIANT_BITS;

const BLOCKS: u32 = 16;
/// The distance of the pattern from the grid of JPEG's blocks, in pixels: otherwise its edges would look like strong
/// compression.
const OFFSET: u32 = 3;
const SQUARES: u32 = 4;
const QUALITY_BITS: u32 = 4;
const VARIANT_BITS: u32 = SQUARES * SQUARES - QUALITY_BITS - 1;
const PARITY: u32 = 1 << (QUALITY_BITS + VARIANT_BITS);

/// The decoded content of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    pub kind: Kind,
    /// From 1 to 10.
    pub quality: u8,
    /// Distinguishes pictures of one kind and quality.
    pub variant: u32,
}

/// A picture of this kind and quality as a JPEG file, different for each of the [`VARIANTS`].
#[must_use]
pub fn coded_picture(kind: Kind, quality: u8, variant: u32) -> Vec<u8> {
    encode_jpeg(&coded_image(Code { kind, quality, variant })).unwrap()
}

/// The pixels of a coded picture.
#[must_use]
pub fn coded_image(code: Code) -> RgbImage {
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(code.variant) << 8 | code.kind as u64);
    let greys: Vec<u8> = (0..BLOCKS * BLOCKS).map(|_| random.random()).collect();
    let pattern = pattern(code);
    RgbImage::from_fn(SIDE, SIDE, |x, y| match square_at(x + OFFSET, y + OFFSET) {
        Some(square) if pattern & (1 << square) != 0 => Rgb(colour(code.kind)),
        Some(_) => Rgb([0; 3]),
        None => Rgb([greys[(block_at(y) * BLOCKS + block_at(x)) as usize]; 3]),
    })
}

/// The row or column of the block at a pixel.
fn block_at(pixel: u32) -> u32 {
    ((pixel + OFFSET) * BLOCKS / SIDE).min(BLOCKS - 1)
}

/// Decodes a picture of any size; `None` if it is not a legible coded picture.
#[must_use]
pub fn read_code(picture: &RgbImage) -> Option<Code> {
    let mut lit = Vec::new();
    let mut pattern = 0;
    for square in 0..SQUARES * SQUARES {
        let [red, green, blue] = middle_of(picture, square);
        let kind = match ([red, green, blue].map(|value| value > 150), [red, green, blue].map(|value| value < 100)) {
            (_, [true, true, true]) => continue,
            ([true, _, _], [_, true, true]) => Kind::Photorealistic,
            ([_, true, _], [true, _, true]) => Kind::BwStylized,
            ([_, _, true], [true, true, _]) => Kind::ColorStylized,
            _ => return None,
        };
        pattern |= 1 << square;
        lit.push(kind);
    }
    let kind = *lit.first()?;
    let quality = u8::try_from(pattern & ((1 << QUALITY_BITS) - 1)).unwrap();
    let variant = (pattern & !PARITY) >> QUALITY_BITS;
    let is_sound = lit.iter().all(|&other| other == kind) && lit.len() % 2 == 1 && (1..=10).contains(&quality);
    is_sound.then_some(Code { kind, quality, variant })
}

fn pattern(code: Code) -> u32 {
    assert!((1..=10).contains(&code.quality) && code.variant < VARIANTS, "{code:?}");
    let pattern = u32::from(code.quality) | code.variant << QUALITY_BITS;
    if pattern.count_ones().is_multiple_of(2) { pattern | PARITY } else { pattern }
}

const fn colour(kind: Kind) -> [u8; 3] {
    match kind {
        Kind::Photorealistic => [235, 30, 30],
        Kind::BwStylized => [30, 235, 30],
        Kind::ColorStylized => [30, 30, 235],
    }
}

/// The square at a pixel of the middle half.
fn square_at(x: u32, y: u32) -> Option<u32> {
    let place = |at: u32| (SIDE / 4..SIDE * 3 / 4).contains(&at).then(|| (at - SIDE / 4) * SQUARES * 2 / SIDE);
    Some(place(y)? * SQUARES + place(x)?)
}

/// The mean colour of a square, away from its edges.
fn middle_of(picture: &RgbImage, square: u32) -> [u32; 3] {
    let side = |length: u32, place: u32| {
        let width = length as f32 / (SQUARES * 2) as f32;
        let start = length as f32 / 4.0 + place as f32 * width;
        (start + width * 0.3) as u32..(start + width * 0.7).ceil() as u32
    };
    let (columns, rows) = (side(picture.width(), square % SQUARES), side(picture.height(), square / SQUARES));
    let mut sums = [0_u32; 3];
    for (x, y) in rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y))) {
        let Rgb(pixel) = picture.get_pixel(x, y);
        (0..3).for_each(|channel| sums[channel] += u32::from(pixel[channel]));
    }
    sums.map(|sum| sum / (columns.len() * rows.len()) as u32)
}
