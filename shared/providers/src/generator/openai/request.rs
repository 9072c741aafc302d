//! The form of a request for an image.

use domain::format::AspectRatio;
use reqwest::multipart::{Form, Part};

use super::Creation;
use crate::generator::failure::Failure;
use crate::generator::reference::jpeg;
use crate::generator::{OpenAiImagesConfig, Request};

/// The text fields of a form.
pub(super) type Fields = Vec<(&'static str, String)>;

/// The models that offer only these sizes, by the beginning of their names.
const MODELS_WITH_FIXED_SIZES: [&str; 2] = ["gpt-image-1", "chatgpt-image"];

/// The width and the height that these models offer.
const FIXED_SIZES: [(u32, u32); 3] = [(1024, 1024), (1536, 1024), (1024, 1536)];

/// The text fields. Fields of OpenAI's own models only are sent to these models only.
///
/// # Errors
/// If the model offers no size near the requested ratio.
pub(super) fn fields(config: &OpenAiImagesConfig, request: &Request) -> Result<Fields, Failure> {
    let has_fixed_sizes = MODELS_WITH_FIXED_SIZES.iter().any(|prefix| config.model.starts_with(prefix));
    let size = if has_fixed_sizes { fixed_size(config, request)? } else { request.format.pixels() };
    let mut fields = vec![
        ("model", config.model.clone()),
        ("prompt", request.prompt.clone()),
        ("size", format!("{}x{}", size.0, size.1)),
        ("n", "1".to_owned()),
        ("output_format", "jpeg".to_owned()),
    ];
    fields.extend(config.quality.iter().map(|quality| ("quality", quality.clone())));
    if has_fixed_sizes {
        // Later models always keep the likeness, and reject the field.
        fields.push(("input_fidelity", "high".to_owned()));
    }
    Ok(fields)
}

fn fixed_size(config: &OpenAiImagesConfig, request: &Request) -> Result<(u32, u32), Failure> {
    let offered = || FIXED_SIZES.into_iter().filter_map(|size| Some((AspectRatio::new(size.0, size.1)?, size)));
    let nearest = request.format.ratio.nearest(offered().map(|(ratio, _)| ratio));
    let size = offered().find(|(ratio, _)| Some(*ratio) == nearest).map(|(_, size)| size);
    size.ok_or_else(|| {
        Failure::no_such_ratio(
            &config.model,
            request.format.ratio,
            offered().map(|(_, size)| format!("{}x{}", size.0, size.1)),
        )
    })
}

/// The reference images, as JPEGs.
///
/// # Errors
/// If an image can't be encoded.
pub(super) async fn images(request: &Request) -> Result<Vec<Vec<u8>>, Failure> {
    futures::future::try_join_all(request.references().map(jpeg)).await
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
