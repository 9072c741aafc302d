use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use moxcms::{
    ColorProfile, DataColorSpace, LutDataType, LutStore, LutType, LutWarehouse, Matrix3d, ProfileClass, Xyzd,
};

use crate::decode;

const SIDE: usize = 64;

/// A colour by its profile, and the same in sRGB, computed from the primaries in CIE 1931 (IEC 61966-2-1, SMPTE EG
/// 432-1, Adobe RGB 1998).
const DISPLAY_P3: [([u8; 3], [u8; 3]); 5] = [
    ([204, 51, 51], [222, 24, 41]),
    ([120, 160, 90], [108, 161, 80]),
    ([60, 110, 180], [39, 112, 186]),
    ([200, 150, 130], [209, 147, 126]),
    ([255, 255, 255], [255, 255, 255]),
];
const ADOBE_RGB: [([u8; 3], [u8; 3]); 3] =
    [([204, 51, 51], [237, 48, 48]), ([120, 160, 90], [99, 161, 85]), ([200, 150, 130], [217, 151, 130])];

fn icc(profile: &ColorProfile) -> Vec<u8> {
    profile.encode().unwrap()
}

fn png(samples: &[u8], colours: ExtendedColorType, icc: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    if let Some(icc) = icc {
        encoder.set_icc_profile(icc).unwrap();
    }
    encoder.write_image(samples, SIDE as u32, SIDE as u32, colours).unwrap();
    file
}

fn webp(samples: &[u8], icc: Vec<u8>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut file);
    encoder.set_icc_profile(icc).unwrap();
    encoder.write_image(samples, SIDE as u32, SIDE as u32, ExtendedColorType::Rgb8).unwrap();
    file
}

fn jpeg(samples: &[u8], colours: ColorType, icc: Option<&[u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 100);
    encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    if let Some(icc) = icc {
        encoder.add_icc_profile(icc).unwrap();
    }
    encoder.encode(samples, SIDE as u16, SIDE as u16, colours).unwrap();
    file
}

fn filled(colour: &[u8]) -> Vec<u8> {
    colour.repeat(SIDE * SIDE)
}

#[track_caller]
fn assert_shows(file: &[u8], colour: [u8; 3], tolerance: u8) {
    let found = decode(file).unwrap().get_pixel(30, 30).0;
    let is_near = found.iter().zip(colour).all(|(found, wanted)| found.abs_diff(wanted) <= tolerance);
    assert!(is_near, "{found:?} instead of {colour:?}");
}

/// Inserts a chunk right after the header of a PNG.
fn with_chunk(png: &[u8], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    const HEADER_END: usize = 33;
    let named = [kind, content].concat();
    // The checksum of PNG chunks (ISO 3309).
    let checksum = !named.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&png[..HEADER_END], &length, &named, &checksum.to_be_bytes(), &png[HEADER_END..]].concat()
}

