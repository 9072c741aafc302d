//! The two forms in which S3 reports a new object: bucket notifications and EventBridge events.

use serde::Deserialize;
use serde_json::Value;

use crate::keys::url_decoded;

/// A new object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The name of the bucket.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// The object's `ETag` without quotes, if the event contains it.
    pub etag: Option<String>,
    /// S3's number of the change, which repeated events share, if the event contains it.
    pub sequencer: Option<String>,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event_name: String,
    s3: Detail,
}

#[derive(Deserialize)]
struct EventBridgeEvent {
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    bucket: Bucket,
    object: Object,
}

#[derive(Default, Deserialize)]
struct Bucket {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    /// `eTag` in notifications, `etag` in EventBridge events.
    #[serde(alias = "eTag")]
    etag: Option<String>,
    sequencer: Option<String>,
}

impl Detail {
    fn into_upload(self, key: String) -> Upload {
        let etag = self.object.etag.map(|etag| etag.trim_matches('"').to_owned());
        Upload { bucket: self.bucket.name, key, etag, sequencer: self.object.sequencer }
    }
}

/// The uploads in an S3 notification, whose keys are URL-encoded with `+` for a space.
pub(super) fn from_notification(value: Value) -> Result<Vec<Upload>, String> {
    let notification: Notification = serde_json::from_value(value).map_err(|error| error.to_string())?;
    notification
        .records
        .into_iter()
        .filter(|record| record.event_name.starts_with("ObjectCreated:"))
        .map(|Record { s3, .. }| decode_key(&s3.object.key).map(|key| s3.into_upload(key)))
        .collect()
}

/// The upload of an EventBridge event, whose key is plain.
pub(super) fn from_event_bridge(value: Value) -> Result<Upload, String> {
    let event: EventBridgeEvent = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if event.detail_type != "Object Created" {
        return Err(format!("`{}` is not an upload; restrict the rule to `Object Created`", event.detail_type));
    }
    let key = event.detail.object.key.clone();
    Ok(event.detail.into_upload(key))
}

fn decode_key(key: &str) -> Result<String, String> {
    url_decoded(key).map_err(|error| format!("key `{key}`: {error}"))
}
