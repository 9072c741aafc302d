//! Scenery among trees.

use rand::{Rng, RngExt};

use super::super::tone::{Rgb01, mix};
use super::Lamp;
use super::canvas::Canvas;

/// A forest: trunks from the mist to the foreground, foliage above, litter below.
pub(super) fn forest(canvas: &mut Canvas, rng: &mut impl Rng) {
    canvas.sky(rng);
    let ground = canvas.palette.ground;
    canvas.ground(canvas.horizon, ground, rng);
    let hue: Rgb01 = if rng.random_range(0..3) == 0 { [0.72, 0.46, 0.14] } else { [0.25, 0.45, 0.18] };
    let (zenith, light) = (canvas.palette.zenith, canvas.palette.horizon);
    let leaf: Rgb01 = std::array::from_fn(|c| hue[c] * (0.3 + 0.8 * (zenith[c] + light[c]) / 2.0));
    for layer in 0..4 {
        let near = layer as f32 / 3.0;
        let bark = mix(mix(light, leaf, 0.45), mix(canvas.palette.shade, [0.20, 0.13, 0.08], 0.5), 0.25 + 0.75 * near);
        for _ in 0..12 - 2 * layer {
            let x = rng.random_range(0.0..canvas.width());
            let half = (3.0 + 20.0 * near) * rng.random_range(0.5..1.2);
            let foot = canvas.horizon
                + (canvas.height() - canvas.horizon) * (0.05 + 0.6 * near)
                + rng.random_range(-12.0..12.0);
            let lean = rng.random_range(-30.0..30.0);
            canvas.polygon(
                &[(x - half, foot), (x + half, foot), (x + lean + half * 0.6, 0.0), (x + lean - half * 0.6, 0.0)],
                bark,
            );
            let bright = mix(bark, light, 0.3);
            canvas.polygon(
                &[(x - half, foot), (x - half * 0.5, foot), (x + lean - half * 0.4, 0.0), (x + lean - half * 0.6, 0.0)],
                bright,
            );
        }
        for _ in 0..70 {
            let (x, y) =
                (rng.random_range(0.0..canvas.width()), rng.random_range(0.0..canvas.horizon * (0.75 - 0.3 * near)));
            let tone = mix(mix(light, leaf, 0.35 + 0.5 * near), canvas.palette.shade, rng.random_range(0.0..0.5));
            canvas.disc(x, y, rng.random_range(5.0..16.0 + 14.0 * near), tone);
        }
    }
    for _ in 0..260 {
        let (x, y) = (rng.random_range(0.0..canvas.width()), rng.random_range(canvas.horizon..canvas.height()));
        let tone =
            mix(leaf, if rng.random::<bool>() { light } else { canvas.palette.shade }, rng.random_range(0.1..0.6));
        canvas.disc(x, y, rng.random_range(1.0..5.0), tone);
    }
    for _ in 0..rng.random_range(6..16) {
        let (x, y) = (rng.random_range(0.0..canvas.width()), rng.random_range(0.0..canvas.horizon));
        canvas.lamps.push(Lamp { x, y, color: mix(light, leaf, 0.3) });
    }
    canvas.mottle(0.3, rng);
}
