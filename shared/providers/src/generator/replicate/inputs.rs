//! The inputs of a model, and the table of models whose inputs are known.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::format::{AspectRatio, Megapixels};
use domain::money::MicroUsd;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::ReplicateModel;
use super::mark::marked;
use crate::generator::Request;

/// The most reference images that a request has. More of them add cost and no likeness.
const MAX_REFERENCES: usize = 4;

/// The inputs of a model that a request fills.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// The input that takes the base image.
    pub(super) image: String,
    /// Whether this input is a list of images.
    #[serde(default)]
    pub(super) list: bool,
    /// The most images in this list, if the model takes fewer than [`MAX_REFERENCES`].
    #[serde(default)]
    pub(super) most: Option<usize>,
    /// Whether the model has the input `seed`.
    #[serde(default)]
    pub(super) seed: bool,
    /// The choices of the input `aspect_ratio`; empty if the model has none.
    #[serde(default)]
    pub(super) ratios: Vec<String>,
    /// The input that chooses the size, if the model has one.
    #[serde(default)]
    pub(super) size: Option<SizeInput>,
    /// Further inputs, which are the same for every image.
    #[serde(default, rename = "inputs")]
    pub(super) further: Map<String, Value>,
    /// The price of one image, if it is known.
    #[serde(default, deserialize_with = "dollars")]
    pub(super) usd_per_image: Option<MicroUsd>,
}

/// The input that chooses the size of an image.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SizeInput {
    pub(super) name: String,
    /// Such as `1 MP`, `0.5` or `2K`. Choices that name no size are never made.
    pub(super) choices: Vec<String>,
}

fn dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MicroUsd>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

impl Inputs {
    /// How many reference images a request may have.
    pub(super) fn max_references(&self) -> usize {
        if self.list { self.most.unwrap_or(MAX_REFERENCES).min(MAX_REFERENCES) } else { 1 }
    }

    /// The `input` of a request with these images. If the model has no seed, the prompt carries it as its mark.
    ///
    /// # Errors
    /// If the model offers no aspect ratio near the requested one.
    pub(super) fn fill(&self, request: &Request, images: Vec<String>) -> Result<Value, NoSuchRatio> {
        let mut input = self.further.clone();
        let images = images.into_iter().take(self.max_references());
        let reference = if self.list { images.collect() } else { images.map(Value::from).next().unwrap_or_default() };
        input.insert(self.image.clone(), reference);
        if let Some(ratio) = self.ratio(request.format.ratio)? {
            input.insert("aspect_ratio".to_owned(), ratio.into());
        }
        if let Some((name, choice)) = self.size.as_ref().and_then(|size| size.nearest(request.format.size)) {
            input.insert(name.to_owned(), choice.into());
        }
        if self.seed {
            input.insert("prompt".to_owned(), request.prompt.clone().into());
            input.insert("seed".to_owned(), request.seed.into());
        } else {
            input.insert("prompt".to_owned(), marked(&request.prompt, request.seed).into());
        }
        Ok(input.into())
    }

    /// The choice nearest to this ratio; `None` if the model has no such input, and gives its images the ratio of the
    /// base image. Choices without a shape, such as `match_input_image`, don't count.
    pub(super) fn ratio(&self, wanted: AspectRatio) -> Result<Option<&str>, NoSuchRatio> {
        let offered = || self.ratios.iter().filter_map(|choice| Some((shape(choice)?, choice.as_str())));
        if offered().next().is_none() {
            return Ok(None);
        }
        let nearest = wanted.nearest(offered().map(|(ratio, _)| ratio)).ok_or(NoSuchRatio)?;
        Ok(offered().find(|(ratio, _)| *ratio == nearest).map(|(_, choice)| choice))
    }
}

/// The model offers no aspect ratio near the requested one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoSuchRatio;

impl SizeInput {
    /// The input and its choice nearest to this size.
    fn nearest(&self, wanted: Megapixels) -> Option<(&str, &str)> {
        let distance = |size: f64| (size / wanted.value()).ln().abs();
        let sized = self.choices.iter().filter_map(|choice| Some((distance(megapixels(choice)?), choice)));
        let (_, choice) = sized.min_by(|one, other| one.0.total_cmp(&other.0))?;
        Some((&self.name, choice))
    }
}

/// The shape that a choice such as `16:9` or `1360x768` names.
pub(super) fn shape(choice: &str) -> Option<AspectRatio> {
    choice.replace('x', ":").parse().ok()
}

/// The megapixels that a choice names: `2 MP` or `2` is their number; `2K` is the side of a square in 1024 pixels.
pub(super) fn megapixels(choice: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 64.0);
    match choice.strip_suffix('K') {
        Some(side) => number(side).map(|side| side * side),
        None => number(choice.strip_suffix("MP").unwrap_or(choice)),
    }
}

