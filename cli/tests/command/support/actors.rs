//! Folders of actors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::kind::Kind;
use imaging::decode;
use serde_json::Value;

use super::damaged::png;
use super::pictures::{base, drawn};

/// Options for a target of six: four photorealistic images and one of each other kind.
pub(crate) const SIX: [&str; 2] = ["--target-total", "6"];

/// One actor's folder.
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) dir: PathBuf,
}

impl Actor {
    /// An actor without images.
    pub(crate) fn nothing(data: &Path, id: &str) -> Self {
        let dir = data.join(id);
        fs::create_dir_all(dir.join("training_data")).unwrap();
        Self { id: id.to_owned(), dir }
    }

    /// An actor with five photorealistic images, no black-and-white one and two in colour, numbered with gaps up to
    /// 9, and without a base image. Its plan deletes two images and generates one.
    pub(crate) fn without_base(data: &Path, id: &str) -> Self {
        let actor = Self::nothing(data, id);
        let photographs = drawn(Kind::Photorealistic).iter().zip([1, 2, 3, 5, 6]);
        let colourful = drawn(Kind::ColorStylized).iter().zip([8, 9]);
        for (bytes, number) in photographs.chain(colourful) {
            actor.put(&format!("{id}_{number}.jpg"), bytes);
        }
        actor
    }

    /// The same, with a base image.
    pub(crate) fn unbalanced(data: &Path, id: &str) -> Self {
        Self::without_base(data, id).with_base()
    }

    /// An actor with six balanced images.
    pub(crate) fn balanced(data: &Path, id: &str) -> Self {
        let actor = Self::nothing(data, id).with_base();
        let kinds = [(Kind::Photorealistic, 4), (Kind::BwStylized, 1), (Kind::ColorStylized, 1)];
        let files = kinds.into_iter().flat_map(|(kind, count)| &drawn(kind)[..count]);
        for (number, bytes) in (1..).zip(files) {
            actor.put(&format!("{id}_{number}.jpg"), bytes);
        }
        actor
    }

    pub(crate) fn with_base(self) -> Self {
        let folder = self.dir.join("base_image");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{}_base.png", self.id)), png(base())).unwrap();
        self
    }

    /// Puts an image into the set.
    pub(crate) fn put(&self, filename: &str, bytes: &[u8]) {
        fs::write(self.training_data().join(filename), bytes).unwrap();
    }

    pub(crate) fn training_data(&self) -> PathBuf {
        self.dir.join("training_data")
    }

    /// The names of all files of the set, hidden ones too.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.training_data()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The names of the images in the trash.
    pub(crate) fn trash(&self) -> BTreeSet<String> {
        let files = snapshot(&self.dir.join("trash")).into_keys();
        files.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.dir.join("manifest.json")).unwrap()).unwrap()
    }

    /// Asserts that the folder contains exactly the images of the manifest, and that each can be decoded.
    pub(crate) fn agrees_with_its_manifest(&self) {
        let manifest = self.manifest();
        let recorded: BTreeSet<String> = manifest["images"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(self.files(), recorded, "{manifest:#}");
        for filename in self.files() {
            decode(&fs::read(self.training_data().join(&filename)).unwrap()).unwrap();
        }
    }
}

/// Every file below a folder with its content; a folder without files counts as one too.
pub(crate) fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let Ok(entries) = fs::read_dir(dir) else { return files };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.insert(path.clone(), Vec::new());
            files.extend(snapshot(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files.retain(|path, bytes| !bytes.is_empty() || !path.is_dir() || fs::read_dir(path).unwrap().next().is_none());
    files
}
