//! The contact sheet of a set before and after: deleted images are crossed out, generated ones have a green frame.

use image::{Rgb, RgbImage, imageops};
use imageproc::drawing::{draw_antialiased_line_segment_mut, draw_hollow_rect_mut};
use imageproc::pixelops::interpolate;
use imageproc::rect::Rect;
use imaging::grid::{TEXT_HEIGHT, draw_text};

/// The longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 216;

const COLUMNS: u32 = 7;
const CELL_WIDTH: u32 = 224;
const CELL_HEIGHT: u32 = 136;
const MARGIN: u32 = 16;
const TITLE_HEIGHT: u32 = TEXT_HEIGHT + 2 * MARGIN;

const BACKGROUND: Rgb<u8> = Rgb([250, 249, 246]);
const TITLE: Rgb<u8> = Rgb([32, 32, 36]);
const RED: Rgb<u8> = Rgb([206, 42, 42]);
const GREEN: Rgb<u8> = Rgb([34, 148, 83]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Kept,
    Deleted,
    Generated,
}

pub struct Thumbnail<'a> {
    pub image: &'a RgbImage,
    pub mark: Mark,
}

pub struct Section<'a> {
    pub title: String,
    pub thumbnails: Vec<Thumbnail<'a>>,
}

impl Section<'_> {
    fn height(&self) -> u32 {
        let rows = u32::try_from(self.thumbnails.len()).unwrap_or(u32::MAX).div_ceil(COLUMNS);
        TITLE_HEIGHT + rows * CELL_HEIGHT
    }
}

/// Draws the sections below each other.
pub fn draw(sections: &[Section<'_>]) -> RgbImage {
    let height = sections.iter().map(Section::height).sum::<u32>() + MARGIN;
    let mut sheet = RgbImage::from_pixel(2 * MARGIN + COLUMNS * CELL_WIDTH, height, BACKGROUND);
    let mut top = 0;
    for section in sections {
        draw_text(&mut sheet, &section.title, MARGIN, top + MARGIN, TITLE);
        for (place, thumbnail) in (0..).zip(&section.thumbnails) {
            let x = MARGIN + place % COLUMNS * CELL_WIDTH;
            let y = top + TITLE_HEIGHT + place / COLUMNS * CELL_HEIGHT;
            draw_thumbnail(&mut sheet, thumbnail, x, y);
        }
        top += section.height();
    }
    sheet
}

fn draw_thumbnail(sheet: &mut RgbImage, thumbnail: &Thumbnail<'_>, x: u32, y: u32) {
    let (width, height) = thumbnail.image.dimensions();
    let scale = f64::min(f64::from(CELL_WIDTH - 8) / f64::from(width), f64::from(CELL_HEIGHT - 8) / f64::from(height));
    let scaled = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    let image = imaging::resize(thumbnail.image, scaled(width), scaled(height));
    imageops::overlay(sheet, &image, i64::from(x), i64::from(y));
    match thumbnail.mark {
        Mark::Kept => {}
        Mark::Generated => frame(sheet, x, y, &image, GREEN),
        Mark::Deleted => {
            frame(sheet, x, y, &image, RED);
            cross_out(sheet, x, y, &image);
        }
    }
}

fn frame(sheet: &mut RgbImage, x: u32, y: u32, image: &RgbImage, colour: Rgb<u8>) {
    for inset in 0..3 {
        let size = (image.width().saturating_sub(2 * inset).max(1), image.height().saturating_sub(2 * inset).max(1));
        let area = Rect::at((x + inset) as i32, (y + inset) as i32).of_size(size.0, size.1);
        draw_hollow_rect_mut(sheet, area, colour);
    }
}

fn cross_out(sheet: &mut RgbImage, x: u32, y: u32, image: &RgbImage) {
    let (left, top) = (x as i32, y as i32);
    let (right, bottom) = (left + image.width() as i32 - 1, top + image.height() as i32 - 1);
    for shift in -1..=1 {
        draw_antialiased_line_segment_mut(sheet, (left, top + shift), (right, bottom + shift), RED, interpolate);
        draw_antialiased_line_segment_mut(sheet, (left, bottom + shift), (right, top + shift), RED, interpolate);
    }
}
