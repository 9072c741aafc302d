//! The image record.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{BALANCING, UPLOADED};
use crate::assessment::{Flag, Observation, Origin};
use crate::content::{Content, NotCompared};
use crate::facts::Facts;
use crate::kind::Kind;
use crate::money::MicroUsd;
use crate::prompts::Library;
use crate::resemblance::Resemblance;

/// The record of one image of a set, stored in the table and exported in the manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The prompt that the image was generated from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The beginning of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_preview: Option<String>,
    /// The id of the prompt in the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_id: Option<String>,
    /// The revision of the prompts file that the prompt comes from; `None` if it is built in.
    #[serde(default, deserialize_with = "or_unknown", skip_serializing_if = "Option::is_none")]
    pub prompts_revision: Option<String>,
    /// The scene of the prompt, for the caption; `None` if the prompt is built in.
    #[serde(default, deserialize_with = "or_unknown", skip_serializing_if = "Option::is_none")]
    pub prompt_scene: Option<String>,
    /// When the image was generated, or found in the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// The URL of the object in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_url: Option<String>,
    /// The path of the local file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_path: Option<String>,
    /// The number in the file name. Manifests of other tools may count differently.
    #[serde(default)]
    pub index: u64,
    /// The kind: the requested one until the image is assessed.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The requested kind, which an assessment does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_type: Option<Kind>,
    /// The number of the image's generation batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<u32>,
    /// The `type` of the image's generation batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_type: Option<String>,
    /// The plan that generated the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<String>,
    /// The price of the image, in millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<MicroUsd>,
    /// The `ETag` of the object that the following fields describe; `None` until the object is in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The observed quality, from 1 to 10; `None` if the image is unassessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// The observed flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// The reason of the observation, as a sentence for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the image shows, as observed.
    #[serde(rename = "depicts", default, deserialize_with = "or_unknown", skip_serializing_if = "Content::is_unknown")]
    pub content: Content,
    /// The user's caption, which replaces the observed one. Like the pin, it belongs to the file name.
    #[serde(default, deserialize_with = "or_unknown", skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The vision model that observed the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed_by: Option<String>,
    /// The base image that the vision model was to compare the image with: the beginning of its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
    /// The measurements of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// The results of comparisons with other images of the set, each in the record of one of both. The key is the
    /// [name](crate::resemblance::name_of) of the other file.
    #[serde(default, deserialize_with = "or_unknown", skip_serializing_if = "BTreeMap::is_empty")]
    pub compared: BTreeMap<String, Resemblance>,
    /// Why the file is unusable as an image, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Whether the operator pinned the image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The id of the deletion that has claimed the image. An exported manifest doesn't contain it, because no deletion
    /// is running where the manifest is imported.
    #[serde(skip)]
    pub deleting: Option<String>,
    /// Fields that the balancer doesn't know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What an observation depends on besides the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observer<'a> {
    /// The name and version of the vision model.
    pub model: &'a str,
    /// The base image that the model compares with, if it compares.
    pub reference: Option<&'a ReferenceId>,
}

/// A base image as the reference of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceId {
    /// The beginning of its SHA-256.
    pub digits: String,
    /// Whether every request shows it, even to a service that takes one picture in a request.
    pub is_always_shown: bool,
}

/// Reads a field that manifests of other tools may use for something else; such a value counts as unknown.
pub(super) fn or_unknown<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

