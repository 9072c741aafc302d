//! Unusable image files, and unusual ones that are usable.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use domain::kind::Kind;
use image::RgbImage;

use crate::support::damaged::{
    blank_in_the_middle, cmyk_jpeg, half_with_an_end, png, red_and_blue, rotated_by_exif, sixteen_bit_png,
    with_fill_bytes, without_an_end,
};
use crate::support::pictures::drawn;
use crate::support::run::{Ran, run};

/// Unusual files that can be assessed.
fn unusual(dir: &Path) -> Vec<&'static str> {
    let jpeg = imaging::encode_jpeg(&red_and_blue(320, 160)).unwrap();
    for (name, bytes) in [
        ("16 bit.png", sixteen_bit_png()),
        ("GOOD.JPEG", drawn(Kind::Photorealistic)[0].clone()),
        ("cmyk.jpg", cmyk_jpeg([20, 200, 90, 10])),
        ("fill.jfif", with_fill_bytes(&drawn(Kind::Photorealistic)[0])),
        ("misnamed.jpg", png(red_and_blue(160, 120))),
        ("open.jpe", without_an_end(&drawn(Kind::Photorealistic)[1])),
        ("rotated.jpg", rotated_by_exif(&jpeg)),
        ("ünï + cödé.png", png(red_and_blue(120, 160))),
    ] {
        fs::write(dir.join(name), bytes).unwrap();
    }
    vec![
        "16 bit.png",
        "GOOD.JPEG",
        "cmyk.jpg",
        "fill.jfif",
        "misnamed.jpg",
        "open.jpe",
        "rotated.jpg",
        "ünï + cödé.png",
    ]
}

/// Unusable files, each with a part of the reported reason.
fn unusable(dir: &Path) -> Vec<(&'static str, &'static str)> {
    let good = &drawn(Kind::Photorealistic)[1];
    let png = |width, height| png(RgbImage::from_pixel(width, height, image::Rgb([90, 120, 150])));
    let mut scratched = png(200, 200);
    let middle = scratched.len() / 2;
    scratched[middle] ^= 0xFF;
    for (name, bytes) in [
        ("blank.jpg", blank_in_the_middle(good)),
        ("empty.png", Vec::new()),
        ("half.jpg", half_with_an_end(good)),
        ("long.png", png(20_000, 64)),
        ("notes.txt", b"to do".to_vec()),
        ("pixel.png", png(1, 1)),
        ("scratched.png", scratched),
        ("text.jpg", b"not a picture at all".to_vec()),
        ("truncated.jpg", good[..good.len() / 2].to_vec()),
        ("truncated.png", png(300, 300)[..200].to_vec()),
    ] {
        fs::write(dir.join(name), bytes).unwrap();
    }
    symlink(dir.join("gone"), dir.join("dangling.png")).unwrap();
    vec![
        ("blank.jpg", "bytes of its image data are blank"),
        ("dangling.png", "No such file"),
        ("empty.png", "empty"),
        ("half.jpg", "rows are there"),
        ("long.png", "20000×64"),
        ("pixel.png", "1×1"),
        ("scratched.png", "damaged"),
        ("text.jpg", "not PNG, JPEG or WebP"),
        ("truncated.jpg", "ends before"),
        ("truncated.png", "ends before"),
    ]
}

fn assess(dir: &Path) -> Ran {
    run([Path::new("assess"), dir, Path::new("--json")])
}

#[test]
fn unusable_images_are_named_and_others_assessed() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (unusual(dir.path()), unusable(dir.path()));
    fs::create_dir(dir.path().join("folder.jpg")).unwrap();
    let ran = assess(dir.path()).done();
    let assessed: Vec<String> = ran.json()["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["filename"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(assessed, good);
    assert!(ran.remarks.contains(": 1 other file (notes.txt)"), "{ran:#?}");
    for (name, reason) in bad {
        let skipped = format!("skipped {}: ", dir.path().join(name).display());
        let line = ran.remarks.lines().find(|line| line.starts_with(&skipped));
        assert!(line.is_some_and(|line| line.contains(reason)), "`{reason}` of {name} is not in {}", ran.remarks);
    }
}

#[test]
fn folder_without_usable_images_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    unusable(dir.path());
    assess(dir.path()).failed(1, &[dir.path().to_str().unwrap(), "holds no usable image", "pixel.png"]);
}

#[test]
fn linked_image_is_assessed() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(elsewhere.path().join("original.png"), png(red_and_blue(120, 160))).unwrap();
    symlink(elsewhere.path().join("original.png"), dir.path().join("link.png")).unwrap();
    assert_eq!(assess(dir.path()).done().json()["images"][0]["filename"], "link.png");
}
