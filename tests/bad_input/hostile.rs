//! Images of the largest accepted size, and images that claim to be larger.

use std::io::Cursor;

use balancer_tests::runtime_api::{self, Invoked};
use balancer_tests::stack::{self, TestStack, actor};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use imaging::{MAX_PIXELS, MAX_SIDE};
use serde_json::json;

const MEGABYTE: u64 = 1 << 20;

/// The memory of the functions in the template.
const EVALUATION_MEMORY: u64 = 2_048 * MEGABYTE;
const GENERATION_MEMORY: u64 = 1_024 * MEGABYTE;

/// A PNG with the largest number of pixels, in the most expensive format: four channels of 16 bits.
fn largest_accepted() -> Vec<u8> {
    let (width, height) = (MAX_SIDE, u32::try_from(MAX_PIXELS / u64::from(MAX_SIDE)).unwrap());
    let line: Vec<u8> = (0..width).flat_map(|x| (u64::from(x) * 0x0123_4567).to_ne_bytes()).collect();
    let pixels = line.repeat(height as usize);
    let mut png = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up);
    encoder.write_image(&pixels, width, height, ExtendedColorType::Rgba16).unwrap();
    png.into_inner()
}

/// A PNG whose header claims this size, without the data.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png).write_image(&[0; 64 * 64 * 3], 64, 64, ExtendedColorType::Rgb8).unwrap();
    let mut png = png.into_inner();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32fast::hash(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&checksum);
    png
}

/// A small PNG with a colour profile that decompresses to 100 MB. It is assessed without its profile.
fn png_with_enormous_profile() -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(vec![7; 100 << 20]).unwrap();
    encoder.write_image(&[90; 64 * 64 * 3], 64, 64, ExtendedColorType::Rgb8).unwrap();
    png.into_inner()
}

fn batch(bodies: &[serde_json::Value]) -> String {
    let record = |(id, body): (usize, &serde_json::Value)| json!({ "messageId": id.to_string(), "receiptHandle": "m", "body": body.to_string(), "eventSource": "aws:sqs" });
    json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() }).to_string()
}

#[tokio::test]
async fn largest_set_fits_into_memory() {
    let (stack, hero) = (TestStack::without_triggers().await, actor("hero"));
    let largest = largest_accepted();
    for number in 1..=4 {
        stack.upload(&hero, &format!("hero_{number}.png"), &largest).await;
    }
    for (number, (width, height)) in (5..).zip([(60_000, 60_000), (u32::MAX, 1), (MAX_SIDE + 1, 64)]) {
        stack.upload(&hero, &format!("hero_{number}.png"), &png_claiming(width, height)).await;
    }
    let enormous_profile = png_with_enormous_profile();
    assert!(enormous_profile.len() < 4 << 20);
    stack.upload(&hero, "hero_8.png", &enormous_profile).await;
    // The messages of a batch are processed concurrently, so each of the other sets needs as much memory.
    let others = ["one", "two", "three"];
    for other in others {
        for number in 1..=2 {
            stack.upload(&actor(other), &format!("{other}_{number}.png"), &largest).await;
        }
    }
    let binary = &stack::binaries().await.evaluation;
    let dry_run = |id: &str| json!({ "actor_id": id, "mode": "dry_run" });
    let event = batch(&[&["hero"], &others[..]].concat().into_iter().map(dry_run).collect::<Vec<_>>());
    let Invoked { answer, memory, .. } = runtime_api::invoke_watched(binary, stack.variables(), &event).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let manifest = stack.manifest(&hero).await;
    let unusable: Vec<_> = manifest.images.values().filter_map(|image| image.unusable.as_ref()).collect();
    assert_eq!((manifest.total_images, unusable.len()), (5, 3), "{unusable:?}");
    assert!(memory < EVALUATION_MEMORY * 9 / 10, "{} MB", memory / MEGABYTE);
}

#[tokio::test]
async fn largest_base_image_fits_into_memory() {
    let stack = TestStack::without_triggers().await;
    let key = format!("{}png", stack.keys.base_image_stem(&actor("hero")));
    stack.bucket.put(&key, largest_accepted(), "image/png").await.unwrap();
    let binary = &stack::binaries().await.generation;
    let event = batch(&[json!({ "actor_id": "hero", "generate": { "photorealistic": 1 } })]);
    let Invoked { answer, memory, .. } = runtime_api::invoke_watched(binary, stack.variables(), &event).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(stack.plans(&actor("hero")).await.len(), 1);
    assert!(memory < GENERATION_MEMORY * 9 / 10, "{} MB", memory / MEGABYTE);
}
