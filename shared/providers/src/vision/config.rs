//! The configuration of the vision model.

use std::time::Duration;

use aws::secrets::Secret;
use domain::money::MicroUsd;

/// The upper limit of the timeout for one answer of the vision service, in seconds: the waiting function must finish
/// within its own 300 s, and so must its lease.
pub const LONGEST_TIMEOUT_SECONDS: u64 = 240;

/// Who judges images.
#[derive(Debug, Clone)]
pub enum VisionConfig {
    /// The model that is part of this program.
    Embedded,
    /// A server that speaks OpenAI's chat completions.
    OpenAi(OpenAiConfig),
}

/// How the vision model is asked.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// The server, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// What it asks for.
    pub key: Secret,
    /// Which model.
    pub model: String,
    /// How much it is to think before it answers, in its vendor's word; none for models that can't be told.
    pub reasoning_effort: Option<String>,
    /// How images are shown.
    pub mode: VisionMode,
    /// How often each image is shown, each time in another order: 1 or 2.
    pub passes: u8,
    /// How long one answer is waited for.
    pub timeout: Duration,
    /// What a million tokens cost that are sent.
    pub usd_per_million_input_tokens: MicroUsd,
    /// What a million tokens cost that are answered.
    pub usd_per_million_output_tokens: MicroUsd,
}

/// How images are shown to the vision model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisionMode {
    /// Many on one numbered grid.
    Grid,
    /// Each by itself, with its number before it.
    Individual,
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
