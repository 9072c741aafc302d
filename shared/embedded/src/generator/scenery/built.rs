//! Built scenery: a city and a market.

use rand::{Rng, RngExt};

use super::super::tone::{Rgb01, mix};
use super::canvas::Canvas;

/// Colours of goods, signs and book spines.
const PAINTS: [Rgb01; 7] = [
    [0.76, 0.22, 0.18],
    [0.90, 0.66, 0.22],
    [0.20, 0.46, 0.62],
    [0.30, 0.52, 0.30],
    [0.86, 0.82, 0.72],
    [0.46, 0.24, 0.42],
    [0.84, 0.44, 0.24],
];

pub(super) fn any_paint(rng: &mut impl Rng) -> Rgb01 {
    PAINTS[rng.random_range(0..PAINTS.len())]
}

/// A paint in the light of the scene.
pub(super) fn lit(canvas: &Canvas, paint: Rgb01) -> Rgb01 {
    let light = mix(canvas.palette.zenith, canvas.palette.horizon, 0.5);
    std::array::from_fn(|c| paint[c] * (0.2 + 0.85 * light[c]))
}

/// Rows of houses with windows, a street, and signs.
pub(super) fn city(canvas: &mut Canvas, rng: &mut impl Rng) {
    canvas.sky(rng);
    let darkness = 1.0 - canvas.palette.zenith[1];
    for layer in 0..3 {
        let near = layer as f32 / 2.0;
        let mut x = rng.random_range(-60.0..0.0);
        while x < canvas.width() {
            let wide = rng.random_range(50.0..110.0) * (0.8 + 0.9 * near);
            let tall = canvas.horizon * rng.random_range(0.25..0.6) * (0.8 + 0.7 * near);
            let wall = mix(canvas.palette.distant(0.7 - 0.5 * near), lit(canvas, any_paint(rng)), 0.15 + 0.25 * near);
            house(canvas, [x, canvas.horizon + 8.0 - tall, wide, tall], wall, near, rng);
            x += wide + rng.random_range(0.0..40.0);
        }
    }
    let street = canvas.palette.ground;
    canvas.ground(canvas.horizon + 6.0, street, rng);
    let (vanish, bottom) = (canvas.width() * rng.random_range(0.3..0.7), canvas.height());
    for lane in -3..=3 {
        let foot = vanish + lane as f32 * 420.0;
        let color = mix(street, canvas.palette.horizon, 0.35);
        canvas.polygon(&[(vanish, canvas.horizon + 6.0), (foot, bottom), (foot + 26.0, bottom)], color);
    }
    for _ in 0..(6.0 + 26.0 * darkness) as usize {
        let (x, y) = (rng.random_range(0.0..canvas.width()), canvas.horizon * rng.random_range(0.55..1.08));
        let color =
            if rng.random_range(0..3) == 0 { any_paint(rng).map(|c| (c * 1.4).min(1.0)) } else { canvas.palette.lamp };
        canvas.lamp(x, y, rng.random_range(2.0..5.0), color);
    }
    canvas.mottle(0.2, rng);
}

/// A house front: left, top, width and height, with a grid of windows.
fn house(canvas: &mut Canvas, [left, top, width, height]: [f32; 4], wall: Rgb01, near: f32, rng: &mut impl Rng) {
    canvas.block(left, top, width, height, wall);
    canvas.block(left + width * 0.82, top, width * 0.18, height, wall.map(|c| c * 0.78));
    canvas.block(left - 3.0, top, width + 6.0, 5.0, wall.map(|c| c * 0.65));
    let (cell_x, cell_y) = (16.0 + 14.0 * near, 22.0 + 18.0 * near);
    let darkness = 1.0 - canvas.palette.zenith[1];
    let mut y = top + 14.0;
    while y + cell_y * 0.6 < top + height {
        let mut x = left + 8.0;
        while x + cell_x * 0.6 < left + width * 0.82 {
            let glass = if rng.random_range(0.0..1.0) < 0.55 * darkness - 0.1 {
                mix(canvas.palette.lamp, wall, rng.random_range(0.0..0.4))
            } else {
                mix(canvas.palette.shade, canvas.palette.zenith, rng.random_range(0.1..0.5))
            };
            canvas.block(x, y, cell_x * 0.5, cell_y * 0.58, glass);
            x += cell_x;
        }
        y += cell_y;
    }
}

/// Stalls with striped awnings and goods, under strings of bulbs.
pub(super) fn market(canvas: &mut Canvas, rng: &mut impl Rng) {
    city(canvas, rng);
    canvas.lamps.clear();
    let level = canvas.horizon + 30.0;
    let mut x = rng.random_range(-120.0..0.0);
    while x < canvas.width() {
        let (wide, tall) = (rng.random_range(150.0..260.0), rng.random_range(120.0..190.0));
        let (cloth, pale) = (lit(canvas, any_paint(rng)), lit(canvas, [0.95, 0.92, 0.86]));
        canvas.block(x, level - tall * 0.6, wide, tall, canvas.palette.distant(0.12));
        let stripes = 8;
        for stripe in 0..stripes {
            let (step, from) = (wide / stripes as f32, x + wide * stripe as f32 / stripes as f32);
            let color = if stripe % 2 == 0 { cloth } else { pale };
            canvas.polygon(
                &[
                    (from, level - tall),
                    (from + step, level - tall),
                    (from + step + 8.0, level - tall * 0.55),
                    (from - 8.0, level - tall * 0.55),
                ],
                color,
            );
        }
        for _ in 0..60 {
            let at = (x + rng.random_range(8.0..wide - 8.0), level + rng.random_range(-18.0..34.0));
            let goods = lit(canvas, any_paint(rng)).map(|c| (c * 1.2).min(1.0));
            canvas.disc(at.0, at.1, rng.random_range(4.0..9.0), goods);
        }
        canvas.block(x, level + 36.0, wide, 54.0, lit(canvas, [0.5, 0.36, 0.24]));
        canvas.lamp(x + wide / 2.0, level - tall * 0.42, 6.0, canvas.palette.lamp);
        x += wide + rng.random_range(20.0..90.0);
    }
    for _ in 0..2 {
        let (height, sag) = (canvas.height() * rng.random_range(0.12..0.36), rng.random_range(20.0..70.0));
        let slope = rng.random_range(-60.0..60.0);
        for bulb in 0..15 {
            let t = bulb as f32 / 14.0;
            let y = height + slope * t + sag * 4.0 * t * (1.0 - t);
            canvas.lamp(t * canvas.width(), y, 4.0, canvas.palette.lamp);
        }
    }
}
