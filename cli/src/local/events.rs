//! Events for `sam local invoke`, with the bucket and an actor of the served stack. A function rejects the events in
//! `infra/events/`, because they name a bucket and an actor that do not exist.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::messages::new_request_id;
use local_stack::write_private;
use serde_json::{Value, json};

use super::data_folder::ActorFolder;

pub(super) struct EventContext<'a> {
    pub(super) actor: &'a ActorId,
    /// One of its images, if it has any.
    pub(super) image: Option<String>,
    pub(super) bucket: &'a str,
    pub(super) keys: Keys,
}

/// The first of the actors that has images, else the first of them.
pub(super) fn example(folders: &[ActorFolder]) -> anyhow::Result<Option<(&ActorId, Option<String>)>> {
    for folder in folders {
        if let Some(image) = folder.images()?.into_iter().next() {
            return Ok(Some((&folder.actor, Some(image.name))));
        }
    }
    Ok(folders.first().map(|folder| (&folder.actor, None)))
}

/// Writes a file for each event, and returns their paths.
pub(super) fn write(directory: &Path, about: &EventContext<'_>) -> anyhow::Result<Vec<PathBuf>> {
    let failed = |path: &Path| format!("{} can't be written", path.display());
    fs::create_dir_all(directory).with_context(|| failed(directory))?;
    let mut written = Vec::new();
    for (name, message) in messages(about) {
        let path = directory.join(format!("{name}.json"));
        write_private(&path, format!("{:#}\n", delivered(&message)).as_bytes()).with_context(|| failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

/// Each kind of message, under the name of a file; the function's name comes first.
fn messages(about: &EventContext<'_>) -> Vec<(&'static str, Value)> {
    let actor = about.actor;
    let mut messages = vec![
        ("evaluation-manual", json!({ "actor_id": actor })),
        ("evaluation-manual-dry-run", json!({ "actor_id": actor, "mode": "dry_run" })),
        ("evaluation-manual-forced", json!({ "actor_id": actor, "force": true })),
        ("generation-manual", json!({ "actor_id": actor, "generate": { "bw_stylized": 1 } })),
    ];
    if let Some(image) = &about.image {
        messages.push(("evaluation-upload", upload(about, image)));
        messages.push((
            "deletion-manual",
            json!({ "actor_id": actor, "filenames": [image], "request_id": new_request_id() }),
        ));
    }
    messages
}

/// The event that EventBridge sends for an uploaded image.
fn upload(about: &EventContext<'_>, image: &str) -> Value {
    json!({
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {
            "bucket": { "name": about.bucket },
            "object": { "key": about.keys.image(about.actor, image) },
            "reason": "PutObject",
        },
    })
}

/// The Lambda event that delivers a message. It has no time of sending, so the function takes each use of it as a request of
/// its own.
fn delivered(message: &Value) -> Value {
    json!({
        "Records": [{
            "messageId": format!("{:032x}", rand::random::<u128>()),
            "receiptHandle": "manual",
            "body": message.to_string(),
            "attributes": { "ApproximateReceiveCount": "1" },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }],
    })
}
