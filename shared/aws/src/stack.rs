//! The resources of one stack, and the clients that use them.

use aws_config::SdkConfig;
use domain::keys::Keys;
use serde::{Deserialize, Serialize};

use crate::bucket::Bucket;
use crate::queues::{QueueUrls, Queues};
use crate::store::Store;

/// The names and addresses of a stack's resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRef {
    pub region: String,
    /// The address of an emulator; `None` in AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    pub bucket: String,
    pub table: String,
    pub evaluation_queue_url: String,
    pub deletion_queue_url: String,
    pub generation_queue_url: String,
    pub evaluation_dlq_url: String,
    pub deletion_dlq_url: String,
    pub generation_dlq_url: String,
    /// The beginning of every key that the functions use.
    pub key_prefix: String,
}

impl StackRef {
    #[must_use]
    pub fn services(&self, sdk: &SdkConfig) -> Services {
        Services::new(sdk, &self.bucket, &self.table, self.queue_urls(), Keys::new(&self.key_prefix))
    }

    #[must_use]
    pub fn queue_urls(&self) -> QueueUrls {
        QueueUrls {
            evaluation: self.evaluation_queue_url.clone(),
            deletion: self.deletion_queue_url.clone(),
            generation: self.generation_queue_url.clone(),
        }
    }

    #[must_use]
    pub fn dead_letter_urls(&self) -> QueueUrls {
        QueueUrls {
            evaluation: self.evaluation_dlq_url.clone(),
            deletion: self.deletion_dlq_url.clone(),
            generation: self.generation_dlq_url.clone(),
        }
    }
}

/// The clients of one stack's resources.
#[derive(Debug, Clone)]
pub struct Services {
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub keys: Keys,
}

impl Services {
    #[must_use]
    pub fn new(sdk: &SdkConfig, bucket: &str, table: &str, queues: QueueUrls, keys: Keys) -> Self {
        Self {
            bucket: Bucket::new(s3_client(sdk), bucket),
            store: Store::new(aws_sdk_dynamodb::Client::new(sdk), table),
            queues: Queues::new(aws_sdk_sqs::Client::new(sdk), queues),
            keys,
        }
    }
}

/// A client of S3. Emulators know buckets by path only; with AWS the default is right.
#[must_use]
pub fn s3_client(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let is_emulator = sdk.endpoint_url().is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(is_emulator).build())
}
