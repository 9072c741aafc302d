//! A set that was given up, remembered so that the same set is not tried again by itself.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::Image;
use super::status::Status;

/// Why a set was left as it is, and what it was then. It is tried again when an image, a pin or a setting has changed, or
/// when a person asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standstill {
    /// How the set stands.
    pub status: Status,
    /// Why, in a sentence for people.
    pub reason: String,
    /// Rounds that were used in vain.
    pub rounds: u32,
    /// The set's [`fingerprint`] at that time.
    pub images: String,
    /// The settings of the evaluation that gave it up; `None` if no evaluation did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whatever else a new attempt depends on, as whoever wrote the manifest saw it; its day is part of it where a new day
    /// brings new money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstances: Option<String>,
}

impl Standstill {
    /// Whether these images, by file name, under these settings are still what was given up.
    #[must_use]
    pub fn still_holds(&self, images: &str, policy: &str) -> bool {
        self.images == images && self.policy.as_deref().is_none_or(|then| then == policy)
    }
}

/// A set's images with their content and their pins, as one word that differs when any of them does.
#[must_use]
pub fn fingerprint<'a>(images: impl IntoIterator<Item = (&'a str, &'a Image)>) -> String {
    let mut all = Sha256::new();
    for (filename, image) in images {
        let etag = image.etag.as_deref().unwrap_or_default();
        all.update(format!("{filename}\0{etag}\0{}\n", image.pinned));
    }
    short(&all.finalize())
}

/// A digest in hexadecimal, cut to what tells a handful of sets apart.
#[must_use]
pub fn short(digest: &[u8]) -> String {
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(images: &[(&str, &str, bool)]) -> String {
        let images: Vec<(&str, Image)> = images
            .iter()
            .map(|&(name, etag, pinned)| (name, Image { etag: Some(etag.to_owned()), pinned, ..Image::default() }))
            .collect();
        fingerprint(images.iter().map(|(name, image)| (*name, image)))
    }

    #[test]
    fn names_contents_and_pins_make_the_fingerprint() {
        let set = [("a.jpg", "1", false), ("b.jpg", "2", false)];
        assert_eq!(of(&set), of(&set));
        for other in [
            &[("a.jpg", "1", false)][..],
            &[("a.jpg", "1", false), ("b.jpg", "3", false)],
            &[("a.jpg", "1", false), ("c.jpg", "2", false)],
            &[("a.jpg", "1", true), ("b.jpg", "2", false)],
        ] {
            assert_ne!(of(&set), of(other), "{other:?}");
        }
    }

    #[test]
    fn another_policy_ends_a_standstill() {
        let given_up = Standstill {
            status: Status::NeedsAttention,
            reason: "After 3 rounds …".to_owned(),
            rounds: 3,
            images: "f".to_owned(),
            policy: Some("13/4/3".to_owned()),
            circumstances: None,
        };
        assert!(given_up.still_holds("f", "13/4/3"));
        assert!(!given_up.still_holds("f", "4/1/1") && !given_up.still_holds("g", "13/4/3"));
        assert!(Standstill { policy: None, ..given_up }.still_holds("f", "4/1/1"));
    }
}
