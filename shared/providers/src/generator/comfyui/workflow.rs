//! A workflow in ComfyUI's API form: its nodes by their ids, each with a class and inputs.
//!
//! An input is a value, or a link `[node, output]` to another node.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// What to do with a workflow that is not in API form.
pub(super) const EXPORT: &str = "in ComfyUI, export it with Workflow > Export (API); in older versions, enable Dev mode in the settings and use Save (API Format)";

/// A workflow that can be executed.
#[derive(Debug, Clone)]
pub(super) struct Workflow {
    pub(super) nodes: BTreeMap<String, Node>,
}

/// A node of a workflow.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Node {
    class_type: Option<String>,
    #[serde(default)]
    pub(super) inputs: Map<String, Value>,
    #[serde(default, rename = "_meta")]
    meta: Meta,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Meta {
    #[serde(default)]
    title: String,
}

/// An input of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Input {
    pub(super) node: String,
    pub(super) name: String,
}

impl Node {
    pub(super) fn class(&self) -> &str {
        self.class_type.as_deref().unwrap_or_default()
    }

    /// The title that the user has given to it, or its class's.
    pub(super) fn title(&self) -> &str {
        self.meta.title.trim()
    }

    /// The nodes whose outputs it uses.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        self.inputs.values().filter_map(linked)
    }
}

/// The node that an input is connected to; `None` if the input has a value of its own.
pub(super) fn linked(input: &Value) -> Option<&str> {
    match input.as_array()?.as_slice() {
        [Value::String(node), Value::Number(_)] => Some(node),
        _ => None,
    }
}

impl Workflow {
    /// Reads a workflow from the text of its file.
    ///
    /// # Errors
    /// A clause about the file, and the remedy.
    pub(super) fn parse(text: &str) -> Result<Self, (String, &'static str)> {
        let mut file: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| (format!("is not JSON ({error})"), EXPORT))?;
        if file["nodes"].is_array() {
            return Err(("is in the form in which ComfyUI saves workflows, not in API form".to_owned(), EXPORT));
        }
        // The body of a request.
        let file = if file["prompt"].is_object() { file["prompt"].take() } else { file };
        let nodes: BTreeMap<String, Node> =
            serde_json::from_value(file).map_err(|error| (format!("is no workflow ({error})"), EXPORT))?;
        match nodes.iter().find(|(_, node)| node.class_type.is_none()) {
            Some((id, _)) => Err((format!("is no workflow in API form: `{id}` has no class_type"), EXPORT)),
            None if nodes.is_empty() => Err(("has no nodes".to_owned(), EXPORT)),
            None => Ok(Self { nodes }),
        }
    }

    /// The node in words, such as `node 6 (CLIPTextEncode, "balancer: prompt")`.
    pub(super) fn describe(&self, id: &str) -> String {
        match self.nodes.get(id) {
            Some(node) if node.title().is_empty() => format!("node {id} ({})", node.class()),
            Some(node) => format!("node {id} ({}, \"{}\")", node.class(), node.title()),
            None => format!("node {id}"),
        }
    }

    /// The nodes whose results these nodes use, directly or indirectly, and these nodes themselves.
    pub(super) fn upstream_of<'a>(&'a self, nodes: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let (mut found, mut open) = (BTreeSet::new(), Vec::from_iter(nodes));
        while let Some(id) = open.pop() {
            if found.insert(id)
                && let Some(node) = self.nodes.get(id)
            {
                open.extend(node.sources());
            }
        }
        found
    }

    /// The workflow as a request contains it, with these values of inputs.
    pub(super) fn filled<'a>(&self, values: impl IntoIterator<Item = (&'a Input, Value)>) -> Value {
        let mut nodes = self.nodes.clone();
        for (input, value) in values {
            if let Some(node) = nodes.get_mut(&input.node) {
                node.inputs.insert(input.name.clone(), value);
            }
        }
        let node = |(id, node): (String, Node)| {
            (
                id,
                serde_json::json!({ "class_type": node.class_type, "inputs": node.inputs, "_meta": { "title": node.meta.title } }),
            )
        };
        Value::Object(nodes.into_iter().map(node).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(text: &str) -> String {
        Workflow::parse(text).unwrap_err().0
    }

    #[test]
    fn workflow_in_ui_form_is_recognised() {
        let saved =
            json!({ "last_node_id": 9, "nodes": [{ "id": 9, "type": "SaveImage" }], "links": [], "version": 0.4 });
        assert!(problem(&saved.to_string()).contains("not in API form"));
    }

    #[test]
    fn other_files_are_no_workflows() {
        for (text, words) in [
            ("", "is not JSON"),
            ("<html>", "is not JSON"),
            ("[]", "is no workflow"),
            ("{}", "has no nodes"),
            (r#"{"1": 5}"#, "is no workflow"),
            (r#"{"1": {"inputs": {}}}"#, "`1` has no class_type"),
        ] {
            assert!(problem(text).contains(words), "{text}: {}", problem(text));
        }
    }

    #[test]
    fn request_body_is_accepted_as_a_workflow() {
        let body = json!({ "client_id": "x", "prompt": { "1": { "class_type": "SaveImage", "inputs": {} } } });
        assert_eq!(Workflow::parse(&body.to_string()).unwrap().nodes.len(), 1);
    }

    #[test]
    fn filling_changes_only_the_named_inputs() {
        let text = json!({
            "1": { "class_type": "CLIPTextEncode", "inputs": { "text": "old", "clip": ["2", 0] }, "_meta": { "title": "t" } },
        });
        let workflow = Workflow::parse(&text.to_string()).unwrap();
        let input = Input { node: "1".to_owned(), name: "text".to_owned() };
        let mut expected = text.clone();
        expected["1"]["inputs"]["text"] = "new".into();
        assert_eq!(workflow.filled([(&input, "new".into())]), expected);
        assert_eq!(workflow.filled([]), text);
    }
}
