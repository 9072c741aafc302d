//! `grid`: draws a folder's images on numbered pages.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::damaged::{cmyk_jpeg, png, red_and_blue, rotated_by_exif};
use crate::support::pictures::plain;
use crate::support::run::{Ran, balancer};

fn grid(dir: &Path, output: &Path, options: &[&str]) -> Ran {
    Ran::of(balancer().arg("grid").arg(dir).arg("-o").arg(output).args(options))
}

/// Twenty-five images; a page holds twenty.
fn twenty_five() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in 1..=25 {
        plain(number).save(dir.path().join(format!("a_{number}.png"))).unwrap();
    }
    dir
}

#[test]
fn twenty_five_images_fill_two_numbered_pages() {
    let (images, pages) = (twenty_five(), tempfile::tempdir().unwrap());
    let first = pages.path().join("sheet of all.jpg");
    let cells = grid(images.path(), &first, &["--json"]).done().json();
    let cells = cells["cells"].as_array().unwrap();
    let numbers: Vec<u64> = cells.iter().map(|cell| cell["number"].as_u64().unwrap()).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=25).collect::<Vec<_>>());
    let filenames: BTreeSet<_> = cells.iter().map(|cell| cell["filename"].as_str().unwrap()).collect();
    assert_eq!(filenames.len(), 25);
    let named: BTreeSet<_> = cells.iter().map(|cell| cell["page"].as_str().unwrap()).collect();
    let written: BTreeSet<_> = std::fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(named.into_iter().map(Into::into).collect::<BTreeSet<std::path::PathBuf>>(), written);
    assert_eq!(written.len(), 2);
    for page in &written {
        image::open(page).unwrap();
    }
}

#[test]
fn seed_determines_the_order() {
    let (images, pages) = (twenty_five(), tempfile::tempdir().unwrap());
    let order = |name: &str, seed: &str| {
        let page = pages.path().join(name);
        let cells = grid(images.path(), &page, &["--json", "--seed", seed]).done().json();
        let order: Vec<Value> =
            cells["cells"].as_array().unwrap().iter().map(|cell| cell["filename"].clone()).collect();
        (order, std::fs::read(page).unwrap())
    };
    assert_eq!(order("1.png", "x"), order("2.png", "x"));
    assert_ne!(order("1.png", "x").0, order("2.png", "y").0);
}

#[test]
fn page_that_cannot_be_written_is_named() {
    let (images, pages) = (twenty_five(), tempfile::tempdir().unwrap());
    let nowhere = pages.path().join("nowhere/grid.jpg");
    grid(images.path(), &nowhere, &[]).failed(1, &[nowhere.to_str().unwrap(), "can't be written"]);
    let odd = pages.path().join("grid.xyz");
    grid(images.path(), &odd, &[]).failed(2, &[odd.to_str().unwrap(), "png", "jpg"]);
}

/// The mean position of all pixels that satisfy the condition.
fn centre(page: &image::RgbImage, holds: impl Fn([u8; 3]) -> bool) -> (f64, f64) {
    let found: Vec<_> = page.enumerate_pixels().filter(|(_, _, pixel)| holds(pixel.0)).collect();
    assert!(found.len() > 100, "only {} pixels", found.len());
    let mean =
        |of: fn(u32, u32) -> u32| found.iter().map(|&(x, y, _)| f64::from(of(x, y))).sum::<f64>() / found.len() as f64;
    (mean(|x, _| x), mean(|_, y| y))
}

#[test]
fn exif_orientation_is_applied() {
    let (images, pages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let jpeg = imaging::encode_jpeg(&red_and_blue(320, 160)).unwrap();
    std::fs::write(images.path().join("rotated.jpg"), rotated_by_exif(&jpeg)).unwrap();
    let page = pages.path().join("page.png");
    grid(images.path(), &page, &[]).done();
    let page = image::open(page).unwrap().into_rgb8();
    let red = centre(&page, |[r, g, b]| r > 180 && g < 80 && b < 80);
    let blue = centre(&page, |[r, g, b]| b > 180 && g < 80 && r < 80);
    assert!((red.0 - blue.0).abs() < 4.0, "not rotated: red around {red:?}, blue around {blue:?}");
    assert!(red.1 < blue.1, "rotated in the wrong direction: red around {red:?}, blue around {blue:?}");
}

#[test]
fn cmyk_images_are_shown_in_their_colours() {
    let (images, pages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(images.path().join("cyan.jpg"), cmyk_jpeg([255, 0, 0, 0])).unwrap();
    std::fs::write(images.path().join("red.png"), png(red_and_blue(160, 120))).unwrap();
    let page = pages.path().join("page.png");
    grid(images.path(), &page, &[]).done();
    let page = image::open(page).unwrap().into_rgb8();
    centre(&page, |[r, g, b]| r < 90 && g > 120 && b > 160);
}
