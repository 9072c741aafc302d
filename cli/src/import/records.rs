//! Manifests as sources: their check, and the rules by which they are merged.
//!
//! A merge only adds. What the actor's manifest says already stays, so that a repeated import changes nothing, and the
//! order of several sources doesn't matter unless they contradict each other.

use std::collections::BTreeMap;

use domain::actor::ActorId;
use domain::files::{FileKind, composed, kind_of, visible};
use domain::json;
use domain::manifest::{BaseImage, GenerationBatch, Image, Manifest};
use domain::numbering::highest;
use serde_json::{Map, Value};

use crate::outcome::SCHEMA;

/// The fields by which manifests state the version of their form.
const VERSIONS: [&str; 4] = ["schema", "schema_version", "manifest_version", "version"];

/// The fields of which a manifest has at least one.
const CONTENT: [&str; 4] = ["images", "base_images", "generations", "metadata"];

/// What a merge has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// The images whose records were added.
    pub records: Vec<String>,
    /// The images whose records had no prompt and have one now.
    pub prompts: Vec<String>,
    /// The fields of the metadata that were added.
    pub metadata: Vec<String>,
    /// Whether places of the base image were added.
    pub base_images: bool,
    /// The number of records that were there already.
    pub present: usize,
    /// What the source says otherwise, as clauses.
    pub differences: Vec<String>,
    /// The names of images that can't be file names, with the reasons.
    pub refused: Vec<(String, &'static str)>,
}

/// Reads a manifest with its actor.
///
/// # Errors
/// A clause with the reason why the text is no manifest of a known form.
pub fn read(text: &[u8]) -> Result<(ActorId, Manifest), String> {
    let value: Value = json::read(text).map_err(|problem| format!("it is no JSON: {problem}"))?;
    let Value::Object(fields) = value else { return Err("it is no manifest, but other JSON".to_owned()) };
    if let Some((name, version)) = newer_version(&fields) {
        return Err(format!(
            "its `{name}` is {version}, and this version of balancer reads {SCHEMA} at most; install a newer one"
        ));
    }
    if !["actor_id", "character_name"].iter().any(|name| fields.contains_key(*name)) {
        return Err("it is no manifest: it has neither `actor_id` nor `character_name`".to_owned());
    }
    if !CONTENT.iter().any(|name| fields.contains_key(*name)) {
        return Err(format!(
            "it is no manifest: it has none of {}",
            CONTENT.map(|name| format!("`{name}`")).join(", ")
        ));
    }
    let manifest: Manifest =
        json::read_naming_fields(text).map_err(|problem| format!("it is a manifest of another form: {problem}"))?;
    let actor = manifest.actor_id.parse().map_err(|problem| format!("{problem}"))?;
    Ok((actor, manifest))
}

/// The field with the version of a newer form.
fn newer_version(fields: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let major = |value: &Value| {
        let text = value.as_str().map(|text| text.split('.').next().unwrap_or_default().parse::<f64>().ok());
        value.as_f64().or(text.flatten())
    };
    let versions = VERSIONS.into_iter().filter_map(|name| Some((name, fields.get(name)?)));
    versions.into_iter().find(|(_, value)| major(value).is_some_and(|major| major >= f64::from(SCHEMA + 1)))
}

/// Adds to a manifest what another one of the same actor says.
pub fn merge(into: &mut Manifest, from: &Manifest) -> Merged {
    let mut merged = Merged::default();
    fill(&mut into.created_at, from.created_at.as_ref());
    fill(&mut into.updated_at, from.updated_at.as_ref());
    let own = from.metadata.iter().filter(|(name, _)| !from.derived.contains(name));
    merged.add_metadata(&mut into.metadata, own);
    into.derived.retain(|name| !merged.metadata.contains(name));
    let numbers = from.images.keys().chain(from.trash.keys()).map(String::as_str);
    into.last_number = into.last_number.max(from.last_number).max(highest(numbers));
    merged.add_base_images(&mut into.base_images, &from.base_images);
    // The trash of the source, its settings and its status belong to the place that it comes from.
    merged.add_images(into, from);
    for (name, value) in &from.other {
        into.other.entry(name.clone()).or_insert_with(|| value.clone());
    }
    into.total_images = into.images.values().filter(|image| image.unusable.is_none()).count() as u64;
    merged
}

fn fill<T: Clone>(field: &mut Option<T>, other: Option<&T>) {
    if field.is_none() {
        *field = other.cloned();
    }
}

