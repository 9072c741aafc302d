use std::borrow::Cow;

use image::{GrayImage, Luma, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::whole;
use crate::{DecodeError, decode};

const WIDTH: u32 = 120;
const HEIGHT: u32 = 88;

/// The encoding of a JPEG.
#[derive(Debug, Clone, Copy)]
struct Form {
    is_progressive: bool,
    restart_interval: u16,
    sampling: SamplingFactor,
    is_optimized: bool,
}

fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for is_progressive in [false, true] {
        for restart_interval in [0, 5] {
            for sampling in [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_2, SamplingFactor::R_4_2_0] {
                // With both options, the encoder omits codes from its tables that it needs after a restart.
                for is_optimized in [false, restart_interval == 0] {
                    forms.push(Form { is_progressive, restart_interval, sampling, is_optimized });
                }
            }
        }
    }
    forms
}

fn written(samples: &[u8], colours: ColorType, form: Form, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality);
    encoder.set_progressive(form.is_progressive);
    encoder.set_sampling_factor(form.sampling);
    encoder.set_optimized_huffman_tables(form.is_optimized);
    if form.restart_interval > 0 {
        encoder.set_restart_interval(form.restart_interval);
    }
    encoder.encode(samples, WIDTH as u16, HEIGHT as u16, colours).unwrap();
    file
}

/// The encoding that most cameras and programs use.
const USUAL: Form =
    Form { is_progressive: false, restart_interval: 0, sampling: SamplingFactor::R_4_2_0, is_optimized: false };

/// A picture that is smooth in parts and grained in others.
fn photograph() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let grain = (x * 7919 + y * 104_729) % 61 * u32::from(x > 60);
        Rgb([x + grain / 2, y + grain, (x + y) / 2 + 30].map(|value| value.min(255) as u8))
    })
}

fn photographs() -> Vec<Vec<u8>> {
    let colour = photograph();
    let gray = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([colour.get_pixel(x, y).0[1]]));
    let forms = forms();
    let gray = forms.iter().step_by(5).map(|form| written(&gray, ColorType::Luma, *form, 85));
    forms.iter().map(|form| written(&colour, ColorType::Rgb, *form, 85)).chain(gray).collect()
}

/// Pictures with large flat parts.
fn flat_pictures() -> Vec<RgbImage> {
    let drawn = |ground: [u8; 3], band: std::ops::Range<u32>, ink: [u8; 3]| {
        RgbImage::from_fn(WIDTH, HEIGHT, |x, y| Rgb(if band.contains(&y) && (x * y) % 97 < 40 { ink } else { ground }))
    };
    vec![
        drawn([255; 3], 0..0, [0; 3]),
        drawn([0; 3], 0..0, [0; 3]),
        drawn([128; 3], 0..0, [0; 3]),
        drawn([255; 3], 40..70, [20; 3]),
        drawn([0; 3], 40..90, [200, 90, 60]),
        drawn([128; 3], 0..60, [230, 60, 60]),
        drawn([255; 3], 0..20, [10, 90, 250]),
        RgbImage::from_fn(WIDTH, HEIGHT, |_, y| Rgb([90 + y as u8 / 2, 140 + y as u8 / 3, 230])),
    ]
}

/// The position where the data of the first scan begin.
fn first_scan(jpeg: &[u8]) -> usize {
    let mut at = 2;
    loop {
        let (marker, length) = (jpeg[at + 1], usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]])));
        at += 2 + length;
        if marker == 0xDA {
            return at;
        }
    }
}

#[test]
fn complete_images_are_accepted_unchanged() {
    for form in forms() {
        for picture in flat_pictures().iter().chain([&photograph()]) {
            for quality in [5, 60, 100] {
                let jpeg = written(picture, ColorType::Rgb, form, quality);
                assert!(matches!(whole(&jpeg), Ok(Cow::Borrowed(_))), "{form:?} at {quality}: {:?}", whole(&jpeg));
            }
        }
    }
    photographs().iter().for_each(|jpeg| drop(whole(jpeg).unwrap()));
}

#[test]
fn image_cut_anywhere_is_rejected() {
    for jpeg in photographs() {
        for cut in (2..jpeg.len() - 2).step_by(37).chain(jpeg.len() - 12..jpeg.len() - 2) {
            assert!(whole(&jpeg[..cut]).is_err(), "cut at {cut} of {}", jpeg.len());
            let closed = [jpeg[..cut].strip_suffix(&[0xFF]).unwrap_or(&jpeg[..cut]), &[0xFF, 0xD9]].concat();
            assert!(whole(&closed).is_err(), "cut at {cut} of {}, with an end", jpeg.len());
        }
    }
}

