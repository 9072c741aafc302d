//! The file by which an export is recognised, so that `--replace` removes nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use domain::actor::ActorId;
use serde::{Deserialize, Serialize};

use super::findings::some_of;
use super::format::ExportFormat;
use crate::outcome::SCHEMA;

/// The name of the file. No trainer reads it.
pub const MARKER: &str = "balancer-export.json";

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub schema: u32,
    pub export: ExportFormat,
    pub actors: BTreeSet<ActorId>,
    /// The other files of the export, by their paths.
    pub files: BTreeMap<String, ExportedFile>,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// In hexadecimal.
    pub sha256: String,
    /// The name of the image in the set, if the file is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
}

impl Marker {
    pub fn new(export: ExportFormat, actors: BTreeSet<ActorId>, files: BTreeMap<String, ExportedFile>) -> Self {
        Self { schema: SCHEMA, export, actors, files }
    }

    /// `None` if this is not the file of an export.
    pub fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().filter(|marker: &Self| marker.schema == SCHEMA)
    }

    /// Fails unless an export of these actors may replace this one, whose present files have these SHA-256: an export of
    /// other actors was surely not meant, and whatever the user or a trainer has added or changed would be lost.
    pub fn check_replacement(
        &self,
        actors: Option<&BTreeSet<ActorId>>,
        present: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        if actors.is_some_and(|actors| self.actors.is_disjoint(actors)) {
            let exported: Vec<String> = self.actors.iter().map(ActorId::to_string).collect();
            bail!("it is an export of other actors ({}); give another -o", some_of(&exported));
        }
        let is_foreign = |path: &&String| !self.files.contains_key(path.as_str()) && *path != MARKER;
        let foreign: Vec<String> = present.keys().filter(is_foreign).cloned().collect();
        if !foreign.is_empty() {
            bail!(
                "it contains files that the export has not written; move them elsewhere first ({})",
                some_of(&foreign)
            );
        }
        let is_changed = |(path, sha256): &(&String, &String)| {
            self.files.get(path.as_str()).is_some_and(|file| file.sha256 != **sha256)
        };
        let changed: Vec<String> = present.iter().filter(is_changed).map(|(path, _)| path.clone()).collect();
        if !changed.is_empty() {
            bail!("files were changed since the export; move them elsewhere first ({})", some_of(&changed));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actors(ids: &[&str]) -> BTreeSet<ActorId> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    fn present(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(path, sha256)| ((*path).to_owned(), (*sha256).to_owned())).collect()
    }

    fn marker() -> Marker {
        let file = ExportedFile { sha256: "1".to_owned(), image: None };
        Marker::new(ExportFormat::Kohya, actors(&["hero"]), [("hero/a.txt".to_owned(), file)].into())
    }

    #[test]
    fn untouched_export_of_the_same_actor_may_be_replaced() {
        let files = present(&[("hero/a.txt", "1"), (MARKER, "2")]);
        marker().check_replacement(Some(&actors(&["hero"])), &files).unwrap();
        marker().check_replacement(Some(&actors(&["hero"])), &present(&[])).unwrap();
    }

    #[test]
    fn export_with_other_content_is_not_replaced() {
        let error = |ids: &[&str], files: &[(&str, &str)]| {
            marker().check_replacement(Some(&actors(ids)), &present(files)).unwrap_err().to_string()
        };
        assert!(error(&["other"], &[]).contains("other actors (hero)"));
        marker().check_replacement(Some(&actors(&["hero", "other"])), &present(&[])).unwrap();
        assert!(error(&["hero"], &[("output/hero.safetensors", "3")]).contains("(output/hero.safetensors)"));
        assert!(error(&["hero"], &[("hero/a.txt", "9")]).contains("changed since the export"));
    }

    #[test]
    fn other_json_is_no_marker() {
        for text in ["{}", "[]", "", r#"{"schema":99,"export":"kohya","actors":[],"files":{}}"#] {
            assert_eq!(Marker::read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Marker::read(&serde_json::to_vec(&marker()).unwrap()), Some(marker()));
    }
}
