//! The images that workflows save.

use std::io::Cursor;

use balancer_tests::comfyui::Outcome;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use imaging::{decode, is_jpeg};

use super::{first, image};
use crate::generation::support::Scenario;

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A picture whose left half is transparent.
fn half_transparent(width: u32, height: u32) -> DynamicImage {
    let alpha = |x: u32| if x < width / 2 { 0 } else { 255 };
    RgbaImage::from_fn(width, height, |x, y| Rgba([40, (y * 100 / height) as u8, 90, alpha(x)])).into()
}

/// The image that the actor receives if the workflow saves these bytes.
async fn received(bytes: Vec<u8>) -> Vec<u8> {
    let scenario = image(move |_| Outcome::Output(bytes.clone())).await;
    scenario.run().await;
    scenario.assert_all_generated().await;
    let key = format!("training_data/{}/{}", scenario.actor, scenario.files().await[0]);
    let key = format!("{}/{key}", balancer_tests::harness::KEY_PREFIX);
    scenario.world.bucket.get(&key).await.unwrap().unwrap().bytes
}

#[tokio::test]
async fn png_webp_and_4k_become_jpegs() {
    let opaque = |width, height| DynamicImage::from(half_transparent(width, height).into_rgb8());
    for (picture, format) in [
        (opaque(1360, 768), ImageFormat::Png),
        (opaque(1360, 768), ImageFormat::WebP),
        (opaque(3840, 2160), ImageFormat::Png),
    ] {
        let image = received(encoded(&picture, format)).await;
        assert!(is_jpeg(&image), "{format:?}");
        assert_eq!(decode(&image).unwrap().dimensions(), (picture.width(), picture.height()), "{format:?}");
    }
}

#[tokio::test]
async fn transparent_parts_become_white() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let image = decode(&received(encoded(&half_transparent(640, 360), format)).await).unwrap();
        assert!(image.get_pixel(100, 100).0.iter().all(|value| *value > 250), "{format:?}");
        assert!(image.get_pixel(500, 100).0[0] < 60, "{format:?}");
    }
}

#[tokio::test]
async fn jpeg_keeps_its_bytes() {
    let jpeg = encoded(&half_transparent(640, 360).into_rgb8().into(), ImageFormat::Jpeg);
    assert_eq!(received(jpeg.clone()).await, jpeg);
}

/// Asserts that the images of a workflow are given up for this reason.
async fn assert_unusable(bytes: Vec<u8>, words: &str) {
    let scenario: Scenario = image(move |_| Outcome::Output(bytes.clone())).await;
    scenario.run().await;
    scenario.assert_abandoned(words, 3).await;
}

#[tokio::test]
async fn unusable_output_is_explained() {
    let huge = DynamicImage::from(image::GrayImage::new(8000, 5200));
    assert_unusable(encoded(&huge, ImageFormat::Png), "8000×5200 pixels are more than").await;
    assert_unusable(b"RIFF....AVI ".to_vec(), "not PNG, JPEG or WebP").await;
}

#[tokio::test]
async fn deleted_output_is_made_again() {
    let scenario = image(first(Outcome::OutputDeleted)).await;
    scenario.run().await;
    scenario.assert_all_generated_for(2).await;
}