#[test]
fn error_names_the_rows_of_half_an_image() {
    let jpeg = written(&photograph(), ColorType::Rgb, USUAL, 85);
    let scan = first_scan(&jpeg);
    let half = [&jpeg[..scan + (jpeg.len() - scan) / 2], &[0xFF, 0xD9]].concat();
    let error = decode(&half).unwrap_err();
    assert!(matches!(error, DecodeError::RowsMissing { rows: 32..=56, height: HEIGHT }), "{error:?}");
    assert!(error.to_string().contains("rows are there; upload it again"), "{error}");
}

#[test]
fn missing_end_marker_is_accepted() {
    for jpeg in photographs() {
        let (open, closed) = (decode(&jpeg[..jpeg.len() - 2]), decode(&jpeg));
        assert_eq!(open, closed);
    }
}

#[test]
fn bytes_between_segments_are_skipped() {
    for jpeg in photographs() {
        let plain = decode(&jpeg).unwrap();
        let mut markers = vec![2];
        while jpeg[markers[markers.len() - 1] + 1] != 0xDA {
            let at = markers[markers.len() - 1];
            markers.push(at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]])));
        }
        for stray in [&[0xFF][..], &[0xFF; 9], b"\0", b"\0\0\xFF\0ab"] {
            let mut dirty = jpeg.clone();
            for &marker in markers.iter().rev().filter(|marker| **marker > 2) {
                dirty.splice(marker..marker, stray.iter().copied());
            }
            let end = dirty.len() - 2;
            dirty.splice(end..end, [0xFF; 6]);
            assert_eq!(decode(&dirty).as_ref(), Ok(&plain), "with {stray:?}");
        }
    }
}

/// A gap of zeros in the first scan, at most a quarter of its data long.
fn with_a_gap(jpeg: &[u8], length: usize, place: usize) -> Vec<u8> {
    let scan = first_scan(jpeg);
    let room = jpeg.len() - 2 - scan;
    let length = length.min(room / 4);
    let at = scan + place % (room - length);
    [&jpeg[..at], &vec![0; length], &jpeg[at + length..]].concat()
}

#[test]
fn nearly_every_gap_is_detected() {
    let (mut detected, mut gaps) = (0, 0);
    for jpeg in photographs() {
        for number in 1..60 {
            let damaged = with_a_gap(&jpeg, 40 * number, 7919 * number);
            gaps += 1;
            detected += usize::from(whole(&damaged).is_err());
        }
    }
    assert!(detected * 100 >= gaps * 98, "{detected} of {gaps}");
}

#[test]
fn gap_is_reported_as_damage() {
    let jpeg = written(&photograph(), ColorType::Rgb, USUAL, 85);
    let error = decode(&with_a_gap(&jpeg, 700, 900)).unwrap_err().to_string();
    assert!(
        error.contains("the file is damaged (") && error.contains(" bytes of its image data are blank)"),
        "{error}"
    );
}

#[test]
fn progressive_image_needs_its_last_scans() {
    let form = Form { is_progressive: true, ..USUAL };
    let jpeg = written(&photograph(), ColorType::Rgb, form, 85);
    let scans: Vec<usize> = (0..jpeg.len() - 1).filter(|at| jpeg[*at..].starts_with(&[0xFF, 0xDA])).collect();
    assert!(scans.len() > 3);
    for &scan in &scans[1..] {
        assert_eq!(whole(&jpeg[..scan]), Err(DecodeError::Truncated));
        assert_eq!(whole(&[&jpeg[..scan], &[0xFF, 0xD9]].concat()), Err(DecodeError::Truncated));
    }
}

proptest::proptest! {
    #[test]
    fn no_damage_causes_a_panic(
        form in 0_usize..24,
        changes in proptest::collection::vec((0_usize..9_000, 0_u8..), 1..8),
        cut in 0_usize..20_000,
    ) {
        let mut jpeg = written(&photograph(), ColorType::Rgb, forms()[form], 70);
        for (at, value) in changes {
            let at = at % jpeg.len();
            jpeg[at] = value;
        }
        jpeg.truncate(cut.max(4));
        drop(decode(&jpeg));
    }
}
