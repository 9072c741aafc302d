//! S3, with conditional writes.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use backon::{ExponentialBuilder, Retryable};
use domain::keys::url_decoded;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::AwsError;

/// The bucket with every actor's images.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    /// Without quotes.
    pub etag: String,
}

/// An object with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bytes: Vec<u8>,
    /// Without quotes.
    pub etag: String,
}

/// The result of a write that must not replace an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutNew {
    /// The `ETag` of the new object.
    Stored(String),
    /// The key has an object already.
    Occupied,
}

/// The result of an operation on one version of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfUnchanged {
    Done,
    /// The key has another version now; nothing was done.
    Changed,
    /// The key has no object; nothing was done.
    Missing,
}

/// The characters that need no encoding in `x-amz-copy-source`.
const PLAIN_IN_COPY_SOURCE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The result of reading an object.
#[derive(Debug, Clone)]
pub enum Fetched {
    Missing,
    /// The object has this many bytes, more than the limit, and was not read.
    TooLarge(u64),
    Whole(Object),
}

/// Delays before an interrupted read of an object is repeated. The SDK repeats a request only until its answer begins.
const READ_RETRY: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_delay(Duration::from_secs(1))
    .with_max_times(3);

/// Why an object was not read.
enum ReadError {
    /// The connection broke while the content was read. An immediate retry may help.
    BrokeOff(AwsError),
    /// S3 failed, after the SDK's own retries.
    Failed(AwsError),
}

