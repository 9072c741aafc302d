//! OpenAI's image edits: one request, answered with the image.
//!
//! Source: <https://developers.openai.com/api/reference/resources/images/methods/edit>. SGLang, vLLM-Omni and other servers
//! speak the same protocol. There are no predictions: an image whose answer is lost can't be found again.

mod answer;
mod examination;
mod request;

use std::time::Duration;

use aws::SdkConfig;
use aws::secrets;
use domain::format::{AspectRatio, Format, Megapixels};
use domain::money::MicroUsd;
use imaging::MAX_BYTES;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::failure::{Failure, ServiceNames};
use super::service::{Created, Found, Lost, Prediction, Service};
use super::{OpenAiImagesConfig, Request};
use crate::http::BoundedClient;
use request::Fields;

/// The time limit of an image. The slowest models take two minutes.
const TIMEOUT: Duration = Duration::from_secs(150);

/// The size limit of an answer: an image in base64, which adds a third.
const MAX_ANSWER_BYTES: usize = MAX_BYTES as usize * 2;

/// The service takes 16, but more than a few add cost and no likeness.
const MAX_REFERENCES: usize = 4;

/// A client of OpenAI's image edits.
#[derive(Debug)]
pub struct OpenAiImages {
    http: BoundedClient,
    key: SecretString,
    config: OpenAiImagesConfig,
}

/// The request for an image.
#[derive(Debug)]
pub struct Creation {
    fields: Fields,
    /// JPEGs, the main reference first.
    images: Vec<Vec<u8>>,
}

impl OpenAiImages {
    /// # Errors
    /// If the key can't be read.
    pub(super) async fn new(config: OpenAiImagesConfig, sdk: &SdkConfig) -> Result<Self, Failure> {
        let key = secrets::reveal(config.key.clone(), sdk).await?;
        Ok(Self { http: BoundedClient::new(TIMEOUT, MAX_ANSWER_BYTES)?, key, config })
    }
}

impl Service for OpenAiImages {
    const NAMES: ServiceNames = ServiceNames {
        service: "The image service",
        key: "OPENAI_IMAGES_API_KEY",
        base_url: "OPENAI_IMAGES_BASE_URL",
        model: "OPENAI_IMAGES_MODEL",
        usable_model: "a model that edits images, such as gpt-image-2",
        billing: "add some, or raise the limit of the account behind OPENAI_IMAGES_API_KEY",
    };

    type Creation = Creation;

    fn price(&self, size: Megapixels) -> MicroUsd {
        self.config.price.of(size)
    }

    async fn max_references(&self) -> Result<usize, Failure> {
        Ok(MAX_REFERENCES)
    }

    async fn check(&self, ratio: AspectRatio) -> Result<(), Failure> {
        request::size(&self.config.model, Format { ratio, size: Megapixels::default() }).map(|_| ())
    }

    async fn prepare(&self, request: &Request) -> Result<Creation, Failure> {
        let fields = request::fields(&self.config, request)?;
        Ok(Creation { fields, images: request::images(request).await? })
    }

    async fn create(&self, creation: &Creation) -> Result<Created, Failure> {
        let request = self.http.client().post(format!("{}/images/edits", self.config.base_url));
        let request = request.bearer_auth(self.key.expose_secret()).multipart(creation.form()?);
        answer::read(self.http.send(request).await?, self.key.expose_secret()).await
    }

    async fn find(&self, _: Lost, _: Instant) -> Result<Found, Failure> {
        Ok(Found::Unknowable("its answer was lost, and the service can't be asked for it again"))
    }

    /// Only another service makes predictions; the slot was begun with it.
    async fn poll(&self, _: &str) -> Result<Prediction, Failure> {
        Ok(Prediction::Gone)
    }

    async fn fetch(&self, _: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}
