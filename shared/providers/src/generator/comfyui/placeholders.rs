//! Finds the inputs of a workflow that differ from image to image, by the titles of nodes or by a mapping.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::mapping::{Mapping, Names};
use super::workflow::{Input, Workflow, linked};
use crate::checks::Check;

/// The beginning of a title that names placeholders.
const PREFIX: &str = "balancer:";

/// What a placeholder receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Prompt,
    Seed,
    /// The reference image with this index.
    Reference(usize),
    Width,
    Height,
}

/// The inputs that a request fills.
#[derive(Debug, Clone, Default)]
pub(super) struct Placeholders {
    pub(super) inputs: BTreeMap<Role, Vec<Input>>,
    /// The node whose image counts, if the user has chosen one.
    pub(super) output: Option<String>,
}

/// The values of one image.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) prompt: &'a str,
    pub(super) seed: u32,
    /// The names under which ComfyUI has the reference images; at least one.
    pub(super) references: &'a [String],
    /// In pixels.
    pub(super) size: (u32, u32),
}

impl Role {
    /// The names of inputs that nodes have for it, the most common first.
    fn input_names(self) -> &'static [&'static str] {
        match self {
            Self::Prompt => &["text", "prompt", "value", "string"],
            Self::Seed => &["seed", "noise_seed", "value"],
            Self::Reference(_) => &["image"],
            Self::Width => &["width", "value"],
            Self::Height => &["height", "value"],
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Seed | Self::Width | Self::Height)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("prompt"),
            Self::Seed => f.write_str("seed"),
            Self::Reference(0) => f.write_str("reference"),
            Self::Reference(index) => write!(f, "reference {}", index + 1),
            Self::Width => f.write_str("width"),
            Self::Height => f.write_str("height"),
        }
    }
}

/// A word of a title.
enum Word {
    Fill(Vec<Role>),
    Output,
}

fn word(text: &str) -> Option<Word> {
    Some(match text {
        "prompt" => Word::Fill(vec![Role::Prompt]),
        "seed" => Word::Fill(vec![Role::Seed]),
        "width" => Word::Fill(vec![Role::Width]),
        "height" => Word::Fill(vec![Role::Height]),
        "size" => Word::Fill(vec![Role::Width, Role::Height]),
        "output" => Word::Output,
        _ => match text.strip_prefix("reference")?.trim() {
            "" => Word::Fill(vec![Role::Reference(0)]),
            number => Word::Fill(vec![Role::Reference(number.parse::<usize>().ok()?.checked_sub(1)?)]),
        },
    })
}

impl Placeholders {
    /// The placeholders of a workflow. What the mapping names replaces the titles for the same value.
    pub(super) fn find(workflow: &Workflow, mapping: &Mapping) -> (Self, Vec<Check>) {
        let (mut found, mut problems) = (Self::default(), Vec::new());
        found.add_titled(workflow, &mut problems);
        found.add_mapped(workflow, mapping, &mut problems);
        problems.extend(found.missing());
        (found, problems)
    }

    fn add_titled(&mut self, workflow: &Workflow, problems: &mut Vec<Check>) {
        for (id, node) in &workflow.nodes {
            let title = node.title().to_lowercase();
            let Some(words) = title.strip_prefix(PREFIX) else { continue };
            for text in words.split(',').map(|text| text.trim().trim_start_matches(PREFIX).trim()) {
                match word(text) {
                    Some(Word::Output) => self.output = Some(id.clone()),
                    Some(Word::Fill(roles)) => {
                        for role in roles {
                            // A wrong one is not missing too.
                            let inputs = self.inputs.entry(role).or_default();
                            match titled_input(workflow, id, role) {
                                Ok(input) => inputs.push(input),
                                Err(problem) => problems.push(problem),
                            }
                        }
                    }
                    None => problems.push(Check::problem(
                        format!("the title of {} names no placeholder", workflow.describe(id)),
                        "use `balancer: ` with prompt, seed, reference, reference 2, width, height, size or output",
                    )),
                }
            }
        }
    }

    fn add_mapped(&mut self, workflow: &Workflow, mapping: &Mapping, problems: &mut Vec<Check>) {
        let references = mapping.reference.all().iter().enumerate();
        let references = references.map(|(index, name)| (Role::Reference(index), Names::One(name.clone())));
        let others = [
            (Role::Prompt, &mapping.prompt),
            (Role::Seed, &mapping.seed),
            (Role::Width, &mapping.width),
            (Role::Height, &mapping.height),
        ];
        if !mapping.reference.all().is_empty() {
            self.inputs.retain(|role, _| !matches!(role, Role::Reference(_)));
        }
        for (role, names) in references.chain(others.map(|(role, names)| (role, names.clone()))) {
            let (mut inputs, mut wrong) = (Vec::new(), Vec::new());
            for name in names.all() {
                match mapped_input(workflow, name) {
                    Ok(input) => inputs.push(input),
                    Err(problem) => wrong.push(problem),
                }
            }
            problems.append(&mut wrong);
            if !names.all().is_empty() {
                self.inputs.insert(role, inputs);
            }
        }
        if let Some(output) = &mapping.output {
            if !workflow.nodes.contains_key(output) {
                problems.push(Check::problem(
                    format!("COMFYUI_MAPPING names the output `{output}`, and the workflow has no such node"),
                    "write the node's id, such as \"9\"",
                ));
            }
            self.output = Some(output.clone());
        }
    }

