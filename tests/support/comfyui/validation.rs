//! Validates a prompt as ComfyUI does, with its messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The body of a response with status 400.
pub(super) struct Rejection {
    pub(super) error: Value,
    pub(super) node_errors: Value,
}

/// Whether ComfyUI would execute the prompt in this body.
pub(super) fn validate(body: &Value, info: &Value, uploads: &BTreeMap<String, Vec<u8>>) -> Result<(), Rejection> {
    let Some(nodes) = body["prompt"].as_object() else {
        return Err(rejected("no_prompt", "No prompt provided", "No prompt provided"));
    };
    assert!(body["prompt_id"].as_str().is_some_and(|id| id.len() == 36), "the id is no UUID: {body}");
    let mut outputs = Vec::new();
    for (id, node) in nodes {
        let details = format!("Node ID '#{id}'");
        let Some(class) = node["class_type"].as_str() else {
            let message = "Cannot execute because a node is missing the class_type property.";
            return Err(rejected("invalid_prompt", message, &details));
        };
        let Some(kind) = info.get(class) else {
            let message = format!("Cannot execute because node {class} does not exist.");
            return Err(rejected("invalid_prompt", &message, &details));
        };
        if kind["output_node"] == true {
            outputs.push(id.as_str());
        }
    }
    if outputs.is_empty() {
        return Err(rejected("prompt_no_outputs", "Prompt has no outputs", ""));
    }
    let validator = Validator { nodes, info, uploads };
    let (mut valid, mut node_errors) = (false, Map::new());
    for output in outputs {
        let found = validator.errors_before(output);
        valid |= found.is_empty();
        for (id, errors) in found {
            let class = &nodes[id]["class_type"];
            let errors = json!({ "errors": errors, "dependent_outputs": [output], "class_type": class });
            node_errors.insert(id.to_owned(), errors);
        }
    }
    if valid {
        return Ok(());
    }
    let mut rejection = rejected("prompt_outputs_failed_validation", "Prompt outputs failed validation", "");
    rejection.node_errors = node_errors.into();
    Err(rejection)
}

fn rejected(kind: &str, message: &str, details: &str) -> Rejection {
    Rejection { error: error(kind, message, details), node_errors: json!({}) }
}

fn error(kind: &str, message: &str, details: &str) -> Value {
    json!({ "type": kind, "message": message, "details": details, "extra_info": {} })
}

struct Validator<'a> {
    nodes: &'a Map<String, Value>,
    info: &'a Value,
    uploads: &'a BTreeMap<String, Vec<u8>>,
}

impl<'a> Validator<'a> {
    /// The errors of every node that an output needs.
    fn errors_before(&self, output: &'a str) -> BTreeMap<&'a str, Vec<Value>> {
        let (mut found, mut seen, mut open) = (BTreeMap::new(), BTreeSet::new(), vec![output]);
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let errors = self.errors_of(id);
            if !errors.is_empty() {
                found.insert(id, errors);
            }
            let inputs = self.nodes[id]["inputs"].as_object().unwrap();
            open.extend(inputs.values().filter_map(|value| value.as_array()?[0].as_str()));
        }
        found
    }

    fn errors_of(&self, id: &str) -> Vec<Value> {
        let (node, kind) = (&self.nodes[id], &self.info[self.nodes[id]["class_type"].as_str().unwrap()]);
        let described = |group: &str| kind["input"][group].as_object().cloned().unwrap_or_default();
        let mut errors = Vec::new();
        for (group, is_required) in [("required", true), ("optional", false)] {
            for (name, description) in described(group) {
                match &node["inputs"][&name] {
                    Value::Null if is_required => {
                        errors.push(error("required_input_missing", "Required input is missing", &name));
                    }
                    Value::Null | Value::Array(_) => {}
                    value => errors.extend(self.error_of(&name, value, &description)),
                }
            }
        }
        errors
    }

    fn error_of(&self, name: &str, value: &Value, description: &Value) -> Option<Value> {
        let (kind, options) = (&description[0], &description[1]);
        if options["image_upload"] == true {
            let file = value.as_str().unwrap_or_default();
            let exists = file == "example.png" || self.uploads.contains_key(file);
            let details = format!("{name} - Invalid image file: {file}");
            return (!exists).then(|| error("custom_validation_failed", "Custom validation failed for node", &details));
        }
        let choices = kind.as_array().or_else(|| options["options"].as_array());
        if let Some(choices) = choices {
            let details = format!("{name}: '{}' not in {}", value.as_str().unwrap_or_default(), json!(choices));
            return (!choices.contains(value)).then(|| error("value_not_in_list", "Value not in list", &details));
        }
        if kind == "INT" || kind == "FLOAT" {
            let Some(number) = value.as_f64() else {
                let message = format!("Failed to convert an input value to a {} value", kind.as_str().unwrap());
                return Some(error("invalid_input_type", &message, &format!("{name}, {value}")));
            };
            if options["max"].as_f64().is_some_and(|most| number > most) {
                return Some(error("value_bigger_than_max", &format!("Value {value} bigger than max"), name));
            }
            if options["min"].as_f64().is_some_and(|least| number < least) {
                return Some(error("value_smaller_than_min", &format!("Value {value} smaller than min"), name));
            }
        }
        None
    }
}
