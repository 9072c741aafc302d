//! What is kept about an actor and its images, in the form in which manifests are exported.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::actor::{ActorId, ActorType, Profile};
use super::assessment::{Flag, Observation, Origin};
use super::kind::Kind;
use super::money::MicroUsd;
use super::prompts;
use super::suspension::Suspension;
use super::trash::TrashRecord;
use crate::facts::Facts;

/// An actor's whole manifest, as exported and imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whose manifest.
    #[serde(alias = "character_name")]
    pub actor_id: String,
    /// When it was begun; text, since exported ones name no time zone.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it last changed.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// Images in the set.
    #[serde(default)]
    pub total_images: u64,
    /// The highest number an image ever had, so that none is used twice.
    #[serde(default)]
    pub last_number: u64,
    /// What else is known of the actor: `sex`, `actor_type` and whatever its owner noted.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Where its base image may be found.
    #[serde(default)]
    pub base_images: Vec<BaseImage>,
    /// How its images came to be.
    #[serde(default)]
    pub generations: Vec<GenerationBatch>,
    /// Its images by file name.
    #[serde(default)]
    pub images: BTreeMap<String, Image>,
    /// The images that were deleted and can be put back, by file name, the oldest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trash: BTreeMap<String, Vec<TrashRecord>>,
    /// Fields of `metadata` that nobody noted: they were found out (from `actor.json`, or the id's words), and will be
    /// again wherever the manifest is taken in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<String>,
    /// Why the balancer left the set unchanged, if it suspended the set or waits for money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancing: Option<Suspension>,
    /// Whatever else was exported.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where a base image may be found, the most recent place first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// Where it was moved to, below the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The same, relative to the actor's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_relative_path: Option<String>,
    /// Where it was first, relative to the actor's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_path: Option<String>,
    /// Where it lies in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_url: Option<String>,
    /// Whatever else was exported.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Images that came to be together: the ones of a plan, or the ones found at an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationBatch {
    /// Counts up from 1.
    pub generation_id: u32,
    /// How they came to be.
    #[serde(rename = "type")]
    pub origin: String,
    /// When.
    pub generated_at: String,
    /// How many of them are in the set.
    #[serde(default)]
    pub image_count: u64,
    /// The plan they were made for, and whatever else is known.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Whatever else was exported.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The `type` of a generation whose images somebody uploaded.
pub const UPLOADED: &str = "existing";

/// The `type` of a generation whose images this program made.
pub const BALANCING: &str = "balancing";

/// One image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The prompt it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// How that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_preview: Option<String>,
    /// Which of our prompts it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    /// When it was made, or found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// Where it lies in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_url: Option<String>,
    /// Where it lies as a plain file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_path: Option<String>,
    /// The number in its name. In manifests made elsewhere it may be another one.
    #[serde(default)]
    pub index: u64,
    /// Its kind: the one it was made to be, until it has been looked at.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The requested kind, which an assessment does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_type: Option<Kind>,
    /// Which generation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<u32>,
    /// That generation's `type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_type: Option<String>,
    /// The plan it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<String>,
    /// What it cost to make, in millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<MicroUsd>,
    /// The `ETag` of the object that the following is said of; none while it is not yet in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// From 1 to 10; none while nobody has looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Why it was judged so, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which model judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed_by: Option<String>,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Why the file is unusable as an image, where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Whether somebody wants it to stay, whatever is thought of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The name under which its deletion has begun. No part of an exported manifest: who takes one in has no such
    /// deletion under way.
    #[serde(skip)]
    pub deleting: Option<String>,
    /// Whatever else was exported.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Image {
    /// The origin of the image. Older records have no requested kind; for them, the prompt implies it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        if self.generation_type.as_deref() != Some(BALANCING) {
            return Origin::Uploaded;
        }
        let of_prompt = || Some(prompts::by_id(self.prompt_id.as_deref()?)?.kind);
        Origin::Generated { requested: self.requested_type.or_else(of_prompt) }
    }

    /// What `model` has said of the object with this `ETag`; `None` if it has not seen it.
    #[must_use]
    pub fn observation_by(&self, model: &str) -> Option<Observation> {
        (self.assessed_by.as_deref() == Some(model)).then_some(())?;
        Some(Observation {
            kind: self.kind?,
            quality: self.quality?,
            flags: self.flags.clone(),
            reason: self.reason.clone().unwrap_or_default(),
        })
    }

    /// Notes what `model` says of the image.
    pub fn observe(&mut self, observation: Observation, model: &str) {
        let Observation { kind, quality, flags, reason } = observation;
        self.kind = Some(kind);
        self.quality = Some(quality);
        self.flags = flags;
        self.reason = Some(reason);
        self.assessed_by = Some(model.to_owned());
    }

    /// Another object has taken the image's place: nothing that was known of the old one holds, but that its name is
    /// pinned.
    pub fn replace(&mut self, etag: &str) {
        *self = Self {
            etag: Some(etag.to_owned()),
            index: self.index,
            s3_url: self.s3_url.take(),
            local_path: self.local_path.take(),
            generation_id: self.generation_id,
            generation_type: Some(UPLOADED.to_owned()),
            generated_at: self.generated_at.take(),
            pinned: self.pinned,
            deleting: self.deleting.take(),
            ..Self::default()
        };
    }
}