    fn missing(&self) -> Vec<Check> {
        let required =
            [(Role::Prompt, "that takes the prompt"), (Role::Reference(0), "that loads the reference image")];
        let is_missing = |(role, _): &(Role, &str)| !self.inputs.contains_key(role);
        let problem = |(role, what): (Role, &str)| {
            Check::problem(
                format!("the workflow does not say where the {role} goes"),
                format!(
                    "give the node {what} the title `balancer: {role}` and export the workflow again, or name it in COMFYUI_MAPPING"
                ),
            )
        };
        required.into_iter().filter(is_missing).map(problem).collect()
    }

    /// The values of all placeholders. A reference that the image doesn't have is filled with the first one.
    pub(super) fn values<'a>(&'a self, values: &Values<'_>) -> Vec<(&'a Input, Value)> {
        let value = |role: Role| -> Value {
            match role {
                Role::Prompt => values.prompt.into(),
                Role::Seed => values.seed.into(),
                Role::Width => values.size.0.into(),
                Role::Height => values.size.1.into(),
                Role::Reference(index) => {
                    values.references.get(index).or_else(|| values.references.first()).map_or("", String::as_str).into()
                }
            }
        };
        self.inputs.iter().flat_map(|(role, inputs)| inputs.iter().map(|input| (input, value(*role)))).collect()
    }

    /// The number of reference images that it has a place for; at least one.
    pub(super) fn references(&self) -> usize {
        let index = |role: &Role| if let Role::Reference(index) = role { Some(index + 1) } else { None };
        self.inputs.keys().filter_map(index).max().unwrap_or(1)
    }

    /// Where each value goes, in words.
    pub(super) fn describe(&self, workflow: &Workflow) -> impl Iterator<Item = String> {
        let described = |(role, inputs): (&Role, &Vec<Input>)| {
            let inputs = inputs.iter().map(|input| format!("{} of {}", input.name, workflow.describe(&input.node)));
            format!("the {role} goes to {}", inputs.collect::<Vec<_>>().join(" and "))
        };
        self.inputs.iter().filter(|(_, inputs)| !inputs.is_empty()).map(described)
    }

    /// Whether a request fills this input.
    pub(super) fn fills(&self, node: &str, name: &str) -> bool {
        self.inputs.values().flatten().any(|input| input.node == node && input.name == name)
    }
}

/// The input of a titled node that takes the value of a role.
fn titled_input(workflow: &Workflow, id: &str, role: Role) -> Result<Input, Check> {
    let inputs = workflow.nodes.get(id).map(|node| &node.inputs);
    let present = role.input_names().iter().filter_map(|name| Some((*name, inputs?.get(*name)?)));
    let mut connected = None;
    for (name, value) in present {
        match linked(value) {
            None if value.is_string() || role.is_number() && value.is_number() => {
                return Ok(Input { node: id.to_owned(), name: name.to_owned() });
            }
            None => {}
            Some(source) => connected = connected.or(Some((name, source))),
        }
    }
    let node = workflow.describe(id);
    Err(match connected {
        Some((name, source)) => Check::problem(
            format!("the input {name} of {node} comes from {}", workflow.describe(source)),
            format!("give that node the title `balancer: {role}` instead"),
        ),
        None => Check::problem(
            format!("{node} has no input {} for the {role}", role.input_names().join(", ")),
            format!("give the title to the node that takes the {role}, or name the input in COMFYUI_MAPPING"),
        ),
    })
}

fn mapped_input(workflow: &Workflow, name: &str) -> Result<Input, Check> {
    const REMEDY: &str = "write the node's id and the input's name, such as \"6.text\"";
    let problem = |what: String| Check::problem(format!("COMFYUI_MAPPING names `{name}`, {what}"), REMEDY);
    let (id, input) = name.rsplit_once('.').ok_or_else(|| problem("which has no full stop".to_owned()))?;
    let node = workflow.nodes.get(id).ok_or_else(|| problem(format!("and the workflow has no node {id}")))?;
    match node.inputs.get(input) {
        None => Err(problem(format!("and {} has no such input", workflow.describe(id)))),
        Some(value) if linked(value).is_some() => {
            Err(problem(format!("but this input of {} is connected to another node", workflow.describe(id))))
        }
        Some(_) => Ok(Input { node: id.to_owned(), name: input.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
