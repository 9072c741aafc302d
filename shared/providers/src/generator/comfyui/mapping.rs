//! The mapping file, which names the inputs of a workflow whose nodes have no titles for the balancer.

use serde::Deserialize;

/// The inputs, each as `node.input`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mapping {
    pub(super) prompt: Names,
    pub(super) seed: Names,
    /// The inputs of the first reference image, the second one, and so on.
    pub(super) reference: Names,
    pub(super) width: Names,
    pub(super) height: Names,
    /// The node whose image counts.
    pub(super) output: Option<String>,
}

/// One name or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Several(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Names {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

impl Mapping {
    /// Reads a mapping in JSON or TOML.
    ///
    /// # Errors
    /// A clause about the file.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|error| format!("is no mapping: {error}"));
        }
        toml::from_str(text).map_err(|error| format!("is no mapping: {}", error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_is_read_from_toml_and_json() {
        for text in [
            "prompt = \"6.text\"\nreference = [\"10.image\", \"12.image\"]",
            r#"{"prompt": "6.text", "reference": ["10.image", "12.image"]}"#,
        ] {
            let mapping = Mapping::parse(text).unwrap();
            assert_eq!((mapping.prompt.all(), mapping.reference.all().len()), (["6.text".to_owned()].as_slice(), 2));
            assert!(mapping.seed.all().is_empty() && mapping.output.is_none());
        }
    }

    #[test]
    fn misspelled_name_in_a_mapping_is_named() {
        for text in ["promt = \"6.text\"", r#"{"promt": "6.text"}"#] {
            assert!(Mapping::parse(text).unwrap_err().contains("promt"), "{text}");
        }
    }
}
