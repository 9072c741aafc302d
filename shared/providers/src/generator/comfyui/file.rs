//! The files of the user: the workflow and the mapping.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws::SdkConfig;
use aws::bucket::{Bucket, Fetched};
use aws::stack::s3_client;

use crate::checks::Check;
use crate::generator::failure::Failure;

/// The beginning of a value that names an object in the stack's bucket.
const IN_BUCKET: &str = "s3:";

/// Far more than a workflow has.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Where a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileLocation {
    /// On the machine where the function runs.
    Disk(PathBuf),
    /// In the stack's bucket, under this key.
    Bucket(String),
}

impl FromStr for FileLocation {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.strip_prefix(IN_BUCKET) {
            // `s3://BUCKET/KEY` would be mistaken for a key.
            Some(key) if !key.starts_with('/') => Self::Bucket(key.to_owned()),
            _ => Self::Disk(PathBuf::from(text)),
        })
    }
}

impl Default for FileLocation {
    fn default() -> Self {
        Self::Disk(PathBuf::new())
    }
}

impl fmt::Display for FileLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(path) => write!(f, "{}", path.display()),
            Self::Bucket(key) => write!(f, "{IN_BUCKET}{key}"),
        }
    }
}

/// A file that a variable names.
#[derive(Debug)]
pub(super) struct UserFile {
    /// The variable that names it.
    variable: &'static str,
    location: FileLocation,
    bucket: Option<Bucket>,
}

/// Why a file can't be read.
pub(super) enum Unread {
    /// Only the user can help.
    Problem(Check),
    /// The bucket can't be read at present.
    Outage(Failure),
}

impl UserFile {
    pub(super) fn new(variable: &'static str, location: FileLocation, bucket: Option<&str>, sdk: &SdkConfig) -> Self {
        Self { variable, location, bucket: bucket.map(|name| Bucket::new(s3_client(sdk), name)) }
    }

    /// The file in words.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.variable, self.location)
    }

    pub(super) async fn read(&self) -> Result<String, Unread> {
        match &self.location {
            FileLocation::Disk(path) => self.read_from_disk(path).await,
            FileLocation::Bucket(key) => self.read_from_bucket(key).await,
        }
    }

    async fn read_from_disk(&self, path: &Path) -> Result<String, Unread> {
        let bytes = tokio::fs::read(path).await.map_err(|error| {
            self.problem(
                &format!("can't be read ({error})"),
                "set it to the path of a file on the machine where the functions run",
            )
        })?;
        self.text(bytes)
    }

    async fn read_from_bucket(&self, key: &str) -> Result<String, Unread> {
        let Some(bucket) = &self.bucket else {
            return Err(self.problem("lies in a bucket, and BUCKET is not set", "set it to the path of a file"));
        };
        match bucket.get_at_most(key, MAX_BYTES).await {
            Ok(Fetched::Whole(object)) => self.text(object.bytes),
            Ok(Fetched::Missing) => {
                Err(self.problem("does not exist", "upload it to the stack's bucket under this key"))
            }
            Ok(Fetched::TooLarge(_)) => Err(self.problem("is too large for a workflow", "upload another file")),
            Err(error) => {
                let message = format!("{} can't be read: {error}", self.name());
                Err(Unread::Outage(Failure::Overloaded { message, retry_after: None }))
            }
        }
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, Unread> {
        String::from_utf8(bytes).map_err(|_| self.problem("is no text file", "set it to a workflow in API form"))
    }

    fn problem(&self, what: &str, remedy: &str) -> Unread {
        Unread::Problem(Check::problem(format!("{} {what}", self.name()), remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_is_a_path_or_a_key_in_the_bucket() {
        for (text, expected) in [
            ("/workflows/flux.json", FileLocation::Disk("/workflows/flux.json".into())),
            ("s3:system_actors/comfyui/flux.json", FileLocation::Bucket("system_actors/comfyui/flux.json".to_owned())),
            ("s3://bucket/flux.json", FileLocation::Disk("s3://bucket/flux.json".into())),
        ] {
            let Ok(location) = text.parse::<FileLocation>();
            assert_eq!((&location, location.to_string().as_str()), (&expected, text));
        }
    }
}
