//! Logistic regression by gradient descent.

use embedded::vision::features::COUNT;

/// Strength of the penalty on large weights (L2), relative to the mean loss.
const PENALTY: f32 = 0.001;
const STEPS: usize = 3000;
const RATE: f32 = 1.5;
/// The share of the last step in the next one (heavy-ball momentum).
const MOMENTUM: f32 = 0.9;

/// Means and standard deviations that bring every feature to one scale.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) mean: [f32; COUNT],
    pub(crate) deviation: [f32; COUNT],
}

impl Scale {
    pub(crate) fn of(rows: &[[f32; COUNT]]) -> Self {
        let total = rows.len().max(1) as f32;
        let mean = std::array::from_fn(|i| rows.iter().map(|row| row[i]).sum::<f32>() / total);
        let deviation = std::array::from_fn(|i: usize| {
            let squares: f32 = rows.iter().map(|row| (row[i] - mean[i]).powi(2)).sum();
            (squares / total).sqrt().max(1e-6)
        });
        Self { mean, deviation }
    }

    pub(crate) fn apply(&self, row: &[f32; COUNT]) -> [f32; COUNT] {
        std::array::from_fn(|i| (row[i] - self.mean[i]) / self.deviation[i])
    }
}

/// A yes-or-no decision.
#[derive(Clone, Copy)]
pub(crate) struct Logistic {
    pub(crate) bias: f32,
    pub(crate) weights: [f32; COUNT],
}

impl Logistic {
    /// Logarithm of the odds of yes.
    pub(crate) fn log_odds(&self, row: &[f32; COUNT]) -> f32 {
        self.bias + self.weights.iter().zip(row).map(|(weight, value)| weight * value).sum::<f32>()
    }

    /// Fits scaled rows. Both answers have equal weight, whatever their numbers. Features that are not `used` keep the
    /// weight 0.
    pub(crate) fn fit(rows: &[([f32; COUNT], bool, f32)], used: &[bool; COUNT]) -> Self {
        let total =
            |answer: bool| -> f32 { rows.iter().filter(|row| row.1 == answer).map(|row| row.2).sum::<f32>().max(1e-6) };
        let shares = [0.5 / total(false), 0.5 / total(true)];
        let mut model = Self { bias: 0.0, weights: [0.0; COUNT] };
        let mut bias_step = 0.0;
        let mut steps = [0.0; COUNT];
        for _ in 0..STEPS {
            let mut bias_slope = 0.0;
            let mut slopes = model.weights.map(|weight| weight * PENALTY);
            for (row, answer, weight) in rows {
                let likely = 1.0 / (1.0 + (-model.log_odds(row)).exp());
                let error = (likely - f32::from(u8::from(*answer))) * weight * shares[usize::from(*answer)];
                bias_slope += error;
                for (slope, value) in slopes.iter_mut().zip(row) {
                    *slope += error * value;
                }
            }
            bias_step = bias_step * MOMENTUM - RATE * bias_slope;
            model.bias += bias_step;
            for i in (0..COUNT).filter(|&i| used[i]) {
                steps[i] = steps[i] * MOMENTUM - RATE * slopes[i];
                model.weights[i] += steps[i];
            }
        }
        model
    }
}
