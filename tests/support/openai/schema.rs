//! The vendor's rules for a schema in strict mode.

use std::collections::BTreeSet;

use serde_json::Value;

const KEYWORDS: [&str; 6] = ["type", "properties", "required", "additionalProperties", "items", "enum"];

/// Checks a schema and its subschemas.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    let object = schema.as_object().ok_or("a schema must be an object")?;
    if let Some(unknown) = object.keys().find(|keyword| !KEYWORDS.contains(&keyword.as_str())) {
        return Err(format!("`{unknown}` is not permitted in strict mode"));
    }
    match schema["type"].as_str() {
        Some("object") => check_object(schema),
        Some("array") => check(&schema["items"]),
        Some("string" | "integer" | "boolean" | "number") => check_enum(schema),
        other => Err(format!("type {other:?} is unknown")),
    }
}

fn check_object(schema: &Value) -> Result<(), String> {
    if schema["additionalProperties"] != false {
        return Err("`additionalProperties` is required to be supplied and to be false".to_owned());
    }
    let properties = schema["properties"].as_object().ok_or("an object needs properties")?;
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if properties.keys().map(String::as_str).collect::<BTreeSet<_>>() != required {
        return Err("`required` must name every key of `properties`".to_owned());
    }
    properties.values().try_for_each(check)
}

fn check_enum(schema: &Value) -> Result<(), String> {
    match schema.get("enum") {
        None => Ok(()),
        Some(Value::Array(values)) if (1..=1000).contains(&values.len()) => Ok(()),
        Some(_) => Err("`enum` must have 1 to 1000 values".to_owned()),
    }
}
