//! Indoor scenery: a room with windows, shelves and lamps.

use rand::{Rng, RngExt};

use super::super::tone::mix;
use super::built::{any_paint, lit};
use super::canvas::Canvas;

/// A room: wall, windows, shelves, a lamp and a floor of boards.
pub(super) fn interior(canvas: &mut Canvas, rng: &mut impl Rng) {
    let wall = lit(canvas, mix(any_paint(rng), [0.80, 0.72, 0.62], 0.72));
    canvas.block(0.0, 0.0, canvas.width(), canvas.height(), wall);
    let floor = canvas.height() * rng.random_range(0.74..0.84);
    let boards = canvas.palette.ground;
    canvas.ground(floor, boards, rng);
    let vanish = canvas.width() * rng.random_range(0.2..0.8);
    for board in -14..=14 {
        let (top, foot) = (vanish + board as f32 * 90.0, vanish + board as f32 * 190.0);
        canvas
            .polygon(&[(top, floor), (foot, canvas.height()), (foot + 5.0, canvas.height())], boards.map(|c| c * 0.55));
    }
    canvas.block(0.0, floor - 14.0, canvas.width(), 14.0, wall.map(|c| c * 0.6));
    let mut x = rng.random_range(-80.0..60.0);
    while x < canvas.width() {
        let wide = rng.random_range(150.0..280.0);
        let top = rng.random_range(90.0..170.0);
        if rng.random::<bool>() {
            window(canvas, [x, top, wide, floor * 0.58], rng);
        } else {
            shelves(canvas, [x, top, wide, floor - top - 20.0], rng);
        }
        x += wide + rng.random_range(40.0..150.0);
    }
    for _ in 0..rng.random_range(2..5) {
        let (x, y) = (rng.random_range(0.0..canvas.width()), rng.random_range(110.0..260.0));
        canvas.block(x - 1.0, 0.0, 2.0, y, canvas.palette.shade);
        canvas.polygon(
            &[(x - 34.0, y + 8.0), (x + 34.0, y + 8.0), (x + 12.0, y - 22.0), (x - 12.0, y - 22.0)],
            canvas.palette.distant(0.2),
        );
        canvas.lamp(x, y + 10.0, 11.0, canvas.palette.lamp);
    }
    canvas.mottle(0.45, rng);
}

/// A window onto the sky: left, top, width and height.
fn window(canvas: &mut Canvas, [left, top, width, height]: [f32; 4], rng: &mut impl Rng) {
    let frame = lit(canvas, [0.86, 0.82, 0.74]);
    canvas.block(left - 10.0, top - 10.0, width + 20.0, height + 20.0, frame);
    let (columns, rows) = (rng.random_range(2..4), rng.random_range(2..5));
    for column in 0..columns {
        for row in 0..rows {
            let (wide, tall) = (width / columns as f32, height / rows as f32);
            let depth = (row as f32 + 0.5) / rows as f32;
            let glass = mix(
                canvas.palette.zenith,
                mix(canvas.palette.horizon, [1.0; 3], 0.2),
                depth * 0.8 + rng.random_range(0.0..0.2),
            );
            canvas.block(
                left + wide * column as f32 + 4.0,
                top + tall * row as f32 + 4.0,
                wide - 8.0,
                tall - 8.0,
                glass,
            );
        }
    }
}

/// Shelves of books, jars or boxes: left, top, width and height.
fn shelves(canvas: &mut Canvas, [left, top, width, height]: [f32; 4], rng: &mut impl Rng) {
    canvas.block(left, top, width, height, lit(canvas, [0.34, 0.22, 0.14]));
    let boards = 5;
    let gap = height / boards as f32;
    for board in 0..boards {
        let foot = top + gap * (board + 1) as f32;
        let mut x = left + 6.0;
        while x < left + width - 18.0 {
            let (wide, tall) = (rng.random_range(7.0..18.0), gap * rng.random_range(0.5..0.85));
            let spine = lit(canvas, any_paint(rng)).map(|c| c * 0.85);
            canvas.block(x, foot - tall, wide, tall, spine);
            canvas.block(x, foot - tall * 0.8, wide, 3.0, mix(spine, canvas.palette.lamp, 0.5));
            x += wide + 1.5;
        }
        canvas.block(left - 4.0, foot, width + 8.0, 6.0, lit(canvas, [0.46, 0.31, 0.20]));
    }
}
