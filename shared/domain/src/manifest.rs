//! The manifest of an actor: the JSON document that is exported and imported, and the image records in it.

mod assessed;
mod image;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::actor::{ActorId, ActorType, Profile};
use super::files::is_plain_name;
use super::settings::ActorSettings;
use super::suspension::Suspension;
use super::trash::TrashRecord;

pub use image::{Image, Observer, ReferenceId};

/// The exported manifest of an actor. Other tools write manifests too, so most fields are optional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The actor's id.
    #[serde(alias = "character_name")]
    pub actor_id: String,
    /// When the manifest was created; a text, since those of other tools have no time zone.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When the manifest last changed.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// The number of images in the set.
    #[serde(default)]
    pub total_images: u64,
    /// The highest number that an image ever had. No number is used twice.
    #[serde(default)]
    pub last_number: u64,
    /// The properties of the actor: `sex`, `actor_type`, and the user's own.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// The places of the actor's base image.
    #[serde(default)]
    pub base_images: Vec<BaseImage>,
    /// The generation batches of the set.
    #[serde(default)]
    pub generations: Vec<GenerationBatch>,
    /// The image records by file name.
    #[serde(default)]
    pub images: BTreeMap<String, Image>,
    /// The trash records by file name, each file's oldest first.
    #[serde(default, deserialize_with = "plain_names", skip_serializing_if = "BTreeMap::is_empty")]
    pub trash: BTreeMap<String, Vec<TrashRecord>>,
    /// The fields of `metadata` that were derived from `actor.json` or from the words of the id. An import derives them
    /// again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<String>,
    /// The target and the rules of the set, from the settings of the stack and of the actor; `None` in manifests of other
    /// tools. An import ignores them.
    #[serde(
        rename = "balancer_settings",
        default,
        deserialize_with = "image::or_unknown",
        skip_serializing_if = "Option::is_none"
    )]
    pub settings: Option<ActorSettings>,
    /// Why the balancer left the set unchanged, if it suspended the set or waits for money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancing: Option<Suspension>,
    /// Fields that the balancer doesn't know. An export keeps them.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Reads the trash without records whose names lead out of it: a restoration would move any file of the machine.
fn plain_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Vec<TrashRecord>>, D::Error> {
    let mut trash = BTreeMap::<String, Vec<TrashRecord>>::deserialize(deserializer)?;
    trash.retain(|file, entries| {
        entries.retain(|trashed| is_plain_name(&trashed.plan_id));
        is_plain_name(file) && !entries.is_empty()
    });
    Ok(trash)
}

/// The places of a base image, the most recent first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// The path that the file was moved to, below the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The path that the file was moved to, relative to the actor's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_relative_path: Option<String>,
    /// The original path, relative to the actor's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_path: Option<String>,
    /// The URL of the object in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_url: Option<String>,
    /// Fields that the balancer doesn't know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Images that came into the set together: the images of one plan, or the uploads that one evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationBatch {
    /// The batch's number, from 1.
    pub generation_id: u32,
    /// The origin of the images: [`UPLOADED`], [`BALANCING`], or another tool's value.
    #[serde(rename = "type")]
    pub origin: String,
    /// When the images came into the set.
    pub generated_at: String,
    /// How many of the images are in the set.
    #[serde(default)]
    pub image_count: u64,
    /// The plan of the images, if any, and other properties.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Fields that the balancer doesn't know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl GenerationBatch {
    /// A batch that the balancer records.
    #[must_use]
    pub fn new(generation_id: u32, origin: &str, generated_at: Timestamp, images: usize) -> Self {
        Self {
            generation_id,
            origin: origin.to_owned(),
            generated_at: timestamp_text(generated_at),
            image_count: images as u64,
            metadata: Map::new(),
            other: Map::new(),
        }
    }
}

impl Manifest {
    /// The manifest of an actor without images.
    #[must_use]
    pub fn empty(actor: &ActorId) -> Self {
        Self {
            actor_id: actor.to_string(),
            created_at: None,
            updated_at: None,
            total_images: 0,
            last_number: 0,
            metadata: Map::new(),
            base_images: Vec::new(),
            generations: Vec::new(),
            images: BTreeMap::new(),
            trash: BTreeMap::new(),
            derived: Vec::new(),
            settings: None,
            balancing: None,
            other: Map::new(),
        }
    }
}

/// The `type` of a generation batch of uploaded images.
pub const UPLOADED: &str = "existing";

/// The `type` of a generation batch that the balancer generated.
pub const BALANCING: &str = "balancing";

/// The profile in a manifest's `metadata`, in upper or lower case. The words of the id replace missing fields, and an
/// unknown type counts as [`ActorType::Other`].
#[must_use]
pub fn profile_of(metadata: &Map<String, Value>, actor: &ActorId) -> Profile {
    let by_name = Profile::from_words_of(actor);
    let word = |name: &str| Some(metadata.get(name)?.as_str()?.trim().to_lowercase()).filter(|word| !word.is_empty());
    Profile {
        sex: word("sex").and_then(|word| serde_json::from_value(word.into()).ok()).unwrap_or(by_name.sex),
        actor_type: word("actor_type")
            .map_or(by_name.actor_type, |word| serde_json::from_value(word.into()).unwrap_or(ActorType::Other)),
    }
}

/// A timestamp in the format of manifests, with milliseconds.
#[must_use]
pub fn timestamp_text(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn descriptor(metadata: Value, actor: &str) -> &'static str {
        profile_of(metadata.as_object().unwrap(), &actor.parse().unwrap()).descriptor()
    }

    #[test]
    fn metadata_describe_the_actor_before_its_id_does() {
        assert_eq!(descriptor(json!({ "sex": "female" }), "0007"), "woman");
        assert_eq!(descriptor(json!({ "sex": "Male", "actor_type": "Human" }), "0007_female"), "man");
        assert_eq!(descriptor(json!({ "sex": "n/a", "actor_type": "" }), "0007_female"), "woman");
        assert_eq!(descriptor(json!({ "actor_type": "vehicle" }), "0007_female"), "character");
        assert_eq!(descriptor(json!({ "sex": 1 }), "scout_robot"), "robotic character");
    }

    #[test]
    fn trash_record_that_leads_elsewhere_is_dropped() {
        let entry = |plan_id: &str| json!([{ "plan_id": plan_id, "deleted_at": "2026-01-01T00:00:00Z", "reason": "", "image": {} }]);
        let manifest: Manifest = serde_json::from_value(json!({
            "actor_id": "hero",
            "trash": { "a.jpg": entry("p"), "b.jpg": entry("../p"), "c.jpg": entry("/home"), "../d.jpg": entry("p") },
        }))
        .unwrap();
        assert_eq!(manifest.trash.keys().collect::<Vec<_>>(), ["a.jpg"]);
    }
}
