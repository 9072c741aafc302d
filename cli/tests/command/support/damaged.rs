//! Damaged and unusual image files.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

/// A picture whose left half is red and whose right half is blue.
pub(crate) fn red_and_blue(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) })
}

/// A PNG file.
pub(crate) fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A PNG file with 16 bits a channel.
pub(crate) fn sixteen_bit_png() -> Vec<u8> {
    png(ImageBuffer::from_fn(160, 120, |x, y| Luma([(x * 400 + y * 11) as u16])))
}

/// A JPEG file of one colour, given in shares of cyan, magenta, yellow and black ink.
pub(crate) fn cmyk_jpeg(ink: [u8; 4]) -> Vec<u8> {
    let mut file = Vec::new();
    Encoder::new(&mut file, 90).encode(&ink.repeat(160 * 120), 160, 120, ColorType::Cmyk).unwrap();
    file
}

/// The JPEG file with an EXIF orientation that rotates it clockwise by 90° (TIFF 6.0, tag 274, value 6).
pub(crate) fn rotated_by_exif(jpeg: &[u8]) -> Vec<u8> {
    const ORIENTATION_6: &[u8] =
        b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let (start_of_image, rest) = jpeg.split_at(2);
    [start_of_image, ORIENTATION_6, rest].concat()
}

/// The offsets of a JPEG file's scan, of the start of the scan's data, and of their end.
fn scan_of(jpeg: &[u8]) -> (usize, usize, usize) {
    let mut at = 2;
    loop {
        let (marker, length) = (jpeg[at + 1], usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]])));
        if marker == 0xDA {
            return (at, at + 2 + length, jpeg.len() - 2);
        }
        at += 2 + length;
    }
}

/// The JPEG file with bytes before a marker, as the standard allows them (T.81, B.1.1.2).
pub(crate) fn with_fill_bytes(jpeg: &[u8]) -> Vec<u8> {
    let (scan, ..) = scan_of(jpeg);
    [&jpeg[..scan], &[0xFF; 3], &jpeg[scan..]].concat()
}

/// The JPEG file without its end-of-image marker.
pub(crate) fn without_an_end(jpeg: &[u8]) -> Vec<u8> {
    jpeg[..scan_of(jpeg).2].to_vec()
}

/// The upper half of a JPEG file, with an end-of-image marker.
pub(crate) fn half_with_an_end(jpeg: &[u8]) -> Vec<u8> {
    let (_, data, end) = scan_of(jpeg);
    [&jpeg[..data + (end - data) / 2], &[0xFF, 0xD9]].concat()
}

/// The JPEG file with zeros instead of an eighth of its data.
pub(crate) fn blank_in_the_middle(jpeg: &[u8]) -> Vec<u8> {
    let (_, data, end) = scan_of(jpeg);
    let (middle, length) = (data + (end - data) / 2, (end - data) / 8);
    [&jpeg[..middle], &vec![0; length], &jpeg[middle + length..]].concat()
}
