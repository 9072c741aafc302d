//! Pictures that the tests draw themselves, so that they need no files.

use std::sync::LazyLock;

use domain::kind::Kind;
use domain::prompts::Library;
use embedded::generator::draw;
use embedded::vision::EmbeddedVision;
use image::{Rgb, RgbImage};
use imaging::{PREVIEW_SIDE, decode, encode_jpeg, shrink};

/// The default floor.
const QUALITY_FLOOR: u8 = 5;

/// A base image: a figure in front of a wall.
pub(crate) fn base() -> RgbImage {
    RgbImage::from_fn(300, 400, |x, y| {
        let (dx, dy) = (x as f32 - 150.0, y as f32 - 80.0);
        let wall = 150 + (y / 16) as u8;
        match () {
            () if (dx * dx + dy * dy).sqrt() < 36.0 => Rgb([224, 170, 140]),
            () if dx.abs() < 60.0 && (112..380).contains(&y) => Rgb([30 + (x / 6) as u8, 60, 120]),
            () => Rgb([wall, wall - 8, wall - 20]),
        }
    })
}

/// Different good JPEG files of one kind, which the embedded model recognises. They are drawn once for all tests.
pub(crate) fn drawn(kind: Kind) -> &'static [Vec<u8>] {
    static DRAWN: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| Kind::ALL.into_iter().map(draw_some).collect());
    &DRAWN[Kind::ALL.iter().position(|&other| other == kind).unwrap()]
}

fn draw_some(kind: Kind) -> Vec<Vec<u8>> {
    let vision = EmbeddedVision::new().unwrap();
    // The model may see another kind in the file than in the picture that it is made from.
    let is_good = |jpeg: &Vec<u8>| {
        let seen = vision.observe(&shrink(&decode(jpeg).unwrap(), PREVIEW_SIDE));
        seen.kind == kind && seen.quality > QUALITY_FLOOR
    };
    let scenes = Library::built_in().of_kind(kind);
    let drawn = scenes.map(|scene| draw(&base(), kind, &scene.render("woman"), 1));
    drawn.map(|picture| encode_jpeg(&picture).unwrap()).filter(is_good).take(6).collect()
}

/// A small picture that differs for each number.
pub(crate) fn plain(number: u32) -> RgbImage {
    let shade = |step: u32| (number * step % 200) as u8;
    RgbImage::from_fn(96, 80, |x, y| Rgb([shade(37) + (x / 2) as u8, shade(71) + (y / 2) as u8, shade(13)]))
}
