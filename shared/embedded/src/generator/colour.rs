//! The colour techniques of brush and chalk, and the choice among all colour techniques.

use image::RgbImage;
use image::imageops::fast_blur;
use imaging::hypotenuse;
use rand::{Rng, RngExt};

use super::brief::Color;
use super::flat_colour;
use super::lines::edges;
use super::painterly::{emboss, ink, kuwahara, recolor};
use super::scenery::coverage;
use super::shot::Shot;
use super::texture::{clouds, coarse_grain, fractal};
use super::tone::{Plane, Rgb01, at, from_pixel, gradient, luma_plane, luminance, mix, saturate, smoothstep};
use super::{HEIGHT, WIDTH};

/// Paints a shot in one of the colour techniques.
pub(super) fn paint(shot: &Shot, technique: Color, rng: &mut impl Rng) -> RgbImage {
    let scene = prepared(shot);
    match technique {
        Color::Comic => flat_colour::comic(&scene, shot, rng),
        Color::Vector => flat_colour::vector(&scene, shot, rng),
        Color::Watercolor => watercolor(&scene, shot, rng),
        Color::Gouache => brushed(&scene, shot, Brush { radius: 4, saturation: 1.25, relief: 1.2, bristle: 5 }, rng),
        Color::Acrylic => brushed(&scene, shot, Brush { radius: 6, saturation: 1.5, relief: 2.6, bristle: 8 }, rng),
        Color::Oil => brushed(&scene, shot, Brush { radius: 5, saturation: 1.2, relief: 2.0, bristle: 6 }, rng),
        Color::Digital => digital(&scene, shot, rng),
        Color::Pastel => pastel(&scene, shot, rng),
        Color::Collage => flat_colour::collage(&scene, shot, rng),
    }
}

/// The scene in strong, clear colours, as of paint.
fn prepared(shot: &Shot) -> RgbImage {
    let scene = shot.flatten();
    let mut luma = luma_plane(&scene);
    super::tone::stretch(&mut luma, 0.01, 0.02);
    recolor(&scene, |x, y, color| {
        let factor = (at(&luma, x, y) + 0.03) / (luminance(color) + 0.03);
        saturate(color.map(|c| (c * factor).clamp(0.0, 1.0)), 1.35)
    })
}

/// Transparent washes over a pen drawing, pooling at their edges; white paper is left at the border.
fn watercolor(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let washes = strokes_of(scene, shot, 5);
    let luma = fast_blur(&luma_plane(&washes), 1.0);
    let pools = fractal(WIDTH, HEIGHT, 90, rng);
    let paper = coarse_grain(WIDTH, HEIGHT, 0.8, rng);
    let ragged = fractal(WIDTH, HEIGHT, 60, rng);
    let pen = edges(&luma_plane(&kuwahara(scene, 2)), 1.3);
    recolor(&washes, |x, y, color| {
        let (dx, dy) = gradient(&luma, x, y);
        let edge = smoothstep(0.02, 0.12, hypotenuse(dx, dy));
        let density = 0.72 + 0.45 * (at(&pools, x, y) - 0.5) + 0.35 * edge + 0.06 * at(&paper, x, y);
        // Washes absorb light, so the density of the pigment is an exponent.
        let wash: Rgb01 = saturate(color, 1.5).map(|c| (0.10 + 0.90 * c).powf(density.max(0.2)));
        let (u, v) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let border = u.min(1.0 - u).min((v.min(1.0 - v)) * 0.6);
        let dry =
            smoothstep(0.03, 0.09, border + 0.12 * (at(&ragged, x, y) - 0.5) + 0.12 * coverage(&shot.matte, x, y));
        let drawn = wash.map(|c| c * (0.12 + 0.88 * at(&pen, x, y)));
        mix([0.985, 0.975, 0.95], drawn, dry).map(|c| c + 0.016 * at(&paper, x, y))
    })
}

/// A brush and the paint on it.
struct Brush {
    /// Size of the marks in pixels.
    radius: u32,
    saturation: f32,
    /// The strength of the light on thick paint.
    relief: f32,
    /// Distance between bristle marks in pixels.
    bristle: u32,
}

/// Opaque paint in visible strokes.
fn brushed(scene: &RgbImage, shot: &Shot, brush: Brush, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, brush.radius, rng), shot, brush.radius);
    let bristles = streaks(brush.bristle, rng);
    let vivid = recolor(&patches, |_, _, color| saturate(color, brush.saturation));
    let underdrawing = edges(&luma_plane(&patches), 1.3);
    ink(&emboss(&vivid, &bristles, brush.relief), &underdrawing, [0.10, 0.07, 0.08])
}

/// Smooths a scene into strokes of a brush, with a finer brush for the figure.
pub(super) fn strokes_of(scene: &RgbImage, shot: &Shot, radius: u32) -> RgbImage {
    let fine = kuwahara(&kuwahara(scene, 3), 2);
    let broad = kuwahara(&kuwahara(scene, radius), radius / 2 + 1);
    recolor(&broad, |x, y, color| mix(color, from_pixel(*fine.get_pixel(x, y)), coverage(&shot.matte, x, y)))
}

/// Moves colours a few pixels aside, patch by patch, as dabs of a brush do.
pub(super) fn dabbed(scene: &RgbImage, shot: &Shot, reach: u32, rng: &mut impl Rng) -> RgbImage {
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
    let noise = coarse_grain(WIDTH, HEIGHT, 1.1, rng);
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
        image::Luma([0.12 * sum / (2 * reach + 1) as f32])
    })
}

/// Smooth painterly shapes with a glow around the lights.
fn digital(scene: &RgbImage, shot: &Shot, rng: &mut impl Rng) -> RgbImage {
    let patches = strokes_of(&dabbed(scene, shot, 3, rng), shot, 5);
    let glow = fast_blur(&patches, 24.0);
    let outline = edges(&luma_plane(&patches), 1.6);
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
    let paper = coarse_grain(WIDTH, HEIGHT, 0.8, rng);
    let strokes = streaks(9, rng);
    let toned = [[0.36, 0.30, 0.38], [0.46, 0.36, 0.28], [0.25, 0.33, 0.40]][rng.random_range(0..3)];
    let outline = edges(&luma_plane(&patches), 1.7);
    let chalked = recolor(&patches, |x, y, color| {
        let loose = 1.0 - 0.5 * coverage(&shot.matte, x, y);
        let pressure = 0.52 + loose * (5.5 * at(&strokes, x, y) + 0.15 * at(&paper, x, y));
        let chalk = mix(saturate(color, 1.6), [1.0, 0.98, 0.94], 0.10);
        mix(toned, chalk, smoothstep(-0.1, 0.7, pressure))
    });
    ink(&chalked, &outline, [0.12, 0.08, 0.12])
}
