use serde_json::json;

use super::*;

/// A schema with a prompt and these inputs, of which these are required.
fn schema(inputs: Value, required: &[&str]) -> Value {
    let mut properties = inputs.as_object().unwrap().clone();
    properties.insert("prompt".to_owned(), json!({ "type": "string" }));
    json!({ "components": { "schemas": {
        "Input": { "type": "object", "properties": properties, "required": required },
        "aspect_ratio": { "type": "string", "enum": ["match_input_image", "1:1", "3:2", "2:3"] },
        "output_format": { "type": "string", "enum": ["webp", "png", "jpeg"] },
    } } })
}

fn image() -> Value {
    json!({ "type": "string", "format": "uri" })
}

fn images() -> Value {
    json!({ "type": "array", "items": image() })
}

#[test]
fn reference_image_is_found_by_name_and_type() {
    let both = json!({ "image": image(), "mask": image(), "input_images": images() });
    for (inputs, name, list) in [
        (json!({ "image": image(), "mask": image() }), "image", false),
        (json!({ "image_input": images(), "seed": { "type": "integer" } }), "image_input", true),
        (json!({ "reference_images": images() }), "reference_images", true),
        (both, "input_images", true),
        (json!({ "input_image": { "anyOf": [{ "type": "null" }, image()] } }), "input_image", false),
    ] {
        let found = inputs_of(&schema(inputs, &["prompt"])).unwrap();
        assert_eq!((found.image.as_str(), found.list), (name, list));
    }
}

#[test]
fn mask_or_control_image_is_never_guessed() {
    for inputs in [
        json!({ "mask": image(), "control_image": image() }),
        json!({ "image_prompt": image() }),
        json!({ "image": { "type": "string" } }),
        json!({ "images": { "type": "array", "items": { "type": "string" } } }),
        json!({ "images": { "type": "integer" } }),
    ] {
        let problem = inputs_of(&schema(inputs.clone(), &[])).unwrap_err();
        assert!(problem.contains("none of its inputs is known to take a reference image"), "{problem}");
        assert!(inputs.as_object().unwrap().keys().all(|name| problem.contains(name)), "{problem}");
    }
}

#[test]
fn further_required_input_is_named() {
    let text = json!({ "type": "string" });
    let inputs =
        json!({ "image": image(), "mask": image(), "api_key": text, "size": { "type": "string", "default": "1K" } });
    let problem = inputs_of(&schema(inputs, &["prompt", "image", "mask", "api_key", "size"])).unwrap_err();
    assert_eq!(problem, "it requires inputs that the balancer can't fill: mask, api_key");
}

#[test]
fn model_without_prompt_or_schema_is_unusable() {
    let upscaler = json!({ "components": { "schemas": { "Input": { "properties": { "image": image() } } } } });
    assert!(inputs_of(&upscaler).unwrap_err().contains("no input `prompt`; its inputs are image"));
    for nothing in [Value::Null, json!({}), json!({ "components": { "schemas": { "Input": {} } } })] {
        assert!(inputs_of(&nothing).unwrap_err().contains("no schema"), "{nothing}");
    }
}

#[test]
fn further_inputs_are_set_only_if_offered() {
    let all = json!({
        "image": image(),
        "seed": { "type": "integer", "nullable": true },
        "aspect_ratio": { "allOf": [{ "$ref": "#/components/schemas/aspect_ratio" }], "default": "1:1" },
        "output_format": { "allOf": [{ "$ref": "#/components/schemas/output_format" }] },
        "safety_tolerance": { "type": "integer", "minimum": 0, "maximum": 6 },
        "prompt_upsampling": { "type": "boolean" },
        "go_fast": { "type": "boolean", "default": true },
    });
    let found = inputs_of(&schema(all, &[])).unwrap();
    assert!(found.seed);
    let expected = json!({
        "output_format": "jpeg", "safety_tolerance": 2, "prompt_upsampling": false,
    });
    assert_eq!(Value::from(found.further), expected);
    let least = inputs_of(&schema(json!({ "image": image() }), &[])).unwrap();
    assert!(!least.seed && least.further.is_empty());
}

#[test]
fn inputs_of_another_range_are_left_out() {
    let narrow = json!({
        "image": image(),
        "seed": { "type": "integer", "maximum": 65_535 },
        "safety_tolerance": { "type": "integer", "minimum": 3 },
        "aspect_ratio": { "type": "string", "enum": ["match_input_image", "auto"] },
        "output_format": { "type": "string", "enum": ["png", "webp"] },
    });
    let found = inputs_of(&schema(narrow, &[])).unwrap();
    assert!(!found.seed && found.further.is_empty() && found.ratios.is_empty(), "{found:?}");
}