impl Image {
    /// The origin of the image. Older records have no requested kind; for them, the prompt implies it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        if self.generation_type.as_deref() != Some(BALANCING) {
            return Origin::Uploaded;
        }
        let of_prompt = || Some(Library::built_in().by_id(self.prompt_id.as_deref()?)?.kind);
        Origin::Generated { requested: self.requested_type.or_else(of_prompt) }
    }

    /// The valid observation; `None` if another model has observed the image, or none, or if the image must be compared
    /// with another base image. A failed comparison is repeated only if what prevented it has changed: any other attempt
    /// would cost the same and fail again.
    #[must_use]
    pub fn observation_by(&self, observer: Observer<'_>) -> Option<Observation> {
        let is_compared = observer.reference.is_none_or(|reference| {
            let can_be_shown_now =
                reference.is_always_shown && self.content.not_compared == Some(NotCompared::OnePicture);
            self.compared_with.as_ref() == Some(&reference.digits) && !can_be_shown_now
        });
        (is_compared && self.assessed_by.as_deref() == Some(observer.model)).then_some(())?;
        Some(Observation {
            kind: self.kind?,
            quality: self.quality?,
            flags: self.flags.clone(),
            reason: self.reason.clone().unwrap_or_default(),
            content: self.content.clone(),
        })
    }

    /// Records an observation.
    pub fn observe(&mut self, observation: Observation, observer: Observer<'_>) {
        let Observation { kind, quality, flags, reason, content } = observation;
        self.kind = Some(kind);
        self.quality = Some(quality);
        self.flags = flags;
        self.reason = Some(reason);
        self.content = content;
        self.assessed_by = Some(observer.model.to_owned());
        self.compared_with = observer.reference.map(|reference| reference.digits.clone());
    }

    /// Resets the record for another object of the same name: it is an upload, and only the name's number, places,
    /// caption, pin and deletion claim still apply.
    pub fn replace(&mut self, etag: &str) {
        *self = Self {
            etag: Some(etag.to_owned()),
            index: self.index,
            s3_url: self.s3_url.take(),
            local_path: self.local_path.take(),
            generation_id: self.generation_id,
            generation_type: Some(UPLOADED.to_owned()),
            generated_at: self.generated_at.take(),
            caption: self.caption.take(),
            pinned: self.pinned,
            deleting: self.deleting.take(),
            ..Self::default()
        };
    }

    /// Whether the deletion with this id has claimed the image.
    #[must_use]
    pub fn is_claimed_by(&self, deletion_id: &str) -> bool {
        self.deleting.as_deref() == Some(deletion_id)
    }

    /// The record as far as it describes the object with this `ETag`: reset if it is known to describe another object.
    #[must_use]
    pub fn describing(&self, etag: Option<&str>) -> Self {
        let mut image = self.clone();
        match (&self.etag, etag) {
            (Some(known), Some(other)) if known != other => image.replace(other),
            _ => image.etag = etag.map(str::to_owned),
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn generated() -> Image {
        Image { generation_type: Some(BALANCING.to_owned()), kind: Some(Kind::ColorStylized), ..Image::default() }
    }

    #[test]
    fn assessment_keeps_the_requested_kind() {
        let photo = Some(Kind::Photorealistic);
        let mut image = Image { requested_type: photo, ..generated() };
        let observation = Observation {
            kind: Kind::BwStylized,
            quality: 8,
            flags: Vec::new(),
            reason: String::new(),
            content: Content::default(),
        };
        image.observe(observation, Observer { model: "model", reference: None });
        assert_eq!(image.origin(), Origin::Generated { requested: photo });
        let written = serde_json::to_value(&image).unwrap();
        assert_eq!((&written["type"], &written["requested_type"]), (&json!("bw_stylized"), &json!("photorealistic")));
        image.replace("2");
        assert_eq!(image.origin(), Origin::Uploaded, "another object has the name");
    }

    #[test]
    fn replaced_image_keeps_pin_and_caption_of_its_name() {
        let known = Image { caption: Some("by the sea".to_owned()), pinned: true, quality: Some(8), ..generated() };
        let replaced = Image { etag: Some("1".to_owned()), ..known }.describing(Some("2"));
        assert_eq!((replaced.caption.as_deref(), replaced.pinned), (Some("by the sea"), true));
        assert_eq!((replaced.etag.as_deref(), replaced.quality, replaced.kind), (Some("2"), None, None));
    }

    /// An image that a model has observed beside this base image.
    fn observed_beside(digits: Option<&str>, not_compared: Option<NotCompared>) -> Image {
        let content = Content { not_compared, ..Content::default() };
        let (assessed_by, compared_with) = (Some("model".to_owned()), digits.map(str::to_owned));
        Image { quality: Some(8), assessed_by, compared_with, content, ..generated() }
    }

    fn is_valid_beside(digits: Option<&str>, is_always_shown: bool, image: &Image) -> bool {
        let reference = digits.map(|digits| ReferenceId { digits: digits.to_owned(), is_always_shown });
        image.observation_by(Observer { model: "model", reference: reference.as_ref() }).is_some()
    }

    #[test]
    fn other_base_image_requires_a_new_observation() {
        let (compared, never_compared) = (observed_beside(Some("1"), None), observed_beside(None, None));
        for (reference, is_valid) in [(Some("1"), true), (Some("2"), false), (None, true)] {
            assert_eq!(is_valid_beside(reference, true, &compared), is_valid, "{reference:?}");
        }
        assert!(is_valid_beside(None, true, &never_compared), "a set without a base image");
        assert!(!is_valid_beside(Some("1"), true, &never_compared));
    }

    #[test]
    fn failed_comparison_is_repeated_once_it_can_succeed() {
        let unshown = observed_beside(Some("1"), Some(NotCompared::OnePicture));
        assert!(is_valid_beside(Some("1"), false, &unshown) && !is_valid_beside(Some("1"), true, &unshown));
        let unclear = observed_beside(Some("1"), Some(NotCompared::SeveralCharacters));
        assert!(is_valid_beside(Some("1"), true, &unclear) && !is_valid_beside(Some("2"), true, &unclear));
    }

    #[test]
    fn fields_of_other_tools_are_unknown() {
        let foreign = json!({ "caption": ["a", "b"], "depicts": "a woman", "compared": 3, "quality": 7 });
        let image: Image = serde_json::from_value(foreign).unwrap();
        assert_eq!((image.caption, image.content, image.quality), (None, Content::default(), Some(7)));
    }

    #[test]
    fn prompt_implies_the_requested_kind_of_old_records() {
        let prompt_id = Some("photo-ferry-deck".to_owned());
        let requested = Some(Kind::Photorealistic);
        assert_eq!(Image { prompt_id, ..generated() }.origin(), Origin::Generated { requested });
        let prompt_id = Some("of-another-version".to_owned());
        assert_eq!(Image { prompt_id, ..generated() }.origin(), Origin::Generated { requested: None });
    }

    #[test]
    fn image_of_another_tool_counts_as_uploaded() {
        for generation_type in [None, Some(UPLOADED), Some("initial")] {
            let generation_type = generation_type.map(str::to_owned);
            let image = Image { generation_type, prompt: Some("A photograph.".to_owned()), ..generated() };
            assert_eq!(image.origin(), Origin::Uploaded);
        }
    }
}
