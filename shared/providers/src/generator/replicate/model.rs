//! The name of a model at Replicate.

use std::fmt;
use std::str::FromStr;

use domain::money::MicroUsd;

use super::inputs;

/// A model, or one version of it. Whether it takes a base image is known only from the table of models, or from its
/// schema at Replicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicateModel {
    /// `owner/name`.
    pub(super) name: String,
    /// The id of the version, if the operator has chosen one.
    pub(super) version: Option<String>,
}

impl ReplicateModel {
    /// The valid values of `REPLICATE_MODEL`, for error messages.
    pub const ACCEPTED: &str =
        "owner/name or owner/name:version, such as black-forest-labs/flux-kontext-pro or google/nano-banana";

    /// The price of one image, if the table of models states it. A version may have another price than its model.
    #[must_use]
    pub fn usd_per_image(&self) -> Option<MicroUsd> {
        inputs::known(self)?.usd_per_image
    }

    /// The models whose price is known.
    pub fn priced() -> impl Iterator<Item = &'static str> {
        inputs::table().iter().filter(|(_, model)| model.usd_per_image.is_some()).map(|(name, _)| name.as_str())
    }

    /// The models whose inputs are known.
    pub fn known() -> impl Iterator<Item = &'static str> {
        inputs::table().keys().map(String::as_str)
    }
}

/// FLUX.1 Kontext \[pro\].
impl Default for ReplicateModel {
    fn default() -> Self {
        Self { name: "black-forest-labs/flux-kontext-pro".to_owned(), version: None }
    }
}

impl fmt::Display for ReplicateModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}:{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The text is not the name of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidModelName;

impl FromStr for ReplicateModel {
    type Err = InvalidModelName;

    /// The characters are restricted, because the name becomes a part of addresses.
    fn from_str(text: &str) -> Result<Self, InvalidModelName> {
        let (name, version) = match text.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let is_segment = |segment: &str| {
            segment.starts_with(|first: char| first.is_ascii_alphanumeric())
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match name.split_once('/') {
            Some((owner, model)) if is_segment(owner) && is_segment(model) && version.is_none_or(is_id) => {
                Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
            }
            _ => Err(InvalidModelName),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_version_are_read_and_written() {
        for text in ["google/nano-banana", "bytedance/seedream-4.5", "fofr/a_b:0f1178f5a27e9aa2d2d39c8a43c110f7"] {
            assert_eq!(text.parse::<ReplicateModel>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_names_of_models() {
        for text in
            ["", "flux", "/flux", "a/", "a/b/c", "a/b:", "a/b:c:d", "a/b:../c", "../b", "a/..", "a b/c", "a/b?c"]
        {
            assert_eq!(text.parse::<ReplicateModel>(), Err(InvalidModelName), "{text}");
        }
    }

    #[test]
    fn price_is_known_for_flat_rates_only() {
        let price = |text: &str| text.parse::<ReplicateModel>().unwrap().usd_per_image();
        assert_eq!(ReplicateModel::default().usd_per_image(), Some(MicroUsd(40_000)));
        assert_eq!(price("black-forest-labs/flux-kontext-max"), Some(MicroUsd(80_000)));
        for text in ["black-forest-labs/flux-2-pro", "black-forest-labs/flux-kontext-pro:0f1178f5", "acme/unheard-of"] {
            assert_eq!(price(text), None, "{text}");
        }
        assert_eq!(ReplicateModel::priced().count(), 2);
    }
}
