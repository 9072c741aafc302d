//! Contour lines, similar to those of a pen.

use image::Luma;
use image::imageops::fast_blur;

use super::tone::{Plane, at, smoothstep};

/// Contours of a picture: 0 on a line, 1 on bare paper.
///
/// The extended difference of Gaussians of Winnemöller, Kyprianidis and Olsen (2012), without its flow field: the
/// difference of two blurs is sharpened and passes a soft threshold. `width` is the standard deviation of the narrower
/// blur in pixels, `weight` the weight of edges against tone.
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

/// Lines only along edges, however dark the picture: 0 on a line, 1 elsewhere. A line is on the darker side of an edge,
/// about `width` pixels wide, and as dark as the edge is steep.
pub(super) fn edges(luma: &Plane, width: f32) -> Plane {
    let narrow = fast_blur(luma, width * 0.6);
    let wide = fast_blur(luma, width * 1.6);
    Plane::from_fn(luma.width(), luma.height(), |x, y| {
        let dip = at(&wide, x, y) - at(&narrow, x, y);
        Luma([1.0 - smoothstep(0.012, 0.05, dip)])
    })
}
