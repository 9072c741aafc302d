//! Asks the service, for free, whether it knows the key and the model.

use secrecy::ExposeSecret;

use super::{OpenAi, OpenAiError, rejection};
use crate::checks::Check;
use crate::openai::models::{self, Listing, Variables};

impl OpenAi {
    /// Checks the key and the model.
    pub(in crate::vision) async fn examine(&self) -> Check {
        let variables = Variables { model: "VISION_MODEL", base_url: "OPENAI_BASE_URL" };
        match self.listing().await {
            Ok(listing) => listing.to_check("the vision service", &self.config.model, variables),
            Err(error) => error.to_check(),
        }
    }

    async fn listing(&self) -> Result<Listing, OpenAiError> {
        let key = self.key.expose_secret();
        let response = models::request(&self.http, &self.config.base_url, key).await?;
        match Listing::read(&response) {
            Some(listing) => Ok(listing),
            // What else it answers about a batch of images has no meaning here.
            None => rejection::read(&response, key).map(|_| Listing::Unreadable),
        }
    }
}
