//! What can read an export.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The trainer or tool that reads an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportFormat {
    /// kohya-ss/sd-scripts: captions beside the images, and two TOML files
    Kohya,
    /// ostris/ai-toolkit: captions beside the images, and a YAML file
    AiToolkit,
    /// Nerogar/OneTrainer: captions beside the images, and two JSON files
    #[value(name = "onetrainer", alias = "one-trainer")]
    #[serde(rename = "onetrainer")]
    OneTrainer,
    /// Hugging Face `datasets`: an image folder with metadata.jsonl
    #[value(name = "huggingface", alias = "hugging-face")]
    #[serde(rename = "huggingface")]
    HuggingFace,
    /// Replicate's FLUX trainer: one zip for each actor, and its inputs
    Replicate,
    /// Your own programs: unchanged images, and one JSON with everything known
    Manifest,
}

impl ExportFormat {
    /// Whether WebP images become PNGs. ai-toolkit reads WebP "with issues" (its README), and Replicate's trainer runs
    /// ai-toolkit.
    pub const fn rewrites_webp(self) -> bool {
        matches!(self, Self::AiToolkit | Self::Replicate)
    }

    /// Whether the trainer itself describes images that have no caption.
    pub const fn writes_captions(self) -> bool {
        matches!(self, Self::Replicate)
    }
}

impl fmt::Display for ExportFormat {
    /// The value of `--format`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_a_format_as_the_option_does() {
        for format in ExportFormat::value_variants() {
            assert_eq!(serde_json::to_value(format).unwrap(), format.to_string());
        }
    }
}
