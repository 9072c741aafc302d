//! ComfyUI's answers, read leniently.

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::generator::service::Prediction;
use crate::wording::{Meaning, meaning};

/// The longest message that an error quotes, in characters.
const MAX_QUOTED: usize = 300;

/// The field of a prompt's extra data that names the node whose image counts. The history returns it, so that a worker
/// needs neither the workflow nor the mapping to find the image.
pub(super) const CHOSEN_OUTPUT: &str = "balancer_output";

/// The answer to `POST /prompt`.
#[derive(Debug, Deserialize)]
pub(super) struct Queued {
    pub(super) prompt_id: String,
}

/// The answer to an upload.
#[derive(Debug, Deserialize)]
pub(super) struct Uploaded {
    name: String,
    #[serde(default)]
    subfolder: String,
}

impl Uploaded {
    /// The value of an input that loads the file.
    pub(super) fn reference(self) -> String {
        if self.subfolder.is_empty() { self.name } else { format!("{}/{}", self.subfolder, self.name) }
    }
}

/// The running and the waiting prompts. An entry is a list whose second item is the id.
#[derive(Debug, Deserialize)]
pub(super) struct Queue {
    queue_running: Vec<Value>,
    queue_pending: Vec<Value>,
}

impl Queue {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.queue_running.iter().chain(&self.queue_pending).any(|entry| entry[1] == id)
    }
}

/// The prompts that have ended, by their ids.
#[derive(Debug, Deserialize)]
pub(super) struct History(Map<String, Value>);

/// An image that a node has saved.
#[derive(Debug, Deserialize)]
struct SavedImage {
    filename: String,
    #[serde(default)]
    subfolder: String,
    #[serde(default, rename = "type")]
    folder: String,
}

impl History {
    /// How a prompt has ended; `None` if it is not known.
    pub(super) fn result_of(&self, id: &str) -> Option<Prediction> {
        let entry = self.0.get(id)?;
        let output = entry["prompt"][3][CHOSEN_OUTPUT].as_str();
        let status = &entry["status"];
        if status["status_str"] == "error" {
            return Some(failure(status["messages"].as_array().map_or(&[], Vec::as_slice)));
        }
        Some(match image_of(&entry["outputs"], output).and_then(|image| image.address()) {
            Some(address) => Prediction::Succeeded(address),
            None => Prediction::Failed(match output {
                Some(node) => format!("node {node}, whose image counts, has saved none"),
                None => "the workflow ended without an image".to_owned(),
            }),
        })
    }
}

impl SavedImage {
    /// Its address, relative to the base URL.
    fn address(&self) -> Option<String> {
        let folder = if self.folder.is_empty() { "output" } else { &self.folder };
        let query = [("filename", self.filename.as_str()), ("subfolder", &self.subfolder), ("type", folder)];
        Some(format!("view?{}", Url::parse_with_params("http://comfyui", query).ok()?.query()?))
    }
}

/// The first saved image of the chosen node, or of any; previews count only if nothing is saved.
fn image_of(outputs: &Value, chosen: Option<&str>) -> Option<SavedImage> {
    let nodes = outputs.as_object()?.iter().filter(|(id, _)| chosen.is_none_or(|chosen| chosen == *id));
    let images = nodes.filter_map(|(_, output)| output["images"].as_array()).flatten();
    let mut images: Vec<SavedImage> = images.filter_map(|image| SavedImage::deserialize(image).ok()).collect();
    // Stable: images of the same folder keep their order.
    images.sort_by_key(|image| image.folder == "temp");
    images.into_iter().next()
}

fn failure(messages: &[Value]) -> Prediction {
    let details = |event: &str| messages.iter().rfind(|message| message[0] == event).map(|message| &message[1]);
    if let Some(error) = details("execution_error") {
        let text = |name: &str| error[name].as_str().unwrap_or_default().trim();
        let node = format!("node {} ({})", text("node_id"), text("node_type"));
        let reason = shortened(&format!("{node} failed: {}: {}", text("exception_type"), text("exception_message")));
        // Not of the node's name, which may be that of a filter.
        return match meaning(text("exception_message")) {
            Some(Meaning::ContentRejected) => Prediction::ContentRejected(reason),
            Some(Meaning::Interrupted) => Prediction::Interrupted(reason),
            None => Prediction::Failed(reason),
        };
    }
    if details("execution_interrupted").is_some() {
        return Prediction::Interrupted("it was canceled in ComfyUI".to_owned());
    }
    Prediction::Failed("ComfyUI reports an error without a message".to_owned())
}

/// The reason why ComfyUI rejects a workflow; `None` if the body is no such answer.
pub(super) fn rejection(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let described = |error: &Value| {
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        format!("{}: {}", text("message"), text("details")).trim_end_matches([':', ' ']).to_owned()
    };
    let of_nodes: Vec<String> = answer["node_errors"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(id, node)| {
            let errors = node["errors"].as_array().into_iter().flatten();
            errors.map(move |error| (id, node["class_type"].as_str().unwrap_or_default(), error))
        })
        .map(|(id, class, error)| format!("node {id} ({class}): {}", described(error)))
        .collect();
    if !of_nodes.is_empty() {
        return Some(shortened(&of_nodes.join("; ")));
    }
    match answer.get("error")? {
        Value::String(text) => Some(shortened(text)),
        error => Some(shortened(&described(error))),
    }
}

/// A text on one line, without its end if it is long.
pub(super) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_QUOTED {
        return line;
    }
    format!("{}…", line.chars().take(MAX_QUOTED).collect::<String>())
}

/// Whether the body is a web page.
pub(super) fn is_web_page(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(512)]).trim_start().to_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

#[cfg(test)]
mod tests;
