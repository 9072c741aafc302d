//! Arithmetic on tones and colours, all in the range 0 to 1.

use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage};

/// A plane of tones, from 0 (black) to 1 (white).
pub(super) type Plane = ImageBuffer<Luma<f32>, Vec<f32>>;

/// A colour with channels from 0 to 1.
pub(super) type Rgb01 = [f32; 3];

/// The value a share `t` of the way from `a` to `b`.
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// The colour a share `t` of the way from `a` to `b`.
pub(super) fn mix(a: Rgb01, b: Rgb01, t: f32) -> Rgb01 {
    std::array::from_fn(|c| lerp(a[c], b[c], t))
}

/// Hermite step from 0 at `low` to 1 at `high`.
pub(super) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The relative luminance of a colour (weights of ITU-R BT.709).
pub(super) fn luminance([r, g, b]: Rgb01) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// A colour moved away from (factor above 1) or towards (below 1) the gray of its luminance.
pub(super) fn saturate(color: Rgb01, factor: f32) -> Rgb01 {
    let gray = luminance(color);
    color.map(|channel| (gray + (channel - gray) * factor).clamp(0.0, 1.0))
}

/// A stored pixel as a colour.
pub(super) fn from_pixel(pixel: Rgb<u8>) -> Rgb01 {
    pixel.0.map(|channel| f32::from(channel) / 255.0)
}

/// A tone as a stored channel.
pub(super) fn to_byte(tone: f32) -> u8 {
    // The addition of a half rounds; without SSE 4.1, `round` takes several times as long.
    (tone.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// A colour as a stored pixel.
pub(super) fn to_pixel(color: Rgb01) -> Rgb<u8> {
    Rgb(color.map(to_byte))
}

/// The luminance of every pixel.
pub(super) fn luma_plane(picture: &RgbImage) -> Plane {
    Plane::from_fn(picture.width(), picture.height(), |x, y| Luma([luminance(from_pixel(*picture.get_pixel(x, y)))]))
}

/// A gray picture from the tone at every position.
pub(super) fn gray_from(width: u32, height: u32, mut tone: impl FnMut(u32, u32) -> f32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([to_byte(tone(x, y))]))
}

pub(super) fn at(plane: &Plane, x: u32, y: u32) -> f32 {
    plane.get_pixel(x, y).0[0]
}

/// Spreads the tones so that the given shares of darkest and lightest pixels become black and white.
pub(super) fn stretch(plane: &mut Plane, dark_share: f32, light_share: f32) {
    let mut sorted: Vec<f32> = plane.iter().copied().step_by(7).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let rank = |share: f32| {
        let index = (share * (sorted.len().saturating_sub(1)) as f32) as usize;
        sorted.get(index).copied().unwrap_or(0.0)
    };
    let (low, high) = (rank(dark_share), rank(1.0 - light_share));
    let range = (high - low).max(0.05);
    for tone in plane.iter_mut() {
        *tone = ((*tone - low) / range).clamp(0.0, 1.0);
    }
}

/// The change of tone per pixel to the right and downwards, by central differences.
pub(super) fn gradient(plane: &Plane, x: u32, y: u32) -> (f32, f32) {
    let (right, below) = (plane.width() - 1, plane.height() - 1);
    let dx = at(plane, (x + 1).min(right), y) - at(plane, x.saturating_sub(1), y);
    let dy = at(plane, x, (y + 1).min(below)) - at(plane, x, y.saturating_sub(1));
    (dx / 2.0, dy / 2.0)
}