fn numbers(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

#[test]
fn colours_are_converted_to_srgb() {
    for (profile, colours) in
        [(ColorProfile::new_display_p3(), &DISPLAY_P3[..]), (ColorProfile::new_adobe_rgb(), &ADOBE_RGB)]
    {
        let icc = icc(&profile);
        for (of_profile, of_srgb) in colours {
            let samples = filled(of_profile);
            assert_shows(&png(&samples, ExtendedColorType::Rgb8, Some(icc.clone())), *of_srgb, 2);
            assert_shows(&webp(&samples, icc.clone()), *of_srgb, 2);
            assert_shows(&jpeg(&samples, ColorType::Rgb, Some(&icc)), *of_srgb, 4);
        }
    }
}

#[test]
fn every_depth_and_an_alpha_channel_are_converted() {
    let icc = icc(&ColorProfile::new_display_p3());
    let deep: Vec<u8> = filled(&[204, 51, 51]).iter().flat_map(|value| [*value, *value]).collect();
    assert_shows(&png(&deep, ExtendedColorType::Rgb16, Some(icc.clone())), [222, 24, 41], 2);
    let opaque = filled(&[204, 51, 51, 255]);
    assert_shows(&png(&opaque, ExtendedColorType::Rgba8, Some(icc.clone())), [222, 24, 41], 2);
    assert_shows(&png(&filled(&[204, 51, 51, 0]), ExtendedColorType::Rgba8, Some(icc)), [255; 3], 0);
}

#[test]
fn tones_of_a_gray_profile_are_converted_to_srgb() {
    let icc = icc(&ColorProfile::new_gray_with_gamma(1.8));
    assert_shows(&png(&filled(&[128]), ExtendedColorType::L8, Some(icc.clone())), [146; 3], 2);
    assert_shows(&png(&filled(&[128, 255]), ExtendedColorType::La8, Some(icc.clone())), [146; 3], 2);
    assert_shows(&png(&[128; 2 * SIDE * SIDE], ExtendedColorType::L16, Some(icc.clone())), [146; 3], 2);
    assert_shows(&jpeg(&filled(&[128]), ColorType::Luma, Some(&icc)), [146; 3], 3);
}

/// A picture with every colour in it.
fn all_sorts() -> Vec<u8> {
    (0..SIDE * SIDE).flat_map(|at| [at % 256, at * 7 % 256, at / 16 % 256].map(|value| value as u8)).collect()
}

#[test]
fn srgb_profile_changes_no_pixel() {
    let (samples, icc) = (all_sorts(), icc(&ColorProfile::new_srgb()));
    let plain = decode(&png(&samples, ExtendedColorType::Rgb8, None)).unwrap();
    assert_eq!(decode(&png(&samples, ExtendedColorType::Rgb8, Some(icc.clone()))).unwrap(), plain);
    assert_eq!(decode(&webp(&samples, icc.clone())).unwrap(), plain);
    let jpegs = [None, Some(&icc[..])].map(|icc| decode(&jpeg(&samples, ColorType::Rgb, icc)).unwrap());
    assert_eq!(jpegs[0], jpegs[1]);
}

#[test]
fn broken_or_unfitting_profile_is_ignored() {
    let samples = all_sorts();
    let plain = decode(&png(&samples, ExtendedColorType::Rgb8, None)).unwrap();
    let whole = icc(&ColorProfile::new_display_p3());
    let mut black = ColorProfile::new_display_p3();
    (black.red_colorant, black.green_colorant, black.blue_colorant) =
        (Xyzd { x: 1e-4, y: 1e-4, z: 1e-4 }, Xyzd { x: 1e-4, y: 0.0, z: 0.0 }, Xyzd { x: 0.0, y: 1e-4, z: 0.0 });
    let oversized = [&whole[..], &vec![0; super::MAX_PROFILE]].concat();
    for (what, broken) in [
        ("text", b"no profile at all".to_vec()),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("all black", icc(&black)),
        ("of inks", icc(&four_inks())),
        ("of gray", icc(&ColorProfile::new_gray_with_gamma(1.8))),
        ("too large", oversized),
    ] {
        let image = decode(&png(&samples, ExtendedColorType::Rgb8, Some(broken))).unwrap();
        assert!(image == plain, "{what}");
    }
}

#[test]
fn damaged_profile_is_no_error() {
    let samples = filled(&[204, 51, 51]);
    let mut random = 1_u32;
    for profile in [ColorProfile::new_display_p3(), four_inks()].map(|profile| icc(&profile)) {
        for _ in 0..300 {
            let mut damaged = profile.clone();
            for _ in 0..3 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = random as usize / 256 % damaged.len();
                damaged[at] = random as u8;
            }
            decode(&png(&samples, ExtendedColorType::Rgb8, Some(damaged.clone()))).unwrap();
            decode(&jpeg(&filled(&[9, 99, 199, 29]), ColorType::Cmyk, Some(&damaged))).unwrap();
        }
    }
}

/// A press whose cyan, magenta and yellow differ from those of a screen. Between its full inks it is linear in Lab.
fn four_inks() -> ColorProfile {
    let lab = |[light, a, b]: [f64; 3]| {
        [light * 652.8, (a + 128.0) * 256.0, (b + 128.0) * 256.0].map(|value| value.round() as u16)
    };
    let node = |inks: usize| match inks {
        0b0000 => [100.0, 0.0, 0.0],
        0b1000 => [54.35, -15.54, -40.67],
        0b0100 => [43.54, 64.87, -8.75],
        0b0010 => [87.4, -5.35, 80.36],
        _ => [12.0, 0.0, 0.0],
    };
    let straight = |channels: usize| LutStore::Store16([0, 0xFFFF].repeat(channels));
    let mut profile = ColorProfile::default();
    profile.color_space = DataColorSpace::Cmyk;
    profile.pcs = DataColorSpace::Lab;
    profile.profile_class = ProfileClass::OutputDevice;
    profile.white_point = ColorProfile::new_srgb().white_point;
    profile.lut_a_to_b_perceptual = Some(LutWarehouse::Lut(LutDataType {
        num_input_channels: 4,
        num_output_channels: 3,
        num_clut_grid_points: 2,
        matrix: Matrix3d { v: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] },
        num_input_table_entries: 2,
        num_output_table_entries: 2,
        input_table: straight(4),
        clut_table: LutStore::Store16((0..16).flat_map(|inks| lab(node(inks))).collect()),
        output_table: straight(3),
        lut_type: LutType::Lut16,
    }));
    profile
}

