//! Unusable files, unusual files, and unusual names.

use std::io::Cursor;

use balancer_tests::pictures;
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{TestStack, actor};
use domain::kind::Kind::{BwStylized, ColorStylized, Photorealistic};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, imageops};
use imaging::encode_jpeg;

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.into().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// Unusable files, with the reported reasons.
fn unusable() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = &pictures::good(Photorealistic, 1)[0];
    let (whole_png, whole_jpeg) = (png(good.image.clone()), &good.jpeg);
    vec![
        ("text_21.jpg", b"this is not an image".to_vec(), "not PNG, JPEG or WebP"),
        ("gif_22.png", b"GIF89a\x01\x00\x01\x00\x80\x00\x00".to_vec(), "not PNG, JPEG or WebP"),
        ("empty_23.webp", Vec::new(), "the file is empty"),
        ("half_24.jpg", whole_jpeg[..whole_jpeg.len() / 2].to_vec(), "ends before its image does"),
        ("half_closed_30.jpg", [&whole_jpeg[..whole_jpeg.len() / 2], &[0xFF, 0xD9]].concat(), "rows are there"),
        ("blank_31.jfif", blank_in_the_middle(whole_jpeg), "bytes of its image data are blank"),
        ("half_25.png", whole_png[..whole_png.len() / 2].to_vec(), "upload it again"),
        ("dot_26.png", png(RgbImage::new(1, 1)), "1×1 pixels are too few"),
        ("endless_27.png", png(GrayImage::new(13_000, 70)), "13000×70 pixels are more"),
        ("bomb_28.png", claiming_size(png(RgbImage::new(64, 64)), 60_000), "60000×60000 pixels are more"),
    ]
}

/// A JPEG with zeros instead of a part of its data.
fn blank_in_the_middle(jpeg: &[u8]) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    let middle = jpeg.len() / 2;
    jpeg[middle..middle + 500].fill(0);
    jpeg
}

/// A PNG whose header claims this side length.
fn claiming_size(mut png: Vec<u8>, side: u32) -> Vec<u8> {
    const HEADER: std::ops::Range<usize> = 12..29;
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    let checksum = crc32(&png[HEADER]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

/// The checksum of PNG chunks (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// Unusual but usable files: together a full set.
fn unusual() -> Vec<(&'static str, Vec<u8>)> {
    let photographs = pictures::good(Photorealistic, 4);
    vec![
        ("sixteen bits_1.png", png(DynamicImage::ImageRgb8(photographs[0].image.clone()).into_rgb16())),
        ("rotated by exif_2.jpg", rotated_by_exif(&photographs[1].image)),
        ("misnamed_3.PNG", photographs[2].jpeg.clone()),
        ("cmyk_4.jpeg", cmyk_jpeg(&photographs[3].image)),
        ("misnamed_5.jpg", png(pictures::good(BwStylized, 1)[0].image.clone())),
        (
            "transparent_6.png",
            png(DynamicImage::ImageRgb8(pictures::good(ColorStylized, 1)[0].image.clone()).into_rgba8()),
        ),
    ]
}

/// A rotated JPEG, with its orientation in EXIF.
fn rotated_by_exif(image: &RgbImage) -> Vec<u8> {
    const TURN_CLOCKWISE: u8 = 6;
    let mut jpeg = encode_jpeg(&imageops::rotate270(image)).unwrap();
    // One directory with one entry: tag 0x0112, of type SHORT, one value.
    let tiff = [
        b"II\x2a\x00\x08\x00\x00\x00\x01\x00".as_slice(),
        &[0x12, 0x01, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, TURN_CLOCKWISE, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
    ];
    let exif = [b"Exif\x00\x00".as_slice(), tiff[0], tiff[1]].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let segment = [&[0xFF, 0xE1], length.as_slice(), &exif].concat();
    jpeg.splice(2..2, segment);
    jpeg
}

/// A JPEG in cyan, magenta, yellow and black, the colours of printing.
fn cmyk_jpeg(image: &RgbImage) -> Vec<u8> {
    let ink: Vec<u8> = image.pixels().flat_map(|pixel| [255 - pixel[0], 255 - pixel[1], 255 - pixel[2], 0]).collect();
    let (width, height) = (u16::try_from(image.width()).unwrap(), u16::try_from(image.height()).unwrap());
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 95).encode(&ink, width, height, jpeg_encoder::ColorType::Cmyk).unwrap();
    jpeg
}

#[tokio::test]
async fn unusable_files_are_named_and_stay() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let unusable = unusable();
    let bw = pictures::good(BwStylized, 3);
    for (name, bytes, _) in &unusable {
        stack.upload(&actor, name, bytes).await;
    }
    let pictures = [pictures::good(Photorealistic, 4), bw, pictures::good(ColorStylized, 1)].concat();
    stack.upload_all(&actor, 1, &pictures).await;

    let record = stack.balanced(&actor).await;

    let manifest = stack.manifest(&actor).await;
    let reason = record.reason.unwrap();
    for (name, bytes, remark) in &unusable {
        assert!(stack.object(&stack.keys.image(&actor, name)).await == *bytes, "{name}");
        let recorded = manifest.images[*name].unusable.as_deref().unwrap();
        assert!(recorded.contains(remark), "{name}: {recorded}");
        assert!(reason.contains(&format!("{name}: {recorded}.")), "{name}: {reason}");
    }
    assert_eq!(manifest.total_images, 6);
    assert_eq!(stack.keys_below("trash/").await.len(), 2, "the surplus of the usable images is deleted");
    let [plan] = &stack.plans(&actor).await[..] else { panic!("expected one plan") };
    assert_eq!(plan.notes.len(), unusable.len());
}

#[tokio::test]
async fn unusual_files_are_decoded_correctly() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    for (name, bytes) in unusual() {
        stack.upload(&actor, name, &bytes).await;
    }

    stack.balanced(&actor).await;

    let manifest = assert_balanced(&stack, &actor).await;
    for (name, image) in &manifest.images {
        let facts = image.facts.as_ref().unwrap();
        assert_eq!((facts.width, facts.height), (1024, 576), "{name} is upright");
    }
    assert!(stack.plans(&actor).await.is_empty());
}

