//! Pictures made here, so that no test needs any file from outside.

use std::sync::LazyLock;

use balancer::adapters::generator::embedded::draw;
use balancer::domain::kind::Kind;
use balancer::domain::prompts;
use balancer::imaging::encode_jpeg;
use image::{Rgb, RgbImage};

/// Somebody in front of a wall: what an actor's base image looks like.
pub(crate) fn base() -> RgbImage {
    RgbImage::from_fn(300, 400, |x, y| {
        let (dx, dy) = (x as f32 - 150.0, y as f32 - 80.0);
        let wall = 150 + (y / 16) as u8;
        match () {
            () if dx.hypot(dy) < 36.0 => Rgb([224, 170, 140]),
            () if dx.abs() < 60.0 && (112..380).contains(&y) => Rgb([30 + (x / 6) as u8, 60, 120]),
            () => Rgb([wall, wall - 8, wall - 20]),
        }
    })
}

/// JPEG files of one kind, all different, drawn once for all tests.
pub(crate) fn drawn(kind: Kind) -> &'static [Vec<u8>] {
    static DRAWN: LazyLock<Vec<Vec<Vec<u8>>>> = LazyLock::new(|| {
        let of_kind = |kind| {
            let scenes = prompts::of_kind(kind).iter().take(7);
            scenes.map(|scene| encode_jpeg(&draw(&base(), kind, &scene.render("woman"), 1)).unwrap()).collect()
        };
        Kind::ALL.into_iter().map(of_kind).collect()
    });
    &DRAWN[Kind::ALL.iter().position(|&other| other == kind).unwrap()]
}

/// A small picture that differs for each number.
pub(crate) fn plain(number: u32) -> RgbImage {
    let shade = |step: u32| (number * step % 200) as u8;
    RgbImage::from_fn(96, 80, |x, y| Rgb([shade(37) + (x / 2) as u8, shade(71) + (y / 2) as u8, shade(13)]))
}