/// Why a name in a manifest can't be that of an image's file; `None` if it can.
pub fn unusable_name(name: &str) -> Option<&'static str> {
    if name.contains(['/', '\\']) {
        return Some("it leads to another folder");
    }
    match kind_of(name) {
        FileKind::Image => None,
        FileKind::BadName => Some("it is too long or contains control characters"),
        FileKind::Unreadable(_) => Some("its format can't be read"),
        _ => Some("it is not the name of an image"),
    }
}

impl Merged {
    fn add_metadata<'a>(&mut self, into: &mut Map<String, Value>, from: impl Iterator<Item = (&'a String, &'a Value)>) {
        for (name, value) in from {
            match into.get(name) {
                None => {
                    into.insert(name.clone(), value.clone());
                    self.metadata.push(name.clone());
                }
                Some(known) if known == value => {}
                Some(known) => self.differences.push(format!("its `{name}` is {known}, and {value} in the source")),
            }
        }
    }

    fn add_base_images(&mut self, into: &mut Vec<BaseImage>, from: &[BaseImage]) {
        for place in from {
            let is_known =
                into.iter().any(|known| known == place || place.s3_url.is_some() && known.s3_url == place.s3_url);
            if !is_known {
                into.push(place.clone());
                self.base_images = true;
            }
        }
    }

    fn add_images(&mut self, into: &mut Manifest, from: &Manifest) {
        let mut batches = Batches::new(&into.generations);
        for (name, image) in &from.images {
            if let Some(reason) = unusable_name(name) {
                self.refused.push((visible(name), reason));
                continue;
            }
            let name = composed(name);
            match into.images.get_mut(&name) {
                Some(known) => {
                    self.present += 1;
                    self.complete(&name, known, image);
                }
                None => {
                    let generation_id = image.generation_id.map(|id| batches.number_of(id, &from.generations));
                    into.images.insert(name.clone(), Image { generation_id, ..image.clone() });
                    self.records.push(name);
                }
            }
        }
        // A source without images still tells about its batches.
        if into.generations.is_empty() && self.records.is_empty() {
            for batch in &from.generations {
                batches.number_of(batch.generation_id, &from.generations);
            }
        }
        into.generations.extend(batches.new);
        into.generations.sort_by_key(|batch| batch.generation_id);
    }

    /// Adds the prompt to the record of an image that the balancer found without one.
    fn complete(&mut self, name: &str, known: &mut Image, image: &Image) {
        match (&known.prompt, &image.prompt) {
            (None, Some(_)) => {
                known.prompt.clone_from(&image.prompt);
                known.prompt_preview.clone_from(&image.prompt_preview);
                fill(&mut known.prompt_id, image.prompt_id.as_ref());
                fill(&mut known.s3_url, image.s3_url.as_ref());
                self.prompts.push(name.to_owned());
            }
            (Some(known), Some(other)) if known != other => {
                self.differences.push(format!("{} has another prompt in the source", visible(name)));
            }
            _ => {}
        }
    }
}

/// The generation batches of a source, with numbers that are free in the actor's manifest.
struct Batches {
    known: Vec<GenerationBatch>,
    new: Vec<GenerationBatch>,
    /// The numbers of the source's batches here.
    numbers: BTreeMap<u32, u32>,
}

impl Batches {
    fn new(known: &[GenerationBatch]) -> Self {
        Self { known: known.to_vec(), new: Vec::new(), numbers: BTreeMap::new() }
    }

    /// The number here of the source's batch. A batch of the same origin and time is the same batch.
    fn number_of(&mut self, id: u32, source: &[GenerationBatch]) -> u32 {
        if let Some(number) = self.numbers.get(&id) {
            return *number;
        }
        let batch = source.iter().find(|batch| batch.generation_id == id);
        let is_same = |known: &&GenerationBatch| {
            batch.is_some_and(|batch| (&known.origin, &known.generated_at) == (&batch.origin, &batch.generated_at))
        };
        let number = match self.all().find(is_same) {
            Some(known) => known.generation_id,
            None if self.all().all(|known| known.generation_id != id) => id,
            None => self.all().map(|known| known.generation_id).max().unwrap_or(0) + 1,
        };
        let is_new = self.all().all(|known| known.generation_id != number);
        if let Some(batch) = batch.filter(|_| is_new) {
            self.new.push(GenerationBatch { generation_id: number, ..batch.clone() });
        }
        self.numbers.insert(id, number);
        number
    }

    fn all(&self) -> impl Iterator<Item = &GenerationBatch> {
        self.known.iter().chain(&self.new)
    }
}

#[cfg(test)]
mod tests;
