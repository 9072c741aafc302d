//! The form of a request for an image.

use domain::format::{AspectRatio, Format, Megapixels};
use reqwest::multipart::{Form, Part};

use super::Creation;
use crate::generator::failure::Failure;
use crate::generator::reference::{MAX_JPEG_BYTES, jpeg};
use crate::generator::{OpenAiImagesConfig, Request};

/// The text fields of a form.
pub(super) type Fields = Vec<(&'static str, String)>;

/// The models that offer only [`FIXED_SIZES`], by the beginning of their names.
const MODELS_WITH_FIXED_SIZES: [&str; 2] = ["gpt-image-1", "chatgpt-image"];

/// The width and the height that these models offer.
const FIXED_SIZES: [(u32, u32); 3] = [(1024, 1024), (1536, 1024), (1024, 1536)];

/// The beginning of the names of OpenAI's later models, which offer every size within limits.
const LATER_MODELS: &str = "gpt-image-";

/// The numbers of pixels that the later models offer.
const PIXELS: std::ops::RangeInclusive<u32> = 655_360..=8_294_400;

/// The longest side that the later models offer.
const MAX_SIDE: u32 = 3840;

/// The text fields. Fields of OpenAI's own models only are sent to these models only.
///
/// # Errors
/// If the model offers no size near the requested ratio.
pub(super) fn fields(config: &OpenAiImagesConfig, request: &Request) -> Result<Fields, Failure> {
    let size = size(&config.model, request.format)?;
    let mut fields = vec![
        ("model", config.model.clone()),
        ("prompt", request.prompt.clone()),
        ("size", format!("{}x{}", size.0, size.1)),
        ("n", "1".to_owned()),
        ("output_format", "jpeg".to_owned()),
    ];
    fields.extend(config.quality.iter().map(|quality| ("quality", quality.clone())));
    // Later models always keep the likeness, and reject the field; so does the small one.
    if has_fixed_sizes(&config.model) && !config.model.contains("-mini") {
        fields.push(("input_fidelity", "high".to_owned()));
    }
    Ok(fields)
}

fn has_fixed_sizes(model: &str) -> bool {
    MODELS_WITH_FIXED_SIZES.iter().any(|prefix| model.starts_with(prefix))
}

/// The width and the height of an image in this format. Servers of the user's own get what the format says.
///
/// # Errors
/// If the model offers no size near the ratio.
pub(super) fn size(model: &str, format: Format) -> Result<(u32, u32), Failure> {
    if has_fixed_sizes(model) {
        let offered = || FIXED_SIZES.into_iter().filter_map(|size| Some((AspectRatio::new(size.0, size.1)?, size)));
        let nearest = format.ratio.nearest(offered().map(|(ratio, _)| ratio));
        let size = offered().find(|(ratio, _)| Some(*ratio) == nearest).map(|(_, size)| size);
        let sizes = || FIXED_SIZES.map(|(width, height)| format!("{width}x{height}"));
        return size.ok_or_else(|| Failure::no_such_ratio(model, format.ratio, sizes()));
    }
    let is_offered = |&(width, height): &(u32, u32)| {
        let is_narrow = AspectRatio::new(width, height).is_some();
        is_narrow && width.max(height) <= MAX_SIDE && PIXELS.contains(&(width * height))
    };
    let wanted = format.pixels();
    if !model.starts_with(LATER_MODELS) || is_offered(&wanted) {
        return Ok(wanted);
    }
    let nearest = Megapixels::all().map(|size| Format { size, ..format });
    let nearest = nearest.filter(|format| is_offered(&format.pixels()));
    let nearest = nearest.min_by_key(|other| other.size.hundredths().abs_diff(format.size.hundredths()));
    nearest
        .map(Format::pixels)
        .ok_or_else(|| Failure::no_such_ratio(model, format.ratio, [AspectRatio::ACCEPTED.to_owned()]))
}

/// The reference images, as JPEGs.
///
/// # Errors
/// If an image can't be encoded.
pub(super) async fn images(request: &Request) -> Result<Vec<Vec<u8>>, Failure> {
    futures::future::try_join_all(request.references().map(|image| jpeg(image, MAX_JPEG_BYTES))).await
}

impl Creation {
    /// The form. Several images have the field name of a list.
    ///
    /// # Errors
    /// Never for a valid media type.
    pub(super) fn form(&self) -> Result<Form, Failure> {
        let name = if self.images.len() == 1 { "image" } else { "image[]" };
        let mut form = Form::new();
        for (field, value) in &self.fields {
            form = form.text(*field, value.clone());
        }
        for (number, image) in (1..).zip(&self.images) {
            let part = Part::bytes(image.clone()).file_name(format!("reference_{number}.jpg")).mime_str("image/jpeg");
            form = form.part(name, part.map_err(|error| Failure::Rejected(error.to_string()))?);
        }
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(model: &str, ratio: &str, megapixels: &str) -> Result<(u32, u32), Failure> {
        size(model, Format { ratio: ratio.parse().unwrap(), size: megapixels.parse().unwrap() })
    }

    #[test]
    fn size_is_the_nearest_that_the_model_offers() {
        for (model, ratio, megapixels, expected) in [
            ("gpt-image-2", "16:9", "1", (1360, 768)),
            ("gpt-image-2.5-flare", "1:1", "0.25", (816, 816)),
            ("gpt-image-2", "1:1", "8", (2880, 2880)),
            ("gpt-image-1-mini", "4:5", "2", (1024, 1536)),
            ("Qwen/Qwen-Image-Edit", "1:1", "0.25", (512, 512)),
        ] {
            assert_eq!(sized(model, ratio, megapixels).unwrap(), expected, "{model} {ratio} {megapixels}");
        }
        assert!(sized("gpt-image-1.5", "21:9", "1").unwrap_err().to_string().contains("no format near 21:9"));
    }

    #[test]
    fn later_models_offer_every_accepted_format() {
        for ratio in ["3:1", "1:3", "21:9", "16:9", "4:5", "1:1"] {
            for hundredths in (25..=800).step_by(25) {
                let megapixels = format!("{}.{:02}", hundredths / 100, hundredths % 100);
                let (width, height) = sized("gpt-image-2", ratio, &megapixels).unwrap();
                assert!(
                    width.max(height) <= 3 * width.min(height) && width.max(height) <= MAX_SIDE,
                    "{width}×{height}"
                );
                assert!(PIXELS.contains(&(width * height)) && width % 16 == 0 && height % 16 == 0, "{width}×{height}");
            }
        }
    }
}
