//! Validates a request as strictly as OpenAI.

use std::collections::BTreeMap;
use std::convert::Infallible;

use futures::executor::block_on;
use futures::stream;
use imaging::decode;
use multer::{Multipart, parse_boundary};

/// The fields that OpenAI knows. It rejects every other one.
const KNOWN: [&str; 12] = [
    "model",
    "prompt",
    "size",
    "n",
    "output_format",
    "output_compression",
    "quality",
    "input_fidelity",
    "background",
    "moderation",
    "user",
    "stream",
];

/// The sizes of the first models. Later ones accept any multiple of 16 within limits.
const FIXED_SIZES: [&str; 4] = ["auto", "1024x1024", "1536x1024", "1024x1536"];

/// A valid request.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub prompt: String,
    /// The other text fields.
    pub fields: BTreeMap<String, String>,
    /// The field names of the images.
    pub image_fields: Vec<String>,
    /// The width and the height of the images.
    pub images: Vec<(u32, u32)>,
}

impl Edit {
    /// The request, or what is wrong with it.
    pub(super) fn read(request: &wiremock::Request) -> Result<Self, String> {
        let content_type = request.headers.get("content-type").and_then(|value| value.to_str().ok());
        let boundary = parse_boundary(content_type.unwrap_or_default()).map_err(|error| error.to_string())?;
        let body = stream::iter([Ok::<_, Infallible>(request.body.clone())]);
        let mut edit = block_on(Self::parts(Multipart::new(body, boundary))).map_err(|error| error.to_string())?;
        edit.prompt = edit.fields.remove("prompt").ok_or("Missing required parameter: 'prompt'.")?;
        edit.check()?;
        Ok(edit)
    }

    async fn parts(mut form: Multipart<'_>) -> Result<Self, multer::Error> {
        let (mut fields, mut image_fields, mut images) = (BTreeMap::new(), Vec::new(), Vec::new());
        while let Some(field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            if field.file_name().is_none() {
                fields.insert(name, field.text().await?);
                continue;
            }
            let bytes = field.bytes().await?;
            image_fields.push(name);
            images.push(decode(&bytes).map_or((0, 0), |image| image.dimensions()));
        }
        Ok(Self { prompt: String::new(), fields, image_fields, images })
    }

    fn check(&self) -> Result<(), String> {
        if let Some(unknown) = self.fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(format!("Unknown parameter: '{unknown}'."));
        }
        let is_named = |name: &String| name == "image[]" || name == "image" && self.images.len() == 1;
        if self.images.is_empty() || self.images.len() > 16 || !self.image_fields.iter().all(is_named) {
            return Err(format!("Invalid images: {:?}", self.image_fields));
        }
        if self.images.contains(&(0, 0)) {
            return Err("Invalid image file.".to_owned());
        }
        let model = self.fields.get("model").ok_or("Missing required parameter: 'model'.")?;
        let is_first = model.starts_with("gpt-image-1");
        let size = self.fields.get("size").map_or("auto", String::as_str);
        if is_first && !FIXED_SIZES.contains(&size) || !is_first && !is_flexible(size) {
            return Err(format!("Invalid size '{size}'."));
        }
        if !is_first && self.fields.contains_key("input_fidelity") {
            return Err(format!("{model} does not support 'input_fidelity'."));
        }
        let one_of = |name: &str, values: &[&str]| {
            let given = self.fields.get(name);
            let is_known = given.is_none_or(|given| values.contains(&given.as_str()));
            if is_known { Ok(()) } else { Err(format!("Invalid value for '{name}'.")) }
        };
        one_of("quality", &["low", "medium", "high", "auto"])?;
        one_of("output_format", &["png", "jpeg", "webp"])?;
        one_of("n", &["1"])
    }
}

/// Multiples of 16, at most three times as long as high, and of 655,360 to 8,294,400 pixels.
fn is_flexible(size: &str) -> bool {
    let sides = size.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.is_some_and(|(width, height): (u32, u32)| {
        let (short, long) = (width.min(height), width.max(height));
        let is_in_blocks = width % 16 == 0 && height % 16 == 0;
        is_in_blocks && long <= 3840 && long <= 3 * short && (655_360..=8_294_400).contains(&(width * height))
    })
}
