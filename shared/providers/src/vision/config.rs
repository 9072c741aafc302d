//! The configuration of the vision provider.

use std::time::Duration;

use aws::secrets::Secret;
use domain::money::MicroUsd;

/// The upper limit of the timeout for one answer of the vision service, in seconds: the waiting function must finish
/// within its own timeout of 300 s.
pub const LONGEST_TIMEOUT_SECONDS: u64 = 240;

/// The vision provider.
#[derive(Debug, Clone)]
pub enum VisionConfig {
    Embedded,
    OpenAi(OpenAiConfig),
}

/// A service with OpenAI's chat completions.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// Such as `https://api.openai.com/v1`.
    pub base_url: String,
    pub key: Secret,
    pub model: String,
    /// The vendor's value of `reasoning_effort`; `None` for models without this setting.
    pub reasoning_effort: Option<String>,
    pub mode: VisionMode,
    /// How often each image is shown, each time in another order: 1 or 2.
    pub passes: u8,
    /// The time limit of one answer.
    pub timeout: Duration,
    pub usd_per_million_input_tokens: MicroUsd,
    pub usd_per_million_output_tokens: MicroUsd,
}

/// How a request shows its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisionMode {
    /// As one numbered grid.
    Grid,
    /// As single images, each after its number.
    Individual,
}

impl VisionMode {
    /// Whether a request shows all its images, and the base image, as one picture.
    #[must_use]
    pub const fn is_one_picture(self) -> bool {
        matches!(self, Self::Grid)
    }
}

impl std::str::FromStr for VisionMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "grid" => Ok(Self::Grid),
            "individual" => Ok(Self::Individual),
            _ => Err(()),
        }
    }
}
