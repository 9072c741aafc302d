//! The cost of vision requests: an upper limit before a request, the exact cost after it.

use domain::money::MicroUsd;
use imaging::PREVIEW_SIDE;

use super::form::Form;
use super::image_batch::{ImageBatch, Pass};
use super::prompt::RUBRIC;
use crate::vision::{OpenAiConfig, VisionMode};

/// The side of a patch in pixels. The service counts images in patches.
const PATCH_SIDE: u32 = 32;

/// The maximum of tokens for 100 patches: models count a patch as 1 to 2.46 tokens.
const TOKENS_PER_HUNDRED_PATCHES: u64 = 246;

/// The minimum of bytes per token in plain English.
const BYTES_PER_TOKEN: usize = 3;

/// The maximum of tokens of the schema and the numbers: of a batch, and of each of its images.
const FORM_TOKENS: u64 = 700;
const FORM_TOKENS_PER_IMAGE: u64 = 30;

/// The maximum of tokens of an answer: an entry with a reason of 12 words and a caption of 25 has about 110.
const ANSWER_TOKENS: u64 = 60;
const ANSWER_TOKENS_PER_IMAGE: u64 = 190;

/// The maximum of tokens for reasoning, which count as output.
const REASONING_TOKENS: u64 = 6_000;

/// Input and output tokens of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
}

impl Usage {
    /// The maximum for a batch.
    pub(super) fn max(batch: &ImageBatch, effort: Option<&str>) -> Self {
        let images = batch.page.cells.len() as u64;
        let patches = match batch.mode {
            VisionMode::Grid => patches(batch.page.width, batch.page.height),
            VisionMode::Individual => batch.picture_count() as u64 * patches(PREVIEW_SIDE, PREVIEW_SIDE),
        };
        let text = (RUBRIC.len() / BYTES_PER_TOKEN) as u64 + FORM_TOKENS + images * FORM_TOKENS_PER_IMAGE;
        Self {
            input: (patches * TOKENS_PER_HUNDRED_PATCHES).div_ceil(100) + text,
            output: max_output_tokens(batch.page.cells.len(), effort),
        }
    }

    /// The cost, rounded up to a millionth of a dollar.
    pub(super) fn cost(self, config: &OpenAiConfig) -> MicroUsd {
        let price = |tokens: u64, per_million: MicroUsd| u128::from(tokens) * u128::from(per_million.0);
        let input = price(self.input, config.usd_per_million_input_tokens);
        let output = price(self.output, config.usd_per_million_output_tokens);
        MicroUsd(u64::try_from((input + output).div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// The highest cost of a session, if no request is repeated. With two passes every image may need a deciding one.
pub(super) fn estimate(images: usize, has_reference: bool, config: &OpenAiConfig, form: &Form) -> MicroUsd {
    let images: Vec<usize> = (0..images).collect();
    let pass = |pass, mode, has_reference| ImageBatch::all(&images, mode, pass, has_reference, "");
    let mut batches = pass(Pass::First, config.mode, has_reference);
    if config.passes > 1 {
        batches.extend(pass(Pass::Second, config.mode, has_reference));
        batches.extend(pass(Pass::Deciding, VisionMode::Individual, false));
    }
    let batches = batches.into_iter().flat_map(|batch| batch.parts(form.max_images()));
    let effort = form.effort(config.reasoning_effort.as_deref());
    batches.map(|batch| Usage::max(&batch, effort).cost(config)).sum()
}

/// The limit on output tokens, including reasoning unless the requested effort is `none`.
pub(super) fn max_output_tokens(images: usize, effort: Option<&str>) -> u64 {
    let reasoning = if effort == Some("none") { 0 } else { REASONING_TOKENS };
    ANSWER_TOKENS + images as u64 * ANSWER_TOKENS_PER_IMAGE + reasoning
}

fn patches(width: u32, height: u32) -> u64 {
    u64::from(width.div_ceil(PATCH_SIDE)) * u64::from(height.div_ceil(PATCH_SIDE))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws::secrets::Secret;

    use super::*;

    #[test]
    fn price_depends_on_whether_there_is_a_base_image() {
        let price = MicroUsd(1_000_000);
        let config = OpenAiConfig {
            base_url: String::new(),
            key: Secret::Given("sk".into()),
            model: "vision-1".to_owned(),
            reasoning_effort: None,
            mode: VisionMode::Grid,
            passes: 1,
            timeout: Duration::from_secs(1),
            usd_per_million_input_tokens: price,
            usd_per_million_output_tokens: price,
        };
        let estimate = |images, has_reference| estimate(images, has_reference, &config, &Form::default());
        assert!(estimate(20, false) < estimate(20, true), "a page without a base image is smaller");
        // Beside a base image they fit on one page.
        assert!(
            (21..=23).all(|images| estimate(images, false) > estimate(images, true)),
            "two pages need two requests"
        );
    }
}
