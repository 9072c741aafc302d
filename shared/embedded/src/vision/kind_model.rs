//! Determines the kind of a picture by two logistic regressions on its features: whether it is drawn or painted rather
//! than photographed, and if so, whether it has colour.
//!
//! `examples/train_kind_model` prints the constants. Photographs without colour were training data for photographs: the
//! continuous tone decides, not the lack of colour.

use domain::kind::Kind;

use super::features::{COUNT, Features};

/// The mean of every feature among the training data.
const MEANS: [f32; COUNT] = [
    -3.5784, 0.0836, -2.6746, 0.0854, 0.7330, 0.4865, 0.2921, 0.0507, -5.7533, 0.0544, 0.1035, 0.3612, 0.0210, 0.3495,
    2.3383,
];
/// The standard deviation of every feature among the training data.
const DEVIATIONS: [f32; COUNT] = [
    1.6978, 0.0788, 2.1319, 0.2128, 0.1574, 0.2153, 0.1431, 0.0582, 0.7713, 0.1149, 0.0373, 0.1002, 0.1796, 0.7571,
    0.4810,
];
/// Drawn or painted rather than photographed.
const STYLIZED: Logistic = Logistic {
    bias: 0.3195,
    weights: [
        0.0000, 0.0000, 0.0000, 0.7662, -4.5336, -2.5825, 1.4111, 1.4911, 1.4150, 0.5655, -1.3624, -1.2811, 0.8416,
        -1.7747, -1.8857,
    ],
};
/// With colour rather than without. Only drawings were training data.
const COLORED: Logistic = Logistic {
    bias: 0.3942,
    weights: [
        5.7264, 0.1407, 0.8840, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000, 0.0000,
        0.0000,
    ],
};

/// A logistic regression for a yes-or-no decision.
struct Logistic {
    bias: f32,
    weights: [f32; COUNT],
}

impl Logistic {
    /// Whether yes is more likely than no: whether the logarithm of its odds is above 0.
    fn is_likely(&self, features: &[f32; COUNT]) -> bool {
        let weighted = self.weights.iter().zip(features).map(|(weight, value)| weight * value);
        self.bias + weighted.sum::<f32>() > 0.0
    }
}

/// The most likely kind of a picture.
#[must_use]
pub(crate) fn kind_of(features: &Features) -> Kind {
    let raw = features.to_array();
    let scaled = std::array::from_fn(|i| (raw[i] - MEANS[i]) / DEVIATIONS[i]);
    match (STYLIZED.is_likely(&scaled), COLORED.is_likely(&scaled)) {
        (false, _) => Kind::Photorealistic,
        (true, false) => Kind::BwStylized,
        (true, true) => Kind::ColorStylized,
    }
}
