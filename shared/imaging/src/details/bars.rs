//! Measures black or white bars on opposite sides of a picture.

use image::GrayImage;

/// The largest difference from black or white that compression causes in a bar.
const TOLERANCE: u8 = 12;
/// The least difference from the bar of a pixel of the picture beside it.
const STEP: u8 = 24;
/// The share of the picture's first line that must differ from the bar: the bare paper around a drawing ends gradually.
const ABRUPT: f32 = 0.5;

/// The share of the picture, in percent, that bars on two opposite sides cover; 0 without bars.
pub(crate) fn bars_percent(gray: &GrayImage) -> u8 {
    let (width, height) = (gray.width() as usize, gray.height() as usize);
    let pixels = gray.as_raw();
    let row = |y: usize| pixels[y * width..(y + 1) * width].iter().copied();
    let column = |x: usize| pixels[x..].iter().step_by(width).copied();
    let percent = |lines: usize, all: usize| (lines * 100 / all.max(1)) as u8;
    percent(bars(height, row), height).max(percent(bars(width, column), width))
}

/// The number of lines in both bars; 0 unless both sides have a bar of the same colour.
fn bars<I: Iterator<Item = u8>>(lines: usize, line: impl Fn(usize) -> I) -> usize {
    [0, u8::MAX].into_iter().map(|colour| pair(lines, colour, &line)).max().unwrap_or_default()
}

fn pair<I: Iterator<Item = u8>>(lines: usize, colour: u8, line: impl Fn(usize) -> I) -> usize {
    let is_bar = |index: &usize| line(*index).all(|value| value.abs_diff(colour) <= TOLERANCE);
    let before = (0..lines).take_while(is_bar).count();
    let after = (0..lines).rev().take_while(is_bar).count();
    if before == 0 || after == 0 || before + after >= lines {
        return 0;
    }
    // Compression blurs the line beside the bar, so the second one counts.
    let is_abrupt = |index: usize| {
        let (mut all, mut different) = (0_u32, 0_u32);
        for value in line(index) {
            all += 1;
            different += u32::from(value.abs_diff(colour) > STEP);
        }
        different as f32 >= ABRUPT * all as f32
    };
    let is_framed = is_abrupt((before + 1).min(lines - 1)) && is_abrupt((lines - after).saturating_sub(2));
    if is_framed { before + after } else { 0 }
}
