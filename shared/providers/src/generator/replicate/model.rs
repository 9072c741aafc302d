//! The Replicate models that this program can ask for an image of the actor.

use std::fmt;
use std::str::FromStr;

/// A model that accepts the base image as `input_image`. Replicate ignores inputs that a model does not have, so
/// another model would generate a stranger, and charge for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicateModel {
    /// FLUX.1 Kontext \[pro\].
    KontextPro,
    /// FLUX.1 Kontext \[max\], at twice the price.
    KontextMax,
    /// FLUX.1 Kontext \[dev\]. It has no safety levels and never rewrites a prompt.
    KontextDev,
}

impl ReplicateModel {
    /// Every model that can be configured.
    pub const ALL: [Self; 3] = [Self::KontextPro, Self::KontextMax, Self::KontextDev];

    /// The valid values of `REPLICATE_MODEL`, for error messages.
    pub const ACCEPTED: &str = "one of black-forest-labs/flux-kontext-pro, black-forest-labs/flux-kontext-max and black-forest-labs/flux-kontext-dev, without a version: no other model is known to take the base image as `input_image`";

    /// The model's name at Replicate: `owner/name`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KontextPro => "black-forest-labs/flux-kontext-pro",
            Self::KontextMax => "black-forest-labs/flux-kontext-max",
            Self::KontextDev => "black-forest-labs/flux-kontext-dev",
        }
    }

    /// Whether the inputs `safety_tolerance` and `prompt_upsampling` exist.
    #[must_use]
    pub fn has_safety_levels(self) -> bool {
        self != Self::KontextDev
    }
}

impl fmt::Display for ReplicateModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a model that is known to accept the base image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownModel;

impl FromStr for ReplicateModel {
    type Err = UnknownModel;

    fn from_str(text: &str) -> Result<Self, UnknownModel> {
        Self::ALL.into_iter().find(|model| model.as_str() == text).ok_or(UnknownModel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_every_known_model() {
        for model in ReplicateModel::ALL {
            assert!(ReplicateModel::ACCEPTED.contains(model.as_str()), "{model}");
            assert_eq!(model.to_string().parse(), Ok(model));
        }
    }

    #[test]
    fn unknown_models_are_rejected() {
        for text in [
            "google/nano-banana",
            "black-forest-labs/flux-2-pro",
            "black-forest-labs/flux-kontext-pro:0f1178f5a27e9aa2d2d39c8a43c110f7",
            "flux-kontext-pro",
            "",
        ] {
            assert_eq!(text.parse::<ReplicateModel>(), Err(UnknownModel), "{text}");
        }
    }
}
