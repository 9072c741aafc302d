//! Validates a creation as strictly as Replicate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::kind::Kind;
use domain::prompts;
use imaging::decode;
use serde_json::Value;

/// The exclusive limit of a data URL, in bytes.
const MAX_DATA_URL_BYTES: usize = 1_000_000;

/// The reason why the stand-in rejects a creation.
pub(super) struct Rejection {
    pub(super) status: u16,
    pub(super) detail: String,
}

impl From<String> for Rejection {
    fn from(detail: String) -> Self {
        Self { status: 422, detail }
    }
}

impl From<&str> for Rejection {
    fn from(detail: &str) -> Self {
        detail.to_owned().into()
    }
}

/// The prompt and the seed of a valid creation.
pub(super) fn validate(body: &[u8]) -> Result<(String, u64), Rejection> {
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let fields = |value: &Value| -> Vec<String> {
        value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    };
    let input = &body["input"];
    let known =
        ["aspect_ratio", "input_image", "output_format", "prompt", "prompt_upsampling", "safety_tolerance", "seed"];
    if fields(&body) != ["input"] || fields(input).iter().any(|field| !known.contains(&field.as_str())) {
        return Err(format!("unexpected fields: {:?}", fields(input)).into());
    }
    let image = input["input_image"].as_str().unwrap_or_default();
    if image.len() > MAX_DATA_URL_BYTES {
        return Err(Rejection { status: 400, detail: format!("input_image is too large: {} bytes", image.len()) });
    }
    let image = image.strip_prefix("data:image/jpeg;base64,");
    let image = image.and_then(|text| STANDARD.decode(text).ok()).ok_or("input_image is no data URL of a JPEG")?;
    decode(&image).map_err(|error| format!("input_image: {error}"))?;
    if input["aspect_ratio"] != "16:9" || input["output_format"] != "jpg" {
        return Err("aspect_ratio or output_format is wrong".into());
    }
    if input["safety_tolerance"].as_u64().is_none_or(|tolerance| tolerance > 2) {
        return Err("safety_tolerance must be at most 2 with an input image".into());
    }
    let seed = input["seed"].as_u64().filter(|&seed| seed < 1 << 31).ok_or("seed is no 31-bit number")?;
    let prompt = input["prompt"].as_str().filter(|prompt| !prompt.is_empty()).ok_or("prompt is empty")?;
    Ok((prompt.to_owned(), seed))
}

/// The kind of a prompt of the library.
pub(super) fn kind_of(prompt: &str) -> Kind {
    let matches = |candidate: &&prompts::Prompt| {
        let (before, _) = candidate.text.split_once(prompts::PLACEHOLDER).unwrap();
        let after = candidate.text.rsplit(prompts::PLACEHOLDER).next().unwrap();
        prompt.starts_with(before) && prompt.ends_with(after)
    };
    prompts::all().find(matches).unwrap().kind
}
