//! What asking costs: beforehand at most, afterwards exactly.

use domain::money::MicroUsd;
use imaging::PREVIEW_SIDE;

use super::form::Form;
use super::image_batch::{ImageBatch, Pass};
use super::prompt::RUBRIC;
use crate::vision::{OpenAiConfig, VisionMode};

/// Pixels along one side of the patches that images are counted in.
const PATCH_SIDE: u32 = 32;

/// Tokens for a hundred patches, at most: models count a patch as 1 to 2.46 tokens.
const TOKENS_PER_HUNDRED_PATCHES: u64 = 246;

/// Bytes of plain English to a token, at least.
const BYTES_PER_TOKEN: usize = 3;

/// Tokens of the schema and of the numbers, at most: for a batch, and for each image on it.
const FORM_TOKENS: u64 = 400;
const FORM_TOKENS_PER_IMAGE: u64 = 30;

/// Tokens of the answer, at most: an entry with a reason of 25 words takes about 90.
const ANSWER_TOKENS: u64 = 60;
const ANSWER_TOKENS_PER_IMAGE: u64 = 160;

/// Tokens that a model may spend on thinking, which count as answered.
const THINKING_TOKENS: u64 = 6_000;

/// Tokens sent and answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Sent.
    pub(super) input: u64,
    /// Answered.
    pub(super) output: u64,
}

impl Usage {
    /// What showing a batch takes, at most.
    pub(super) fn most(batch: &ImageBatch, effort: Option<&str>) -> Self {
        let images = batch.page.cells.len() as u64;
        let patches = match batch.mode {
            VisionMode::Grid => patches(batch.page.width, batch.page.height),
            VisionMode::Individual => images * patches(PREVIEW_SIDE, PREVIEW_SIDE),
        };
        let text = (RUBRIC.len() / BYTES_PER_TOKEN) as u64 + FORM_TOKENS + images * FORM_TOKENS_PER_IMAGE;
        Self {
            input: (patches * TOKENS_PER_HUNDRED_PATCHES).div_ceil(100) + text,
            output: most_output_tokens(batch.page.cells.len(), effort),
        }
    }

    /// What it costs, rounded up to a millionth of a dollar.
    pub(super) fn cost(self, config: &OpenAiConfig) -> MicroUsd {
        let price = |tokens: u64, per_million: MicroUsd| u128::from(tokens) * u128::from(per_million.0);
        let input = price(self.input, config.usd_per_million_input_tokens);
        let output = price(self.output, config.usd_per_million_output_tokens);
        MicroUsd(u64::try_from((input + output).div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// What judging so many images costs at most, if nothing must be asked twice. With two passes every image may need
/// a third, deciding pass.
pub(super) fn estimate(images: usize, config: &OpenAiConfig, form: &Form) -> MicroUsd {
    let images: Vec<usize> = (0..images).collect();
    let passes: &[(Pass, VisionMode)] = match config.passes {
        0 | 1 => &[(Pass::First, config.mode)],
        _ => &[(Pass::First, config.mode), (Pass::Second, config.mode), (Pass::Deciding, VisionMode::Individual)],
    };
    let batches = passes.iter().flat_map(|&(pass, mode)| ImageBatch::all(&images, mode, pass, ""));
    let batches = batches.flat_map(|batch| batch.parts(form.most_images()));
    let effort = form.effort(config.reasoning_effort.as_deref());
    batches.map(|batch| Usage::most(&batch, effort).cost(config)).sum()
}

/// How long an answer about so many images may be, thoughts included unless the model is told to have none.
pub(super) fn most_output_tokens(images: usize, effort: Option<&str>) -> u64 {
    let thinking = if effort == Some("none") { 0 } else { THINKING_TOKENS };
    ANSWER_TOKENS + images as u64 * ANSWER_TOKENS_PER_IMAGE + thinking
}

fn patches(width: u32, height: u32) -> u64 {
    u64::from(width.div_ceil(PATCH_SIDE)) * u64::from(height.div_ceil(PATCH_SIDE))
}