/// The known models, by `owner/name`.
pub(super) fn table() -> &'static BTreeMap<String, Inputs> {
    #[expect(clippy::expect_used, reason = "a constant table that every test of this module reads")]
    static TABLE: LazyLock<BTreeMap<String, Inputs>> =
        LazyLock::new(|| toml::from_str(include_str!("models.toml")).expect("the table is valid"));
    &TABLE
}

/// The inputs of a model from the table. A version may have other inputs than its model.
pub(super) fn known(model: &ReplicateModel) -> Option<&'static Inputs> {
    if model.version.is_some() { None } else { table().get(&model.name) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::format::Format;
    use domain::kind::Kind;
    use serde_json::json;

    use super::*;

    #[test]
    fn table_contains_models_with_valid_names() {
        assert!(table().len() > 10);
        for (name, inputs) in table() {
            let model: ReplicateModel = name.parse().unwrap();
            assert!(known(&model).is_some() && !inputs.further.contains_key(&inputs.image), "{name}");
        }
    }

    fn request(ratio: &str, size: &str) -> Request {
        Request {
            base: Arc::default(),
            further: Vec::new(),
            format: Format { ratio: ratio.parse().unwrap(), size: size.parse().unwrap() },
            kind: Kind::Photorealistic,
            prompt: "a man".to_owned(),
            seed: 7,
        }
    }

    fn filled(model: &str, request: &Request) -> Value {
        table()[model].fill(request, ["data:x", "data:y"].map(str::to_owned).to_vec()).unwrap()
    }

    #[test]
    fn request_has_the_inputs_of_the_model() {
        let usual = request("16:9", "1");
        assert_eq!(
            filled("black-forest-labs/flux-kontext-dev", &usual),
            json!({
                "prompt": "a man", "seed": 7, "input_image": "data:x", "aspect_ratio": "16:9", "output_format": "jpg",
            })
        );
        let without_seed = filled("google/nano-banana", &usual);
        assert_eq!((&without_seed["image_input"], without_seed.get("seed")), (&json!(["data:x", "data:y"]), None));
        assert_eq!(without_seed["prompt"], marked("a man", 7));
    }

    #[test]
    fn format_is_the_nearest_that_the_model_offers() {
        for (model, ratio, size, expected) in [
            ("openai/gpt-image-1.5", "9:16", "1", [("aspect_ratio", json!("2:3")), ("size", Value::Null)]),
            ("google/nano-banana-pro", "21:9", "4", [("aspect_ratio", json!("21:9")), ("resolution", json!("2K"))]),
            (
                "black-forest-labs/flux-2-pro",
                "5:4",
                "0.5",
                [("aspect_ratio", json!("5:4")), ("resolution", json!("0.5 MP"))],
            ),
            ("bytedance/seedream-4.5", "1:1", "1", [("aspect_ratio", json!("1:1")), ("size", json!("2K"))]),
            ("qwen/qwen-image-edit", "3:1", "8", [("aspect_ratio", Value::Null), ("size", Value::Null)]),
        ] {
            let input = filled(model, &request(ratio, size));
            for (name, value) in expected {
                assert_eq!(input[name], value, "{model}");
            }
        }
        assert_eq!(table()["openai/gpt-image-1.5"].fill(&request("21:9", "1"), Vec::new()), Err(NoSuchRatio));
    }

    #[test]
    fn nearest_offered_ratio_is_chosen() {
        for (offered, nearest) in [
            (&["1:1", "16:9", "21:9"][..], Ok(Some("16:9"))),
            (&["match_input_image", "1:1", "3:2", "2:3"], Ok(Some("3:2"))),
            (&["1024x1024", "1536x1024", "auto"], Ok(Some("1536x1024"))),
            (&["4:3", "21:9"], Err(NoSuchRatio)),
            (&["match_input_image", "0:0", "custom"], Ok(None)),
            (&[], Ok(None)),
        ] {
            let ratios = offered.iter().map(|&choice| choice.to_owned()).collect();
            let inputs = Inputs { ratios, ..table()["google/nano-banana"].clone() };
            assert_eq!(inputs.ratio(AspectRatio::default()), nearest, "{offered:?}");
        }
    }

    #[test]
    fn sizes_are_read_from_their_names() {
        for (choice, size) in
            [("1 MP", Some(1.0)), ("0.25", Some(0.25)), ("2K", Some(4.0)), ("custom", None), ("512", None)]
        {
            assert_eq!(megapixels(choice), size, "{choice}");
        }
    }
}
