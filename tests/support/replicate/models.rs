//! What Replicate publishes about the inputs of models, and the checks that follow from it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imaging::decode;
use serde_json::{Map, Value, json};
use toml::Table;

use super::request::Rejection;

/// The exclusive limit of a data URL, in bytes.
const MAX_DATA_URL_BYTES: usize = 1_000_000;

/// A model of the stand-in.
pub(super) struct Model {
    pub(super) name: String,
    /// Whether it is requested by its name. Other models are requested by a version.
    pub(super) is_official: bool,
    /// Whether its output is a list.
    pub(super) is_list: bool,
    inputs: Table,
    required: Vec<String>,
}

static MODELS: LazyLock<BTreeMap<String, Model>> = LazyLock::new(|| {
    let table: Table = include_str!("models.toml").parse().unwrap();
    let flag = |facts: &toml::Value, name: &str| facts.get(name).is_some_and(|value| value.as_bool().unwrap());
    let model = |(name, facts): (String, toml::Value)| {
        let required = facts["required"].as_array().unwrap().iter();
        let model = Model {
            is_official: !flag(&facts, "community"),
            is_list: flag(&facts, "list"),
            inputs: facts["inputs"].as_table().unwrap().clone(),
            required: required.map(|name| name.as_str().unwrap().to_owned()).collect(),
            name: name.clone(),
        };
        (name, model)
    };
    table.into_iter().map(model).collect()
});

/// The model with this name.
pub(super) fn named(name: &str) -> Option<&'static Model> {
    MODELS.get(name)
}

/// The model with this version.
pub(super) fn with_version(id: &str) -> Option<&'static Model> {
    MODELS.values().find(|model| version_of(&model.name) == id)
}

/// The id of the only version of a model.
#[must_use]
pub fn version_of(model: &str) -> String {
    format!("{:064x}", crc32fast::hash(model.as_bytes()))
}

/// The schema of an input in OpenAPI, as Replicate writes it. Choices are a schema of their own.
fn property(name: &str, facts: &toml::Value) -> Value {
    let image = json!({ "type": "string", "format": "uri" });
    match facts {
        toml::Value::Array(_) => json!({ "allOf": [{ "$ref": format!("#/components/schemas/{name}") }] }),
        toml::Value::Table(range) => {
            json!({ "type": "integer", "minimum": integer(&range["minimum"]), "maximum": integer(&range["maximum"]) })
        }
        facts => match facts.as_str().unwrap() {
            "text" => json!({ "type": "string", "title": name }),
            "image" => image,
            "images" => json!({ "type": "array", "items": image, "default": [] }),
            plain => json!({ "type": plain, "nullable": true }),
        },
    }
}

fn integer(value: &toml::Value) -> i64 {
    value.as_integer().unwrap()
}

fn choices(facts: &toml::Value) -> Vec<&str> {
    facts.as_array().into_iter().flatten().map(|choice| choice.as_str().unwrap()).collect()
}

impl Model {
    /// The model as Replicate describes it.
    pub(super) fn describe(&self) -> Value {
        let (owner, name) = self.name.split_once('/').unwrap();
        json!({
            "owner": owner,
            "name": name,
            "is_official": self.is_official,
            "visibility": "public",
            "latest_version": self.describe_version(),
        })
    }

    /// Its version as Replicate describes it.
    pub(super) fn describe_version(&self) -> Value {
        let properties: Map<String, Value> =
            self.inputs.iter().map(|(name, facts)| (name.clone(), property(name, facts))).collect();
        let mut schemas = json!({
            "Input": { "type": "object", "title": "Input", "required": self.required, "properties": properties },
        });
        for (name, facts) in &self.inputs {
            if facts.is_array() {
                schemas[name] = json!({ "type": "string", "title": name, "enum": choices(facts) });
            }
        }
        json!({
            "id": version_of(&self.name),
            "openapi_schema": { "openapi": "3.0.2", "components": { "schemas": schemas } },
        })
    }

    /// Checks an input as strictly as possible: Replicate would drop unknown inputs, and charge for the image of a
    /// stranger. Returns the input with its images shortened.
    pub(super) fn check(&self, input: &Map<String, Value>) -> Result<Map<String, Value>, Rejection> {
        if let Some(missing) = self.required.iter().find(|name| !input.contains_key(*name)) {
            return Err(format!("{missing} is required").into());
        }
        let mut shortened = Map::new();
        for (name, value) in input {
            let facts = self.inputs.get(name).ok_or_else(|| format!("{} has no input {name}", self.name))?;
            shortened.insert(name.clone(), checked(name, facts, value)?);
        }
        match self.inputs.iter().any(|(name, facts)| is_image(facts) && shortened.contains_key(name)) {
            true => Ok(shortened),
            false => Err(format!("{} would generate a stranger: no image is given", self.name).into()),
        }
    }
}

fn is_image(facts: &toml::Value) -> bool {
    matches!(facts.as_str(), Some("image" | "images"))
}

/// The value if it is valid, with images shortened.
fn checked(name: &str, facts: &toml::Value, value: &Value) -> Result<Value, Rejection> {
    let is_valid = match facts {
        toml::Value::Array(_) => value.as_str().is_some_and(|value| choices(facts).contains(&value)),
        toml::Value::Table(range) => value
            .as_i64()
            .is_some_and(|value| (integer(&range["minimum"])..=integer(&range["maximum"])).contains(&value)),
        facts => match facts.as_str().unwrap() {
            "image" => return check_image(name, value),
            "images" => {
                let images =
                    value.as_array().filter(|images| !images.is_empty()).ok_or(format!("{name} is no list"))?;
                return images.iter().map(|image| check_image(name, image)).collect::<Result<Value, Rejection>>();
            }
            "text" => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            "boolean" => value.is_boolean(),
            "number" => value.is_number(),
            _ => value.as_u64().is_some_and(|number| number < 1 << 31),
        },
    };
    if is_valid { Ok(value.clone()) } else { Err(format!("{name} must not be {value}").into()) }
}

fn check_image(name: &str, value: &Value) -> Result<Value, Rejection> {
    let image = value.as_str().unwrap_or_default();
    if image.len() > MAX_DATA_URL_BYTES {
        return Err(Rejection { status: 400, detail: format!("{name} is too large: {} bytes", image.len()) });
    }
    let jpeg = image.strip_prefix("data:image/jpeg;base64,").and_then(|text| STANDARD.decode(text).ok());
    let jpeg = jpeg.ok_or_else(|| format!("{name} is no data URL of a JPEG"))?;
    decode(&jpeg).map_err(|error| format!("{name}: {error}"))?;
    Ok("data:…".into())
}
