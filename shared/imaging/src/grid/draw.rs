//! Draws a page of the grid.

use image::{Rgb, RgbImage, imageops};
use imageproc::drawing::draw_filled_rect_mut;
use imageproc::rect::Rect;

use super::layout::{CELL_SIDE, Page, REFERENCE_LABEL};
use super::text::{TEXT_HEIGHT, draw_text, text_width};
use crate::shrink;

const BACKGROUND: Rgb<u8> = Rgb([24, 24, 24]);
const LABEL_BACKGROUND: Rgb<u8> = Rgb([0, 0, 0]);
const LABEL: Rgb<u8> = Rgb([255, 255, 255]);

/// The free space around each image, in pixels, which separates neighbours.
const MARGIN: u32 = 4;

/// Draws a page: each image is complete and centred in its cell, with the cell's number in the upper left corner. The
/// reserved cell shows the base image `reference`, or stays empty without one.
#[must_use]
pub fn draw_page(page: &Page, images: &[&RgbImage], reference: Option<&RgbImage>) -> RgbImage {
    let mut canvas = RgbImage::from_pixel(page.width, page.height, BACKGROUND);
    if let Some(reference) = reference.filter(|_| page.has_reference) {
        place(&mut canvas, reference, 0, 0);
        label(&mut canvas, REFERENCE_LABEL, 0, 0);
    }
    for cell in &page.cells {
        if let Some(image) = images.get(cell.image) {
            place(&mut canvas, image, cell.x, cell.y);
        }
        label(&mut canvas, &cell.number.to_string(), cell.x, cell.y);
    }
    canvas
}

fn place(canvas: &mut RgbImage, image: &RgbImage, x: u32, y: u32) {
    let fitted = shrink(image, CELL_SIDE - 2 * MARGIN);
    let left = x + (CELL_SIDE - fitted.width()) / 2;
    let top = y + (CELL_SIDE - fitted.height()) / 2;
    imageops::overlay(canvas, &fitted, i64::from(left), i64::from(top));
}

fn label(canvas: &mut RgbImage, text: &str, x: u32, y: u32) {
    let area = Rect::at(x as i32, y as i32).of_size(text_width(text) + 2 * MARGIN, TEXT_HEIGHT + 2 * MARGIN);
    draw_filled_rect_mut(canvas, area, LABEL_BACKGROUND);
    draw_text(canvas, text, x + MARGIN, y + MARGIN, LABEL);
}
