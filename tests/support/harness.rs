//! The resources of a test and what tests do with them, whether the functions are deployed ([`TestStack`]) or the
//! handlers run in the test's process ([`World`]).
//!
//! [`TestStack`]: crate::stack::TestStack
//! [`World`]: crate::world::World

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::bucket::Bucket;
use aws::exchange;
use aws::queues::{Queue, Queues};
use aws::stack::Services;
use aws::store::Store;
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::manifest::Manifest;
use domain::plan::Plan;
use domain::settings::Settings;
use serde_json::Value;
use tempfile::TempDir;

use crate::pictures::{self, Picture};

/// The prefix of all keys.
pub const KEY_PREFIX: &str = "system_actors";

/// Clients that no fault affects, and a folder.
pub struct Harness {
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub keys: Keys,
    /// The data folder of the local copy.
    pub data: TempDir,
}

impl Harness {
    pub(crate) fn new(services: Services, data: TempDir) -> Self {
        let Services { bucket, store, queues, keys } = services;
        Self { bucket, store, queues, keys, data }
    }

    /// Uploads a file to the actor's folder, in the bucket and in the local copy.
    pub async fn upload(&self, actor: &ActorId, filename: &str, bytes: &[u8]) {
        let folder = self.local_folder(actor);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(filename), bytes).unwrap();
        self.bucket.put(&self.keys.image(actor, filename), bytes.to_vec(), "image/jpeg").await.unwrap();
    }

    /// Uploads pictures as `{actor}_{number}.jpg`, from this number on. Returns the names.
    pub async fn upload_all(&self, actor: &ActorId, first: u64, pictures: &[Picture]) -> Vec<String> {
        let mut names = Vec::new();
        for (number, picture) in (first..).zip(pictures) {
            let name = format!("{actor}_{number}.jpg");
            self.upload(actor, &name, &picture.jpeg).await;
            names.push(name);
        }
        names
    }

    pub async fn upload_base_image(&self, actor: &ActorId) {
        self.upload_as_base_image(actor, pictures::base_jpeg()).await;
    }

    /// Uploads any content as the base image.
    pub async fn upload_as_base_image(&self, actor: &ActorId, content: Vec<u8>) {
        let key = format!("{}jpg", self.keys.base_image_stem(actor));
        self.bucket.put(&key, content, "image/jpeg").await.unwrap();
    }

    pub async fn send(&self, queue: Queue, body: Value) {
        self.send_text(queue, &body.to_string()).await;
    }

    /// Sends a message with any body.
    pub async fn send_text(&self, queue: Queue, body: &str) {
        self.queues.send_body(queue, body.to_owned(), Duration::ZERO).await.unwrap();
    }

    pub async fn manifest(&self, actor: &ActorId) -> Manifest {
        exchange::export(&self.store, actor, &Settings::default()).await.unwrap().unwrap()
    }

    /// The actor's plans, the oldest first.
    pub async fn plans(&self, actor: &ActorId) -> Vec<Plan> {
        self.store.plans(actor).await.unwrap()
    }

    /// The names of the actor's files in the bucket.
    pub async fn filenames(&self, actor: &ActorId) -> Vec<String> {
        self.keys_below(&format!("training_data/{actor}/")).await
    }

    /// The keys below a folder of the prefix, without that folder.
    pub async fn keys_below(&self, folder: &str) -> Vec<String> {
        let folder = format!("{KEY_PREFIX}/{folder}");
        let listed = self.bucket.list(&folder).await.unwrap();
        listed.iter().map(|object| object.key[folder.len()..].to_owned()).collect()
    }

    pub async fn object(&self, key: &str) -> Vec<u8> {
        self.bucket.get(key).await.unwrap().unwrap_or_else(|| panic!("there is no {key}")).bytes
    }

    /// The folder of the actor's images in the local copy.
    #[must_use]
    pub fn local_folder(&self, actor: &ActorId) -> PathBuf {
        self.data.path().join(actor.as_str()).join("training_data")
    }

    /// The actor's files in the local copy.
    #[must_use]
    pub fn local_files(&self, actor: &ActorId) -> Vec<String> {
        names_in(&self.local_folder(actor))
    }

    /// The files that a deletion has moved to the trash of the local copy.
    #[must_use]
    pub fn local_trash(&self, actor: &ActorId, deletion_id: &str) -> Vec<String> {
        names_in(&self.data.path().join(actor.as_str()).join("trash").join(deletion_id))
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}