/// Inks, and their colours by [`four_inks`].
const PRINTED: [([u8; 4], [u8; 3]); 4] = [
    ([0, 0, 0, 0], [255, 255, 255]),
    ([255, 0, 0, 0], [0, 140, 200]),
    ([0, 255, 0, 0], [190, 30, 120]),
    ([0, 0, 255, 0], [240, 220, 40]),
];

#[test]
fn inks_are_converted_by_their_profile() {
    let icc = icc(&four_inks());
    for (inks, colour) in PRINTED {
        for kind in [ColorType::Cmyk, ColorType::CmykAsYcck] {
            assert_shows(&jpeg(&filled(&inks), kind, Some(&icc)), colour, 4);
        }
    }
}

#[test]
fn inks_without_a_profile_are_mixed_plainly() {
    let broken = [&b"no profile"[..], &[0; 200]].concat();
    for icc in [None, Some(&broken[..])] {
        for kind in [ColorType::Cmyk, ColorType::CmykAsYcck] {
            assert_shows(&jpeg(&filled(&[255, 0, 0, 0]), kind, icc), [0, 255, 255], 4);
        }
    }
}

#[test]
fn gamma_and_primaries_of_a_png_are_applied() {
    let gray = png(&filled(&[128]), ExtendedColorType::L8, None);
    assert_shows(&with_chunk(&gray, b"gAMA", &numbers(&[100_000])), [188; 3], 2);
    assert_shows(&with_chunk(&gray, b"gAMA", &numbers(&[45_455])), [128; 3], 0);
    let red = png(&filled(&[204, 51, 51]), ExtendedColorType::Rgb8, None);
    let display_p3 = [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000];
    assert_shows(&with_chunk(&red, b"cHRM", &numbers(&display_p3)), [222, 24, 41], 2);
    assert_shows(&with_chunk(&red, b"cICP", &[12, 13, 0, 1]), [222, 24, 41], 2);
    let overruled = with_chunk(&with_chunk(&red, b"cHRM", &numbers(&display_p3)), b"sRGB", &[0]);
    assert_shows(&overruled, [204, 51, 51], 0);
    for nonsense in [[0; 8], [31_270, 32_900, 68_000, 32_000, 68_000, 32_000, 68_000, 32_000]] {
        assert_shows(&with_chunk(&red, b"cHRM", &numbers(&nonsense)), [204, 51, 51], 0);
    }
    assert_shows(&with_chunk(&red, b"gAMA", &numbers(&[0])), [204, 51, 51], 0);
}

/// The EXIF data that rotate an image by 90° clockwise (TIFF 6.0, tag 274, value 6).
const ROTATED: &[u8] = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

#[test]
fn image_with_a_profile_is_rotated_upright() {
    let (icc, size) = (icc(&ColorProfile::new_display_p3()), (128_u32, 64_u32));
    let left_red = RgbImage::from_fn(size.0, size.1, |x, _| image::Rgb(if x < 64 { [204, 51, 51] } else { [9; 3] }));
    let encode = |encoder: &mut dyn FnMut(&mut Cursor<Vec<u8>>)| {
        let mut file = Cursor::new(Vec::new());
        encoder(&mut file);
        file.into_inner()
    };
    let files = [
        encode(&mut |file| {
            let mut encoder = PngEncoder::new(file);
            encoder.set_icc_profile(icc.clone()).unwrap();
            encoder.set_exif_metadata(ROTATED.to_vec()).unwrap();
            encoder.write_image(&left_red, size.0, size.1, ExtendedColorType::Rgb8).unwrap();
        }),
        encode(&mut |file| {
            let mut encoder = WebPEncoder::new_lossless(file);
            encoder.set_icc_profile(icc.clone()).unwrap();
            encoder.set_exif_metadata(ROTATED.to_vec()).unwrap();
            encoder.write_image(&left_red, size.0, size.1, ExtendedColorType::Rgb8).unwrap();
        }),
        encode(&mut |file| {
            let mut encoder = Encoder::new(file, 100);
            encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
            encoder.add_exif_metadata(ROTATED).unwrap();
            encoder.add_icc_profile(&icc).unwrap();
            encoder.encode(&left_red, 128, 64, ColorType::Rgb).unwrap();
        }),
    ];
    for file in files {
        let upright = decode(&file).unwrap();
        assert_eq!(upright.dimensions(), (64, 128));
        assert_shows(&file, [222, 24, 41], 4);
        assert!(upright.get_pixel(30, 100).0[0] < 30, "the right edge becomes the lower one");
    }
}
