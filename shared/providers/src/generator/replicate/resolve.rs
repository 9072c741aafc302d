//! Finds out how to request an image from the configured model.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::inputs::{Inputs, known};
use super::schema::inputs_of;
use super::{MAX_RESPONSE_BYTES, Replicate};
use crate::generator::failure::Failure;

/// The time limit of a look-up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// How to request an image from the configured model.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) inputs: Inputs,
    /// The version to request. Official models are requested by their name only.
    pub(super) version: Option<String>,
}

/// A model at Replicate.
#[derive(Deserialize)]
struct ModelAnswer {
    #[serde(default)]
    is_official: Option<bool>,
    latest_version: Option<VersionAnswer>,
}

/// A version of a model.
#[derive(Deserialize)]
struct VersionAnswer {
    id: String,
    #[serde(default)]
    openapi_schema: Value,
}

impl Replicate {
    /// How to request an image. A failure is not kept, so the next call asks again.
    pub(super) async fn resolved(&self) -> Result<&Resolved, Failure> {
        self.resolved.get_or_try_init(|| self.resolve()).await
    }

    async fn resolve(&self) -> Result<Resolved, Failure> {
        if let Some(inputs) = known(&self.model) {
            return Ok(Resolved { inputs: inputs.clone(), version: None });
        }
        let name = &self.model.name;
        let (is_official, version) = match &self.model.version {
            Some(version) => (false, self.look_up(&format!("v1/models/{name}/versions/{version}")).await?),
            None => {
                let model: ModelAnswer = self.look_up(&format!("v1/models/{name}")).await?;
                let version = model.latest_version.ok_or_else(|| self.unusable("it has no version to run"))?;
                (model.is_official == Some(true), version)
            }
        };
        let inputs = inputs_of(&version.openapi_schema).map_err(|problem| self.unusable(&problem))?;
        Ok(Resolved { inputs, version: (!is_official).then_some(version.id) })
    }

    pub(super) async fn look_up<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, Failure> {
        let request = self.http.client().get(self.url(path)?).timeout(LOOKUP_TIMEOUT);
        self.request(request, MAX_RESPONSE_BYTES).await.map_err(|error| match error {
            Failure::Unknown(answer) => self.unusable(&format!("Replicate does not know it ({answer})")),
            error => error,
        })
    }

    fn unusable(&self, problem: &str) -> Failure {
        Failure::UnusableModel { model: self.model.to_string(), problem: problem.to_owned() }
    }
}
