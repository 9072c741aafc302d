//! The record of a suspended set. It prevents retries while nothing has changed.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::Image;
use super::status::Status;

/// Why the balancer suspended a set, and the state of the set at that time. The balancer tries again after a change of
/// an image, a pin or a setting, or if the operator requests it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// The status of the set.
    pub status: Status,
    /// The reason, as a sentence for the user.
    pub reason: String,
    /// The number of rounds without success.
    pub rounds: u32,
    /// The set's [`fingerprint`].
    pub images: String,
    /// The settings of the evaluation that suspended the set; `None` if no evaluation did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The other inputs of an attempt, as the writer of the manifest recorded them. They include the day if the next
    /// day renews the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstances: Option<String>,
}

impl Suspension {
    /// Whether a set with this fingerprint is still suspended under these settings.
    #[must_use]
    pub fn still_holds(&self, images: &str, policy: &str) -> bool {
        self.images == images && self.policy.as_deref().is_none_or(|then| then == policy)
    }
}

/// A digest of a set's images with their content and their pins.
#[must_use]
pub fn fingerprint<'a>(images: impl IntoIterator<Item = (&'a str, &'a Image)>) -> String {
    let mut all = Sha256::new();
    for (filename, image) in images {
        let etag = image.etag.as_deref().unwrap_or_default();
        all.update(format!("{filename}\0{etag}\0{}\n", image.pinned));
    }
    short(&all.finalize())
}

/// The first 128 bits of a digest, in hexadecimal.
#[must_use]
pub fn short(digest: &[u8]) -> String {
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
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
    fn fingerprint_covers_names_contents_and_pins() {
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
    fn changed_settings_end_a_suspension() {
        let suspension = Suspension {
            status: Status::NeedsAttention,
            reason: "After 3 rounds …".to_owned(),
            rounds: 3,
            images: "f".to_owned(),
            policy: Some("13/4/3".to_owned()),
            circumstances: None,
        };
        assert!(suspension.still_holds("f", "13/4/3"));
        assert!(!suspension.still_holds("f", "4/1/1") && !suspension.still_holds("g", "13/4/3"));
        assert!(Suspension { policy: None, ..suspension }.still_holds("f", "4/1/1"));
    }
}
