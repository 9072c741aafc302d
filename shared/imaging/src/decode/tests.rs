use image::{ImageBuffer, Luma, Rgba};

use super::*;

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A picture with a white upper left quarter.
fn sample() -> RgbImage {
    RgbImage::from_fn(160, 96, |x, y| if x < 80 && y < 48 { Rgb([255; 3]) } else { Rgb([20, 40, 60]) })
}

/// The JPEG with an EXIF block that contains the orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn content_determines_the_format() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        assert_eq!(decode(&encoded(sample(), format)).unwrap().dimensions(), (160, 96), "{format:?}");
    }
}

#[test]
fn image_is_rotated_upright() {
    let upright = decode(&with_orientation(&encoded(sample(), ImageFormat::Jpeg), 6)).unwrap();
    assert_eq!(upright.dimensions(), (96, 160));
    assert!(upright.get_pixel(80, 20).0[0] > 200, "the upper left corner becomes the upper right one");
}

#[test]
fn orientation_decides_whether_pixels_are_upright() {
    let jpeg = encoded(sample(), ImageFormat::Jpeg);
    for (file, upright) in
        [(jpeg.clone(), true), (with_orientation(&jpeg, 1), true), (with_orientation(&jpeg, 6), false)]
    {
        assert_eq!(is_upright(&file), Ok(upright));
    }
    assert_eq!(is_upright(&encoded(sample(), ImageFormat::WebP)), Ok(true));
    assert_eq!(is_upright(b"text"), Err(DecodeError::NotAnImage));
}

#[test]
fn sixteen_bit_gray_becomes_eight_bit_rgb() {
    let gray = ImageBuffer::<Luma<u16>, _>::from_pixel(64, 64, Luma([0x8000]));
    assert_eq!(decode(&encoded(gray, ImageFormat::Png)).unwrap().get_pixel(9, 9), &Rgb([128; 3]));
}

#[test]
fn transparent_parts_become_white() {
    let clear = RgbaImage::from_pixel(64, 64, Rgba([10, 10, 10, 0]));
    assert_eq!(decode(&encoded(clear, ImageFormat::Png)).unwrap().get_pixel(9, 9), &Rgb([255; 3]));
}

#[test]
fn unusable_file_is_rejected_with_the_fault() {
    let jpeg = encoded(sample(), ImageFormat::Jpeg);
    let png = encoded(sample(), ImageFormat::Png);
    let line = encoded(RgbImage::new(20_000, 64), ImageFormat::Png);
    let dot = encoded(RgbImage::new(1, 1), ImageFormat::Png);
    for (bytes, fault) in [
        (&b""[..], "empty"),
        (b"a shopping list", "not PNG, JPEG or WebP"),
        (&jpeg[..jpeg.len() / 2], "ends before"),
        (&png[..png.len() / 2], "ends before"),
        (&line, "20000×64 pixels are more than"),
        (&dot, "1×1 pixels are too few"),
        (b"\x89PNG\r\n\x1a\nand nothing of the kind", "damaged"),
    ] {
        let error = decode(bytes).unwrap_err().to_string();
        assert!(error.contains(fault), "{error}");
    }
}

#[test]
fn jpeg_cut_off_anywhere_is_rejected() {
    let jpeg = with_orientation(&encoded(sample(), ImageFormat::Jpeg), 1);
    for length in 0..jpeg.len() - 2 {
        assert!(decode(&jpeg[..length]).is_err(), "cut at {length} of {}", jpeg.len());
    }
}

/// A WebP file whose EXIF block claims this many bytes.
fn webp_with_exif_of(size: u32) -> Vec<u8> {
    let plain = encoded(sample(), ImageFormat::WebP);
    let mut extended = b"VP8X\x0A\0\0\0\x08\0\0\0".to_vec();
    extended.extend([159, 0, 0, 95, 0, 0]);
    let exif = [b"EXIF", &size.to_le_bytes()[..], b"MM\0\x2A"].concat();
    let body = [&b"WEBP"[..], &extended, &plain[12..], &exif].concat();
    [b"RIFF", &u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
}

#[test]
fn bytes_after_an_images_end_are_ignored() {
    let plain = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP].map(|format| encoded(sample(), format));
    for file in plain.into_iter().chain([webp_with_exif_of(4)]) {
        let followed = [&file[..], b"ANMF\xFF\xFF\xFF\xFFand more"].concat();
        assert_eq!(decode(&followed), decode(&file));
        assert!(decode(&followed).is_ok());
    }
}

#[test]
fn webp_chunk_beyond_the_file_is_rejected() {
    assert!(decode(&webp_with_exif_of(4)).is_ok());
    assert_eq!(decode(&webp_with_exif_of(u32::MAX - 9)), Err(DecodeError::Truncated));
}

proptest::proptest! {
    #[test]
    fn no_input_causes_a_panic(start in 0_usize..3, bytes in proptest::collection::vec(0_u8.., 0..400)) {
        let magic: [&[u8]; 3] = [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"];
        drop(decode(&[magic[start], &bytes].concat()));
    }
}
