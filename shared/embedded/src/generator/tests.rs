use std::sync::LazyLock;

use domain::kind::Kind;
use domain::prompts::{Library, Prompt};
use image::{Rgb, RgbImage};
use imaging::{hypotenuse, measure};

use super::{HEIGHT, WIDTH, draw};

/// Two pictures whose hashes differ in at most this many of 256 bits are near duplicates.
const NEAR_DUPLICATE: u32 = 12;

/// A simple figure, a disc on a column, in front of a softly lit wall.
fn figure() -> RgbImage {
    RgbImage::from_fn(150, 200, |x, y| {
        let (dx, dy) = (x as f32 - 75.0, y as f32 - 40.0);
        let wall = 150 + (y / 8) as u8;
        match () {
            () if hypotenuse(dx, dy) < 18.0 => Rgb([224, 170, 140]),
            () if dx.abs() < 30.0 && (56..190).contains(&y) => Rgb([30 + (x / 3) as u8, 60, 120]),
            () => Rgb([wall, wall - 8, wall - 20]),
        }
    })
}

fn of_kind(kind: Kind) -> impl Iterator<Item = &'static Prompt> {
    Library::built_in().of_kind(kind)
}

/// The figure in every stylized technique and in some photographs, drawn once for all tests.
static PICTURES: LazyLock<Vec<(&Prompt, RgbImage)>> = LazyLock::new(|| {
    let photographs = of_kind(Kind::Photorealistic).take(4);
    let stylized = [Kind::BwStylized, Kind::ColorStylized].into_iter().flat_map(of_kind);
    photographs.chain(stylized).map(|prompt| (prompt, drawn(prompt, 1))).collect()
});

fn drawn(prompt: &Prompt, seed: u64) -> RgbImage {
    draw(&figure(), prompt.kind, &prompt.render("woman"), seed)
}

fn pictures(kind: Kind) -> impl Iterator<Item = &'static (&'static Prompt, RgbImage)> {
    PICTURES.iter().filter(move |(prompt, _)| prompt.kind == kind)
}

#[test]
fn seed_determines_the_picture() {
    for kind in Kind::ALL {
        let (prompt, picture) = pictures(kind).next().unwrap();
        assert!(drawn(prompt, 1) == *picture, "{kind}");
        assert!(drawn(prompt, 2) != *picture, "{kind}");
    }
}

#[test]
fn every_base_image_gives_a_picture_of_16_to_9() {
    let plain = |width, height| RgbImage::from_pixel(width, height, Rgb([90, 120, 150]));
    let bases = [plain(64, 64), plain(20, 2000), plain(2000, 20)];
    for base in &bases {
        for kind in Kind::ALL {
            let picture = draw(base, kind, "In the city", 3);
            assert_eq!(picture.dimensions(), (WIDTH, HEIGHT));
        }
    }
    assert_eq!(WIDTH * 9, HEIGHT * 16);
}

#[test]
fn black_and_white_pictures_have_equal_channels() {
    for (prompt, picture) in pictures(Kind::BwStylized) {
        assert!(picture.pixels().all(|Rgb([r, g, b])| r == g && g == b), "{}", prompt.id);
    }
}

#[test]
fn color_pictures_have_color() {
    for (prompt, picture) in pictures(Kind::ColorStylized) {
        let is_colored = |Rgb([r, g, b]): &&Rgb<u8>| r.abs_diff(*b).max(g.abs_diff(*b)) > 30;
        let colored = picture.pixels().filter(is_colored).count();
        assert!(colored > picture.pixels().count() / 10, "{}", prompt.id);
    }
}

#[test]
fn different_prompts_give_no_near_duplicates() {
    let all: Vec<_> = PICTURES.iter().map(|(prompt, picture)| (prompt.id.as_str(), measure(b"", picture))).collect();
    for (index, (id, one)) in all.iter().enumerate() {
        for (other_id, other) in &all[..index] {
            let bits = one.hash_distance(other).unwrap();
            assert!(bits > NEAR_DUPLICATE, "{id}, {other_id}: {bits} bits");
        }
    }
}

#[test]
fn real_portrait_is_cut_out_and_drawn() {
    let images = real_data::labelled_images();
    if images.is_empty() {
        return;
    }
    let portrait = images.into_iter().find(|image| image.name == "034_photorealistic").unwrap();
    let base = image::open(portrait.path).unwrap().into_rgb8();
    assert!(super::subject::cut_out(&base).is_some());
    for kind in Kind::ALL {
        assert_eq!(draw(&base, kind, "By the sea", 5).dimensions(), (WIDTH, HEIGHT));
    }
}
