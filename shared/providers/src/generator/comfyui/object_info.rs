//! What ComfyUI publishes about its kinds of nodes, at `/object_info`.
//!
//! An input is described by `[type, options]`. The choices of an input stand in place of its type, or in the options of
//! the type `COMBO`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The kinds of nodes, by their names.
#[derive(Debug, Deserialize)]
pub(super) struct ObjectInfo(BTreeMap<String, Kind>);

/// A kind of node.
#[derive(Debug, Deserialize)]
pub(super) struct Kind {
    #[serde(default)]
    input: Inputs,
    /// Whether it ends a workflow: ComfyUI executes only what such nodes need.
    #[serde(default)]
    pub(super) output_node: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Inputs {
    #[serde(default)]
    required: Map<String, Value>,
    #[serde(default)]
    optional: Map<String, Value>,
}

impl ObjectInfo {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn kind(&self, class: &str) -> Option<&Kind> {
        self.0.get(class)
    }
}

impl Kind {
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        self.input.required.keys().map(String::as_str)
    }

    /// The values that an input accepts; `None` if it is no choice.
    pub(super) fn choices(&self, input: &str) -> Option<&[Value]> {
        let description = self.description(input)?;
        let choices = match description.first()? {
            Value::Array(choices) => choices,
            Value::String(kind) if kind == "COMBO" => description.get(1)?.get("options")?.as_array()?,
            _ => return None,
        };
        let takes_several = description.get(1).is_some_and(|options| options["multiselect"] == true);
        (!takes_several).then_some(choices)
    }

    /// Whether the choices of an input are the files of the input folder. ComfyUI accepts further ones, in subfolders.
    pub(super) fn takes_uploads(&self, input: &str) -> bool {
        let options = self.description(input).and_then(|description| description.get(1));
        options.is_some_and(|options| options["image_upload"] == true)
    }

    fn description(&self, input: &str) -> Option<&Vec<Value>> {
        self.input.required.get(input).or_else(|| self.input.optional.get(input))?.as_array()
    }
}
