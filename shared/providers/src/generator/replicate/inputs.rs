//! The inputs of a model, and the table of models whose inputs are known.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::money::MicroUsd;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::ReplicateModel;
use super::mark::marked;

/// The inputs of a model that a request fills.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// The input that takes the base image.
    pub(super) image: String,
    /// Whether this input is a list of images.
    #[serde(default)]
    pub(super) list: bool,
    /// Whether the model has the input `seed`.
    #[serde(default)]
    pub(super) seed: bool,
    /// Further inputs, which are the same for every image.
    #[serde(default, rename = "inputs")]
    pub(super) further: Map<String, Value>,
    /// The price of one image, if it is known.
    #[serde(default, deserialize_with = "dollars")]
    pub(super) usd_per_image: Option<MicroUsd>,
}

fn dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MicroUsd>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

impl Inputs {
    /// The `input` of a request. If the model has no seed, the prompt carries it as its mark.
    pub(super) fn fill(&self, prompt: &str, seed: u32, image: String) -> Value {
        let mut input = self.further.clone();
        let image = if self.list { json!([image]) } else { image.into() };
        input.insert(self.image.clone(), image);
        if self.seed {
            input.insert("prompt".to_owned(), prompt.into());
            input.insert("seed".to_owned(), seed.into());
        } else {
            input.insert("prompt".to_owned(), marked(prompt, seed).into());
        }
        input.into()
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
    use super::*;

    #[test]
    fn table_contains_models_with_valid_names() {
        assert!(table().len() > 10);
        for (name, inputs) in table() {
            let model: ReplicateModel = name.parse().unwrap();
            assert!(known(&model).is_some() && !inputs.further.contains_key(&inputs.image), "{name}");
        }
    }

    #[test]
    fn request_has_the_inputs_of_the_model() {
        let inputs = |name: &str| table()[name].fill("a man", 7, "data:x".to_owned());
        assert_eq!(
            inputs("black-forest-labs/flux-kontext-dev"),
            json!({
                "prompt": "a man", "seed": 7, "input_image": "data:x", "aspect_ratio": "16:9", "output_format": "jpg",
            })
        );
        let without_seed = inputs("google/nano-banana");
        assert_eq!((&without_seed["image_input"], without_seed.get("seed")), (&json!(["data:x"]), None));
        assert_eq!(without_seed["prompt"], marked("a man", 7));
    }
}
