//! Asks the service, for free, whether it knows the key and the model.

use domain::format::AspectRatio;
use secrecy::ExposeSecret;

use super::{OpenAiImages, answer};
use crate::checks::Check;
use crate::generator::failure::{Failure, ServiceError};
use crate::generator::service::Service;
use crate::openai::models::{self, Listing};

impl OpenAiImages {
    /// Checks the settings, the key and the model.
    pub(in crate::generator) async fn examine(&self, ratio: AspectRatio) -> Vec<Check> {
        let format = self.check(ratio).await.err().map(|failure| ServiceError::of::<Self>(failure).to_check());
        let model = match self.listing().await {
            Ok(listing) => listing.to_check("the image service", &self.config.model, Self::NAMES.into()),
            Err(failure) => ServiceError::of::<Self>(failure).to_check(),
        };
        format.into_iter().chain([model]).collect()
    }

    async fn listing(&self) -> Result<Listing, Failure> {
        let key = self.key.expose_secret();
        let response = models::request(&self.http, &self.config.base_url, key).await?;
        match Listing::read(&response) {
            Some(listing) => Ok(listing),
            None => Err(answer::failure(&response, key)),
        }
    }
}
