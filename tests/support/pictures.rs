//! Pictures for sets, drawn by the embedded generator and assessed by the embedded vision model.

use std::sync::LazyLock;

use domain::assessment::Observation;
use domain::kind::Kind;
use domain::prompts::Library;
use embedded::generator::draw;
use embedded::vision::EmbeddedVision;
use image::{Rgb, RgbImage, imageops};
use imaging::{PREVIEW_SIDE, decode, encode_jpeg, measure, shrink};

/// The quality floor of the template.
pub const QUALITY_FLOOR: u8 = 5;

/// The perceptual hashes of pictures that look different differ in more bits.
const ALIKE: u32 = 26;

/// A picture of known kind above the quality floor.
#[derive(Debug, Clone)]
pub struct Picture {
    pub kind: Kind,
    pub image: RgbImage,
    /// The picture as a JPEG file.
    pub jpeg: Vec<u8>,
}

/// A figure before a softly lit wall: the actor of these tests.
#[must_use]
pub fn base_image() -> RgbImage {
    RgbImage::from_fn(450, 600, |x, y| {
        let (dx, dy) = (x as f32 - 225.0, y as f32 - 120.0);
        let grain = ((x * 7919 + y * 104_729) % 13) as u8;
        let wall = 150 + (y / 24) as u8;
        match () {
            () if (dx * dx + dy * dy).sqrt() < 54.0 => Rgb([212 + grain, 160 + grain, 130 + (y / 8) as u8]),
            () if dx.abs() < 90.0 && (168..570).contains(&y) => Rgb([30 + (x / 8) as u8 + grain, 60 + grain, 120]),
            () => Rgb([wall, wall - 8, wall - 20]),
        }
    })
}

/// The base image as a JPEG file.
#[must_use]
pub fn base_jpeg() -> Vec<u8> {
    encode_jpeg(&base_image()).unwrap()
}

/// This many different pictures that are assessed as this kind.
#[must_use]
pub fn good(kind: Kind, count: usize) -> Vec<Picture> {
    static PHOTOREALISTIC: LazyLock<Vec<Picture>> = LazyLock::new(|| accepted(Kind::Photorealistic, 5));
    static BW_STYLIZED: LazyLock<Vec<Picture>> = LazyLock::new(|| accepted(Kind::BwStylized, 3));
    static COLOR_STYLIZED: LazyLock<Vec<Picture>> = LazyLock::new(|| accepted(Kind::ColorStylized, 3));
    let pictures = match kind {
        Kind::Photorealistic => &PHOTOREALISTIC,
        Kind::BwStylized => &BW_STYLIZED,
        Kind::ColorStylized => &COLOR_STYLIZED,
    };
    assert!(count <= pictures.len(), "only {} pictures of {kind} are drawn", pictures.len());
    pictures[..count].to_vec()
}

/// Pictures that are a balanced set of six: 4 photorealistic, 1 black-and-white and 1 colour stylized.
#[must_use]
pub fn full_set() -> Vec<Picture> {
    [good(Kind::Photorealistic, 4), good(Kind::BwStylized, 1), good(Kind::ColorStylized, 1)].concat()
}

/// The same with two black-and-white images too many: one plan balances the set, whatever the generator draws.
#[must_use]
pub fn too_full_set() -> Vec<Picture> {
    [full_set(), good(Kind::BwStylized, 3).split_off(1)].concat()
}

/// A picture that is out of focus, far below the quality floor for every kind.
#[must_use]
pub fn blurred() -> Vec<u8> {
    static BLURRED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let jpeg = encode_jpeg(&imageops::blur(&good(Kind::Photorealistic, 1)[0].image, 9.0)).unwrap();
        assert!(observe(&jpeg).quality < QUALITY_FLOOR);
        jpeg
    });
    BLURRED.clone()
}

/// The embedded vision model's observation of a file.
#[must_use]
pub fn observe(file: &[u8]) -> Observation {
    static VISION: LazyLock<EmbeddedVision> = LazyLock::new(|| EmbeddedVision::new().unwrap());
    VISION.observe(&shrink(&decode(file).unwrap(), PREVIEW_SIDE))
}

fn accepted(kind: Kind, count: usize) -> Vec<Picture> {
    let mut pictures: Vec<Picture> = Vec::new();
    let mut facts = Vec::new();
    // A plan is unlikely to use this seed for the same prompt.
    for prompt in Library::built_in().of_kind(kind) {
        let image = draw(&base_image(), kind, &prompt.render("person"), u64::MAX);
        let jpeg = encode_jpeg(&image).unwrap();
        let seen = observe(&jpeg);
        let measured = measure(&jpeg, &decode(&jpeg).unwrap());
        let is_new = !facts.iter().any(|other| measured.hash_distance(other).unwrap() <= ALIKE);
        if seen.kind == kind && seen.quality >= QUALITY_FLOOR && is_new {
            pictures.push(Picture { kind, image, jpeg });
            facts.push(measured);
        }
        if pictures.len() == count {
            break;
        }
    }
    pictures
}
