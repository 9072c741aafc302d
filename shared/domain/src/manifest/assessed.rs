//! The assessments that follow from the records of a manifest.

use super::Manifest;
use crate::assessment::{Assessment, Observation, Observed, assess, void_ambiguous_comparisons};
use crate::manifest::Image;
use crate::resemblance::Resemblances;
use crate::settings::Settings;

impl Manifest {
    /// Assesses the recorded observations and measurements under these settings, by file name. It is what the last
    /// evaluation found if the settings are the same. Images without a complete record are left out.
    #[must_use]
    pub fn assessments(&self, settings: &Settings) -> Vec<Assessment> {
        let images = self.images.iter().filter(|(_, image)| image.unusable.is_none());
        let mut set: Vec<Observed> =
            images.clone().filter_map(|(filename, image)| image.as_observed(filename)).collect();
        void_ambiguous_comparisons(&mut set);
        let mut resemblances = Resemblances::default();
        for image in images.map(|(_, image)| image) {
            image.facts.iter().for_each(|facts| resemblances.record_all(facts, &image.compared));
        }
        assess(&set, &resemblances, settings)
    }
}

impl Image {
    fn as_observed(&self, filename: &str) -> Option<Observed> {
        Some(Observed {
            filename: filename.to_owned(),
            observation: Observation {
                kind: self.kind?,
                quality: self.quality?,
                flags: self.flags.clone(),
                reason: self.reason.clone().unwrap_or_default(),
                content: self.content.clone(),
            },
            facts: self.facts.clone()?,
            origin: self.origin(),
            pinned: self.pinned,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observation::Flag;

    fn image(sha256: &str, width: u32) -> serde_json::Value {
        let facts = json!({ "sha256": sha256, "perceptual_hash": "", "width": width, "height": 1024 });
        json!({ "type": "photorealistic", "quality": 9, "reason": "Sharp.", "facts": facts })
    }

    #[test]
    fn records_of_a_manifest_give_its_assessments() {
        let mut copy = image("b", 1024);
        copy["compared"] = json!({ "a": "same_picture" });
        let manifest: Manifest = serde_json::from_value(json!({
            "actor_id": "hero",
            "images": {
                "hero_1.jpg": image("a", 1024),
                "hero_2.jpg": copy,
                "hero_3.jpg": image("c", 400),
                "hero_4.jpg": { "type": "photorealistic" },
                "hero_5.jpg": { "unusable": "It is no image.", "quality": 9 },
            },
        }))
        .unwrap();
        let assessments = manifest.assessments(&Settings::default());
        let found: Vec<_> =
            assessments.iter().map(|it| (it.filename.as_str(), it.quality, it.flags.as_slice())).collect();
        assert_eq!(
            found,
            [
                ("hero_1.jpg", 9, &[][..]),
                ("hero_2.jpg", 9, &[Flag::NearDuplicate][..]),
                ("hero_3.jpg", 4, &[Flag::Small][..]),
            ]
        );
    }
}
