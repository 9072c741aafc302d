//! The colour techniques.

use image::RgbImage;
use image::imageops::fast_blur;
use imageproc::filter::median_filter;
use rand::{Rng, RngExt};

use super::brief::Color;
use super::lines::contours;
use super::painterly::{emboss, ink, kuwahara, nearest, palette, recolor};
use super::scenery::coverage;
use super::shot::Shot;
use super::texture::{Screen, clouds, fractal, grain};
use super::tone::{Plane, Rgb01, at, from_pixel, gradient, luma_plane, luminance, mix, saturate, smoothstep};
use super::{HEIGHT, WIDTH};

/// Paints a shot in one of the colour techniques.
pub(super) fn paint(shot: &Shot, technique: Color, rng: &mut impl Rng) -> RgbImage {
    let scene = prepared(shot);
    match technique {
        Color::Comic => comic(&scene, shot, rng),
        Color::Vector => vector(&scene, shot, rng),
        Color::Watercolor => watercolor(&scene, shot, rng),
        Color::Gouache => brushed(&scene, shot, Brush { radius: 4, saturation: 1.25, relief: 0.5, bristle: 5 }, rng),
        Color::Acrylic => brushed(&scene, shot, Brush { radius: 6, saturation: 1.5, relief: 2.2, bristle: 8 }, rng),
        Color::Oil => brushed(&scene, shot, Brush { radius: 5, saturation: 1.2, relief: 1.6, bristle: 6 }, rng),
        Color::Digital => digital(&scene, shot, rng),
        Color::Pastel => pastel(&scene, shot, rng),
        Color::Collage => collage(&scene, shot, rng),
    }
}

/// The scene in strong, clear colours: what a painter picks rather than what a lens sees.
fn prepared(shot: &Shot) -> RgbImage {
    let scene = shot.flatten();
    let mut luma = luma_plane(&scene);
    super::tone::stretch(&mut luma, 0.01, 0.02);
    recolor(&scene, |x, y, color| {
        let factor = (at(&luma, x, y) + 0.03) / (luminance(color) + 0.03);
        saturate(color.map(|c| (c * factor).clamp(0.0, 1.0)), 1.35)
    })
}

/// Flat saturated colours, dark outlines, and a screen of dots in the half-shadows.
fn comic(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let luma = luma_plane(scene);
    let outline = contours(&fast_blur(&luma, 0.6), 1.3, 16.0, 0.20);
    let flat = flatten(scene, shot, 16);
    let (rows, columns) = (Screen::new(0.78, 6.0), Screen::new(0.78 + 1.5708, 6.0));
    let shift = rng.random_range(0.0..6.0);
    let dotted = recolor(&flat, |x, y, color| {
        let tone = luminance(color);
        let dot = rows.distance(x, y, shift).hypot(columns.distance(x, y, shift));
        let shaded = (0.12..0.38).contains(&tone) && dot < 0.5;
        saturate(color.map(|c| if shaded { c * 0.7 } else { c }), 1.6)
    });
    ink(&dotted, &outline, [0.03, 0.03, 0.05])
}

/// A few flat colours with smooth outlines.
fn vector(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let flat = flatten(scene, shot, rng.random_range(10..14));
    let smooth = median_filter(&flat, 3, 3);
    recolor(&smooth, |_, _, color| saturate(mix(color, [1.0; 3], 0.04), 1.5))
}

/// Reduces a picture to the nearest of a few colours in patches without small detail.
fn flatten(scene: &RgbImage, shot: &Shot, colors: usize) -> RgbImage {
    let patches = strokes_of(&kuwahara(scene, 2), shot, 4);
    let paints = palette(&patches, colors);
    recolor(&patches, |_, _, color| paints[nearest(&paints, color)])
}

/// Transparent washes that pool at their edges and leave white paper at the border.
fn watercolor(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let washes = strokes_of(scene, shot, 5);
    let luma = fast_blur(&luma_plane(&washes), 1.0);
    let pools = fractal(WIDTH, HEIGHT, 90, rng);
    let paper = fast_blur(&grain(WIDTH, HEIGHT, rng), 0.8);
    let ragged = fractal(WIDTH, HEIGHT, 60, rng);
    let pencil = contours(&luma, 0.9, 15.0, 0.30);
    recolor(&washes, |x, y, color| {
        let (dx, dy) = gradient(&luma, x, y);
        let edge = smoothstep(0.02, 0.12, dx.hypot(dy));
        let density = 0.72 + 0.45 * (at(&pools, x, y) - 0.5) + 0.35 * edge + 0.10 * at(&paper, x, y);
        // Washes absorb light, so denser pigment is an exponent on the colour of the paper seen through it.
        let wash: Rgb01 = saturate(color, 1.5).map(|c| (0.10 + 0.90 * c).powf(density.max(0.2)));
        let (u, v) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let border = u.min(1.0 - u).min((v.min(1.0 - v)) * 0.6);
        let dry =
            smoothstep(0.03, 0.09, border + 0.12 * (at(&ragged, x, y) - 0.5) + 0.12 * coverage(&shot.matte, x, y));
        let drawn = wash.map(|c| c * (0.62 + 0.38 * at(&pencil, x, y)));
        mix([0.985, 0.975, 0.95], drawn, dry).map(|c| c + 0.035 * at(&paper, x, y))
    })
}

/// A brush and the paint on it.
struct Brush {
    /// Size of the marks in pixels.
    radius: u32,
    saturation: f32,
    /// How strongly thick paint catches the light.
    relief: f32,
    /// Distance between bristle marks in pixels.
    bristle: u32,
}