impl Bucket {
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An object's URL, as manifests contain it.
    #[must_use]
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// The objects with this prefix, in the order of their keys.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, AwsError> {
        // Keys may contain characters that XML can't represent, such as U+0001: unencoded, they make the whole page
        // unreadable.
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).encoding_type(EncodingType::Url);
        let mut pages = request.into_paginator().send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.error("ListObjectsV2", prefix, &error))?;
            let is_encoded = page.encoding_type == Some(EncodingType::Url);
            for object in page.contents.unwrap_or_default() {
                let key = object.key.unwrap_or_default();
                let key = if is_encoded { self.decoded(&key)? } else { key };
                objects.push(ListedObject { key, etag: unquoted(object.e_tag) });
            }
        }
        Ok(objects)
    }

    /// A key from a listing, which is URL-encoded with `+` for a space.
    fn decoded(&self, key: &str) -> Result<String, AwsError> {
        url_decoded(key).map_err(|cause| AwsError::new("S3", "ListObjectsV2", self.url(key), cause.to_string()))
    }

    /// Reads an object that the balancer wrote; `None` if it doesn't exist.
    pub async fn get(&self, key: &str) -> Result<Option<Object>, AwsError> {
        match self.get_at_most(key, u64::MAX).await? {
            Fetched::Whole(object) => Ok(Some(object)),
            Fetched::Missing | Fetched::TooLarge(_) => Ok(None),
        }
    }

    /// Reads an object of unknown size, unless it has more than `max_bytes` and might not fit into memory.
    pub async fn get_at_most(&self, key: &str, max_bytes: u64) -> Result<Fetched, AwsError> {
        let read = || self.read(key, max_bytes);
        let read = read.retry(READ_RETRY).when(|error| matches!(error, ReadError::BrokeOff(_))).await;
        read.map_err(|(ReadError::BrokeOff(error) | ReadError::Failed(error))| error)
    }

    async fn read(&self, key: &str, max_bytes: u64) -> Result<Fetched, ReadError> {
        let object = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => object,
            Err(error) if has_code(&error, &["NoSuchKey", "NotFound"]) => return Ok(Fetched::Missing),
            Err(error) => return Err(ReadError::Failed(self.error("GetObject", key, &error))),
        };
        let size: Option<u64> = object.content_length.and_then(|size| size.try_into().ok());
        if let Some(size) = size.filter(|&size| size > max_bytes) {
            return Ok(Fetched::TooLarge(size));
        }
        let etag = unquoted(object.e_tag);
        let broke_off = |cause: String| ReadError::BrokeOff(AwsError::new("S3", "GetObject", self.url(key), cause));
        let bytes = object.body.collect().await.map_err(|error| broke_off(error.to_string()))?.to_vec();
        match size {
            Some(size) if size != bytes.len() as u64 => {
                Err(broke_off(format!("{} of {size} bytes were received", bytes.len())))
            }
            _ => Ok(Fetched::Whole(Object { bytes, etag })),
        }
    }

    /// The `ETag` of an object; `None` if it doesn't exist.
    pub async fn etag(&self, key: &str) -> Result<Option<String>, AwsError> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(object) => Ok(Some(unquoted(object.e_tag))),
            Err(error) if has_code(&error, &["NotFound", "NoSuchKey"]) => Ok(None),
            Err(error) => Err(self.error("HeadObject", key, &error)),
        }
    }

    /// Writes an object and returns its `ETag`. Replaces an existing one.
    pub async fn put(&self, key: &str, bytes: Vec<u8>, content_type: &str) -> Result<String, AwsError> {
        let request = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        match request.body(ByteStream::from(bytes)).send().await {
            Ok(stored) => Ok(unquoted(stored.e_tag)),
            Err(error) => Err(self.error("PutObject", key, &error)),
        }
    }

    /// Writes an object if the key has none.
    pub async fn put_new(&self, key: &str, bytes: Vec<u8>, content_type: &str) -> Result<PutNew, AwsError> {
        let request = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        match request.if_none_match("*").body(ByteStream::from(bytes)).send().await {
            Ok(stored) => Ok(PutNew::Stored(unquoted(stored.e_tag))),
            Err(error) if has_code(&error, &["PreconditionFailed"]) => Ok(PutNew::Occupied),
            Err(error) => Err(self.error("PutObject", key, &error)),
        }
    }

    /// Copies an object if it has this `ETag`.
    pub async fn copy_if(&self, from: &str, to: &str, etag: &str) -> Result<IfUnchanged, AwsError> {
        let source = utf8_percent_encode(&format!("{}/{from}", self.name), PLAIN_IN_COPY_SOURCE).to_string();
        let request = self.client.copy_object().bucket(&self.name).key(to).copy_source(source);
        match request.copy_source_if_match(etag).send().await {
            Ok(_) => Ok(IfUnchanged::Done),
            Err(error) if has_code(&error, &["PreconditionFailed"]) => Ok(IfUnchanged::Changed),
            Err(error) if has_code(&error, &["NoSuchKey", "NotFound"]) => Ok(IfUnchanged::Missing),
            Err(error) => Err(self.error("CopyObject", from, &error)),
        }
    }

    /// Deletes an object if it has this `ETag`.
    pub async fn delete_if(&self, key: &str, etag: &str) -> Result<IfUnchanged, AwsError> {
        match self.client.delete_object().bucket(&self.name).key(key).if_match(etag).send().await {
            Ok(_) => Ok(IfUnchanged::Done),
            Err(error) if has_code(&error, &["PreconditionFailed"]) => Ok(IfUnchanged::Changed),
            Err(error) if has_code(&error, &["NoSuchKey", "NotFound"]) => Ok(IfUnchanged::Missing),
            Err(error) => Err(self.error("DeleteObject", key, &error)),
        }
    }

    pub async fn delete(&self, key: &str) -> Result<(), AwsError> {
        let deleted = self.client.delete_object().bucket(&self.name).key(key).send().await;
        deleted.map(drop).map_err(|error| self.error("DeleteObject", key, &error))
    }

    fn error<E>(
        &self,
        operation: &'static str,
        key: &str,
        error: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>,
    ) -> AwsError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        AwsError::of("S3", operation, &self.url(key), error)
    }
}

fn has_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&code))
}

fn unquoted(etag: Option<String>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}
