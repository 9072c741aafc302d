//! Compares a workflow with what ComfyUI has: whether it will execute it, and whether the placeholders take effect.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object_info::{Kind, ObjectInfo};
use super::placeholders::{Placeholders, Role};
use super::workflow::{Node, Workflow, linked};
use crate::checks::Check;

/// How many choices an error lists.
const MAX_LISTED: usize = 8;

/// The folders of model files, by the inputs that name such files.
const FOLDERS: [(&str, &str); 9] = [
    ("unet_name", "diffusion_models"),
    ("ckpt_name", "checkpoints"),
    ("clip_name", "text_encoders"),
    ("clip_name1", "text_encoders"),
    ("clip_name2", "text_encoders"),
    ("clip_name3", "text_encoders"),
    ("vae_name", "vae"),
    ("lora_name", "loras"),
    ("control_net_name", "controlnet"),
];

/// Everything that prevents ComfyUI from executing the workflow as intended.
pub(super) fn inspect(workflow: &Workflow, placeholders: &Placeholders, info: &ObjectInfo) -> Vec<Check> {
    let mut checks = unknown_kinds(workflow, info);
    let outputs = output_nodes(workflow, info);
    if outputs.is_empty() {
        checks
            .push(Check::problem("the workflow has no node that saves or previews an image", "add a Save Image node"));
        return checks;
    }
    let executed = workflow.upstream_of(outputs.iter().copied());
    for id in &executed {
        match workflow.nodes.get(*id) {
            Some(node) => checks.extend(inspect_node(workflow, id, node, placeholders, info)),
            None => checks.push(Check::problem(
                format!("the workflow links to a node {id} that it does not contain"),
                "export the workflow again",
            )),
        }
    }
    checks.extend(ineffective(workflow, placeholders, &executed));
    checks.extend(several_outputs(workflow, placeholders, &outputs));
    checks.extend(without_seed(placeholders));
    if !checks.iter().any(Check::is_problem) {
        checks.insert(0, Check::ok("ComfyUI has every node and model file of the workflow"));
    }
    checks
}

/// ComfyUI refuses a workflow with such a node even if nothing needs the node.
fn unknown_kinds(workflow: &Workflow, info: &ObjectInfo) -> Vec<Check> {
    let unknown = workflow.nodes.iter().filter(|(_, node)| info.kind(node.class()).is_none());
    let problem = |id: &str| {
        Check::problem(
            format!("ComfyUI does not have the node type of {}", workflow.describe(id)),
            "install the extension that contains it (Manager > Install Missing Custom Nodes) or update ComfyUI, and restart ComfyUI",
        )
    };
    unknown.map(|(id, _)| problem(id)).collect()
}

fn output_nodes<'a>(workflow: &'a Workflow, info: &ObjectInfo) -> Vec<&'a str> {
    let is_output = |node: &Node| info.kind(node.class()).is_some_and(|kind| kind.output_node);
    workflow.nodes.iter().filter(|(_, node)| is_output(node)).map(|(id, _)| id.as_str()).collect()
}

fn inspect_node(
    workflow: &Workflow,
    id: &str,
    node: &Node,
    placeholders: &Placeholders,
    info: &ObjectInfo,
) -> Vec<Check> {
    let Some(kind) = info.kind(node.class()) else { return Vec::new() };
    // An input that grows has its parts as `images.image0` and so on.
    let is_given = |input: &str| node.inputs.keys().any(|name| name.split('.').next() == Some(input));
    let missing = kind.required().filter(|input| !is_given(input)).map(|input| {
        Check::problem(
            format!("{} lacks its input {input}", workflow.describe(id)),
            "set or connect it, and export again",
        )
    });
    let given = node.inputs.iter().filter(|(name, value)| linked(value).is_none() && !placeholders.fills(id, name));
    let unavailable = given.filter_map(|(name, value)| {
        let choices = kind.choices(name)?;
        // A value in a subfolder, or of another folder, is not among the choices.
        let is_elsewhere = kind.takes_uploads(name) && value.as_str().is_some_and(|file| file.contains(['/', '[']));
        (!choices.contains(value) && !is_elsewhere)
            .then(|| unavailable(&workflow.describe(id), kind, name, value, choices))
    });
    missing.chain(unavailable).collect()
}

/// A value that ComfyUI does not offer, mostly a model file that is missing.
fn unavailable(node: &str, kind: &Kind, input: &str, value: &Value, choices: &[Value]) -> Check {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut offered: Vec<String> = choices.iter().take(MAX_LISTED).map(text).collect();
    if choices.len() > MAX_LISTED {
        offered.push(format!("and {} more", choices.len() - MAX_LISTED));
    }
    let offered = if offered.is_empty() { "has none".to_owned() } else { format!("has {}", offered.join(", ")) };
    let folder = FOLDERS.iter().find(|(name, _)| *name == input).map(|(_, folder)| format!("models/{folder}"));
    let folder = folder.or_else(|| kind.takes_uploads(input).then(|| "input".to_owned()));
    let remedy = match folder {
        Some(folder) => {
            format!("put the file into the folder {folder} of ComfyUI, or choose another one and export again")
        }
        None => "choose another value and export again, or update ComfyUI".to_owned(),
    };
    Check::problem(format!("ComfyUI does not have the {input} `{}` of {node}; it {offered}", text(value)), remedy)
}

/// Placeholders that no output depends on.
fn ineffective(workflow: &Workflow, placeholders: &Placeholders, executed: &BTreeSet<&str>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (role, inputs) in &placeholders.inputs {
        for input in inputs.iter().filter(|input| !executed.contains(input.node.as_str())) {
            let text = format!("{} takes the {role}, but no image depends on it", workflow.describe(&input.node));
            let remedy = "connect it, or give the title to another node";
            let is_needed = matches!(role, Role::Prompt | Role::Reference(0)) && inputs.len() == 1;
            checks.push(if is_needed { Check::problem(text, remedy) } else { Check::warning(text, remedy) });
        }
    }
    checks
}

fn several_outputs(workflow: &Workflow, placeholders: &Placeholders, outputs: &[&str]) -> Option<Check> {
    if let Some(chosen) = &placeholders.output {
        let is_output = outputs.contains(&chosen.as_str());
        return (!is_output).then(|| {
            Check::problem(
                format!("{} is chosen as the output, and saves no image", workflow.describe(chosen)),
                "give the title `balancer: output` to a node that saves an image",
            )
        });
    }
    if outputs.len() < 2 {
        return None;
    }
    let nodes: Vec<String> = outputs.iter().map(|id| workflow.describe(id)).collect();
    Some(Check::warning(
        format!("the workflow has several outputs: {}", nodes.join(", ")),
        "the first saved image counts; give the title `balancer: output` to the node whose image is wanted",
    ))
}

/// Without a new seed, ComfyUI answers a repeated prompt with the image that it made before.
fn without_seed(placeholders: &Placeholders) -> Option<Check> {
    if placeholders.inputs.contains_key(&Role::Seed) {
        return None;
    }
    Some(Check::warning(
        "the workflow has no placeholder for the seed, so the same prompt gives the same image again",
        "give the node with the seed the title `balancer: seed` and export the workflow again",
    ))
}

#[cfg(test)]
mod tests;