#[tokio::test]
async fn replaced_unusable_file_joins_the_set() {
    let (stack, actor) = (TestStack::start().await, actor("hero"));
    let set = pictures::full_set();
    stack.upload_all(&actor, 1, &set[..5]).await;
    stack.upload(&actor, "hero_6.jpg", b"").await;
    let reason = stack.needs_attention(&actor).await;
    assert!(reason.contains("There is no base image"), "{reason}");

    stack.upload(&actor, "hero_6.jpg", &set[5].jpeg).await;
    stack.balanced(&actor).await;
    assert_balanced(&stack, &actor).await;
}

#[tokio::test]
async fn names_of_any_script_work_end_to_end() {
    let (stack, actor) = (TestStack::start().await, actor("Jürgen M+ller (2)"));
    stack.upload_base_image(&actor).await;
    let photographs = pictures::good(Photorealistic, 3);
    let kept = [
        ("portrait.jpg", &photographs[0]),
        ("two words_2.JPG", &photographs[1]),
        ("a+b & c%20d_3.jpeg", &photographs[2]),
        ("größe 4.jpg", &pictures::good(BwStylized, 1)[0]),
        ("女優_5.jpg", &pictures::good(ColorStylized, 1)[0]),
    ];
    for (name, picture) in kept {
        stack.upload(&actor, name, &picture.jpeg).await;
    }
    stack.upload(&actor, "ünscharf + 1%2_9.jpg", &pictures::blurred()).await;

    stack.balanced(&actor).await;

    let manifest = assert_balanced(&stack, &actor).await;
    assert!(kept.iter().all(|(name, _)| manifest.images.contains_key(*name)));
    assert_eq!(manifest.images["portrait.jpg"].index, 0);
    let made = manifest.images.keys().find(|name| !kept.iter().any(|(kept, _)| kept == name)).unwrap();
    assert!(made.starts_with("Jürgen M+ller (2)_") && manifest.images[made].index >= 10, "{made}");
    let first = &stack.plans(&actor).await[0];
    assert_eq!(first.delete[0].filename, "ünscharf + 1%2_9.jpg");
    let trash = stack.keys.trash(&actor, &first.plan_id, "ünscharf + 1%2_9.jpg");
    assert!(stack.object(&trash).await == pictures::blurred());
}
