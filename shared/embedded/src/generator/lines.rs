//! Contour lines as a pen would draw them.

use image::Luma;
use image::imageops::fast_blur;

use super::tone::{Plane, at, smoothstep};

/// Contours of a picture: 0 on a line, 1 on bare paper.
///
/// Extended difference of Gaussians after Winnemöller, Kyprianidis and Olsen (2012), without its flow field:
/// the difference of two blurs is sharpened and passed through a soft threshold. `width` is the deviation of
/// the narrower blur in pixels; `weight` how strongly edges count against tone.
pub(super) fn contours(luma: &Plane, width: f32, weight: f32, threshold: f32) -> Plane {
    let narrow = fast_blur(luma, width);
    let wide = fast_blur(luma, width * 1.6);
    Plane::from_fn(luma.width(), luma.height(), |x, y| {
        let (inner, outer) = (at(&narrow, x, y), at(&wide, x, y));
        let response = (1.0 + weight) * inner - weight * outer;
        let tone = if response >= threshold { 1.0 } else { 1.0 + ((response - threshold) * 14.0).tanh() };
        Luma([tone])
    })
}

/// Lines along edges only, however dark the picture: 0 on a line, 1 elsewhere. A line runs on the darker
/// side of an edge, is about `width` pixels wide, and as dark as the edge is steep.
pub(super) fn edges(luma: &Plane, width: f32) -> Plane {
    let narrow = fast_blur(luma, width * 0.6);
    let wide = fast_blur(luma, width * 1.6);
    Plane::from_fn(luma.width(), luma.height(), |x, y| {
        let dip = at(&wide, x, y) - at(&narrow, x, y);
        Luma([1.0 - smoothstep(0.012, 0.05, dip)])
    })
}