/// Opaque paint in visible strokes.
fn brushed(scene: &RgbImage, shot: &Shot, brush: Brush, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, brush.radius, rng), shot, brush.radius);
    let bristles = streaks(brush.bristle, rng);
    let vivid = recolor(&patches, |_, _, color| saturate(color, brush.saturation));
    emboss(&vivid, &bristles, brush.relief)
}

/// Smooths a scene into strokes of a brush, with a finer brush for the figure.
fn strokes_of(scene: &RgbImage, shot: &Shot, radius: u32) -> RgbImage {
    let fine = kuwahara(scene, 2);
    let broad = kuwahara(&kuwahara(scene, radius), radius / 2 + 1);
    recolor(&broad, |x, y, color| mix(color, from_pixel(*fine.get_pixel(x, y)), coverage(&shot.matte, x, y)))
}

/// Moves colours a few pixels aside, patch by patch, as dabs of a brush do.
fn dabbed(scene: &RgbImage, shot: &Shot, reach: u32, rng: &mut impl Rng) -> RgbImage {
    let (aside, along) = (clouds(WIDTH, HEIGHT, 9, rng), clouds(WIDTH, HEIGHT, 9, rng));
    let moved = |position: u32, offset: f32, limit: u32| ((position as f32 + offset).max(0.0) as u32).min(limit - 1);
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let loose = 2.2 * reach as f32 * (1.0 - 0.75 * coverage(&shot.matte, x, y));
        let source_x = moved(x, loose * (at(&aside, x, y) - 0.5), WIDTH);
        let source_y = moved(y, loose * (at(&along, x, y) - 0.5), HEIGHT);
        *scene.get_pixel(source_x, source_y)
    })
}

/// Bristle marks: noise drawn out along a direction that turns slowly over the picture.
fn streaks(width: u32, rng: &mut impl Rng) -> Plane {
    let turn = clouds(WIDTH, HEIGHT, 150, rng);
    let noise = fast_blur(&grain(WIDTH, HEIGHT, rng), 0.8);
    let base = rng.random_range(0.0..6.3);
    Plane::from_fn(WIDTH, HEIGHT, |x, y| {
        let (sin, cos) = (base + 3.0 * at(&turn, x, y)).sin_cos();
        let reach = width as i32;
        let sum: f32 = (-reach..=reach)
            .map(|step| {
                let u = (x as f32 + step as f32 * cos).clamp(0.0, WIDTH as f32 - 1.0);
                let v = (y as f32 + step as f32 * sin).clamp(0.0, HEIGHT as f32 - 1.0);
                at(&noise, u as u32, v as u32)
            })
            .sum();
        image::Luma([0.35 * sum / (2 * reach + 1) as f32])
    })
}

/// Smooth painterly shapes with a glow around the lights.
fn digital(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, 3, rng), shot, 5);
    let glow = fast_blur(&patches, 24.0);
    let outline = contours(&luma_plane(&patches), 1.2, 12.0, 0.14);
    let lit = recolor(&patches, |x, y, color| {
        let light = from_pixel(*glow.get_pixel(x, y));
        let screened: Rgb01 = std::array::from_fn(|c| color[c] + (1.0 - color[c]) * light[c].powi(3) * 0.35);
        saturate(screened, 1.55)
    });
    ink(&lit, &outline, [0.10, 0.07, 0.12])
}

/// Chalk that skips the hollows of toned paper.
fn pastel(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, 4, rng), shot, 4);
    let paper = fast_blur(&grain(WIDTH, HEIGHT, rng), 0.8);
    let strokes = streaks(9, rng);
    let toned = [[0.36, 0.30, 0.38], [0.46, 0.36, 0.28], [0.25, 0.33, 0.40]][rng.random_range(0..3)];
    recolor(&patches, |x, y, color| {
        let pressure = 0.75 + 4.0 * at(&strokes, x, y) + 0.9 * at(&paper, x, y);
        let chalk = mix(saturate(color, 1.6), [1.0, 0.98, 0.94], 0.10);
        mix(toned, chalk, smoothstep(-0.1, 0.7, pressure))
    })
}

/// Pieces of coloured paper with torn white edges and shadows.
fn collage(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, 3, rng), shot, 5);
    let paints = palette(&patches, 11);
    let piece = |x: u32, y: u32| nearest(&paints, from_pixel(*patches.get_pixel(x.min(WIDTH - 1), y.min(HEIGHT - 1))));
    let pieces: Vec<usize> =
        (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).map(|(x, y)| piece(x, y)).collect();
    let piece_at = |x: u32, y: u32| pieces[(y.min(HEIGHT - 1) * WIDTH + x.min(WIDTH - 1)) as usize];
    let (fibre, print) = (grain(WIDTH, HEIGHT, rng), clouds(WIDTH, HEIGHT, 40, rng));
    recolor(scene, |x, y, _| {
        let here = piece_at(x, y);
        let sheet = saturate(paints[here], 1.8).map(|c| c * (0.92 + 0.16 * at(&print, x, y)) + 0.02 * at(&fibre, x, y));
        // Sheets are stacked in the order of their brightness, darkest on top.
        let torn = piece_at(x + 2, y) > here || piece_at(x, y + 2) > here;
        let shaded = piece_at(x.saturating_sub(4), y.saturating_sub(4)) < here;
        match (torn, shaded) {
            (true, _) => mix(sheet, [1.0, 0.99, 0.96], 0.75),
            (false, true) => sheet.map(|c| c * 0.6),
            (false, false) => sheet,
        }
    })
}