/// What a manifest's `metadata` says of its actor, in capitals or not; the id's own words fill in what it leaves out.
/// A type that nobody knows is one all the same.
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

/// A moment as manifests write it.
#[must_use]
pub fn timestamp_text(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prompts::of_kind;

    fn generated() -> Image {
        Image { generation_type: Some(BALANCING.to_owned()), kind: Some(Kind::ColorStylized), ..Image::default() }
    }

    #[test]
    fn a_generated_image_remembers_the_kind_asked_for() {
        let requested = |image: &Image| image.origin();
        let photo = Some(Kind::Photorealistic);
        let mut image = Image { requested_type: photo, ..generated() };
        let observation = Observation { kind: Kind::BwStylized, quality: 8, flags: Vec::new(), reason: String::new() };
        image.observe(observation, "eyes");
        assert_eq!(requested(&image), Origin::Generated { requested: photo });
        let written = serde_json::to_value(&image).unwrap();
        assert_eq!((&written["type"], &written["requested_type"]), (&json!("bw_stylized"), &json!("photorealistic")));
        image.replace("2");
        assert_eq!(requested(&image), Origin::Uploaded, "another file has taken its name");
    }

    #[test]
    fn an_old_record_has_the_kind_of_its_prompt() {
        let prompt_id = Some(of_kind(Kind::Photorealistic)[0].id.to_owned());
        let requested = Some(Kind::Photorealistic);
        assert_eq!(Image { prompt_id, ..generated() }.origin(), Origin::Generated { requested });
        let prompt_id = Some("of-another-version".to_owned());
        assert_eq!(Image { prompt_id, ..generated() }.origin(), Origin::Generated { requested: None });
    }

    #[test]
    fn an_image_without_our_mark_is_the_users_own() {
        for generation_type in [None, Some(UPLOADED), Some("initial")] {
            let generation_type = generation_type.map(str::to_owned);
            let image = Image { generation_type, prompt: Some("A photograph.".to_owned()), ..generated() };
            assert_eq!(image.origin(), Origin::Uploaded);
        }
    }

    fn descriptor(metadata: Value, actor: &str) -> &'static str {
        profile_of(metadata.as_object().unwrap(), &actor.parse().unwrap()).descriptor()
    }

    #[test]
    fn a_manifest_says_who_its_actor_is_and_the_id_what_it_leaves_out() {
        assert_eq!(descriptor(json!({ "sex": "female" }), "0007"), "woman");
        assert_eq!(descriptor(json!({ "sex": "Male", "actor_type": "Human" }), "0007_female"), "man");
        assert_eq!(descriptor(json!({ "sex": "n/a", "actor_type": "" }), "0007_female"), "woman");
        assert_eq!(descriptor(json!({ "actor_type": "vehicle" }), "0007_female"), "character");
        assert_eq!(descriptor(json!({ "sex": 1 }), "scout_robot"), "robotic character");
    }
}
