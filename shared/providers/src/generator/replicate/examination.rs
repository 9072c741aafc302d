//! Asks Replicate, for free, whether an image could be generated.

use domain::format::AspectRatio;
use serde::Deserialize;
use serde_json::Value;

use super::inputs::known;
use super::{MAX_RESPONSE_BYTES, POLL_TIMEOUT, Replicate};
use crate::checks::Check;
use crate::generator::failure::{Failure, ServiceError};
use crate::generator::service::Service;

/// The account that a token belongs to. Source: <https://replicate.com/docs/reference/http#account.get>.
#[derive(Deserialize)]
struct Account {
    username: String,
}

impl Replicate {
    /// Checks the token and the model.
    pub(in crate::generator) async fn examine(&self, ratio: AspectRatio) -> Vec<Check> {
        let account = match self.account().await {
            Ok(account) => Check::ok(format!("Replicate accepts the token of {}", account.username)),
            // A proxy may have no such address.
            Err(Failure::Unknown(_)) => Check::warning(
                "the server at REPLICATE_BASE_URL doesn't tell whose token it is",
                "see that it is Replicate's address, or that of a proxy for it",
            ),
            Err(failure) => return vec![ServiceError::of::<Self>(failure).to_check()],
        };
        let model = match self.examine_model(ratio).await {
            Ok(()) => Check::ok(format!("{} at Replicate generates images from a base image", self.model)),
            Err(failure) => ServiceError::of::<Self>(failure).to_check(),
        };
        vec![account, model]
    }

    async fn account(&self) -> Result<Account, Failure> {
        let request = self.http.client().get(self.url("v1/account")?).timeout(POLL_TIMEOUT);
        self.request(request, MAX_RESPONSE_BYTES).await
    }

    /// Also looks up models of the table, which may have been renamed or removed.
    async fn examine_model(&self, ratio: AspectRatio) -> Result<(), Failure> {
        if known(&self.model).is_some() {
            self.look_up::<Value>(&format!("v1/models/{}", self.model.name)).await?;
        }
        self.check(ratio).await
    }
}
