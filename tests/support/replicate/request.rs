//! Validates a creation as strictly as Replicate.

use domain::kind::Kind;
use domain::prompts::{Library, PLACEHOLDER, Prompt};
use serde_json::{Map, Value};

use super::models::{self, Model};

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

/// The model and the input of a valid creation. `official` is the model that the address names.
pub(super) fn validate(
    body: &[u8],
    official: Option<&'static Model>,
) -> Result<(&'static Model, Map<String, Value>), Rejection> {
    let body: Map<String, Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let fields: Vec<&str> = body.keys().map(String::as_str).collect();
    let model = match (official, fields.as_slice()) {
        (Some(model), ["input"]) => model,
        (None, ["input", "version"]) => {
            models::with_version(body["version"].as_str().unwrap_or_default()).ok_or("version does not exist")?
        }
        _ => return Err(format!("unexpected fields: {fields:?}").into()),
    };
    Ok((model, model.check(body["input"].as_object().ok_or("input is no object")?)?))
}

/// The kind of a prompt, which must name a medium of the built-in library.
pub(super) fn kind_of(prompt: &str) -> Kind {
    let matches = |known: &&Prompt| prompt.starts_with(known.text.split_once(PLACEHOLDER).unwrap().0);
    Library::built_in().prompts().iter().find(matches).unwrap().kind
}
