//! ComfyUI: the client uploads the reference image, queues the user's workflow with its placeholders filled, polls the
//! history, and fetches the image.
//!
//! The client chooses the id of a prompt, as a function of the seed. So the prompt of a lost response is found by its id.
//! ComfyUI executes a prompt that it receives twice two times, and keeps its queue and its history in memory: after a
//! restart it knows no earlier prompt. It answers requests from web pages of other origins with 403; the client sends no
//! `Origin`.

mod answer;
mod file;
mod inspection;
mod mapping;
mod object_info;
mod placeholders;
mod ready;
mod requests;
mod workflow;

use std::time::Duration;

use aws::SdkConfig;
use domain::format::{AspectRatio, Megapixels};
use domain::money::MicroUsd;
use imaging::sha256;
use jiff::SignedDuration;
use reqwest::multipart::{Form, Part};
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

use super::failure::{Failure, ServiceNames};
use super::output::to_jpeg;
use super::reference::{MAX_JPEG_BYTES, jpeg};
use super::service::{Created, Found, Lost, Prediction, Service};
use super::{ComfyUiConfig, Price, Request};
use crate::checks::Remedy;
use crate::http::BoundedClient;
use answer::{CHOSEN_OUTPUT, History, Queue, Queued, Uploaded, is_web_page, rejection};
pub use file::FileLocation;
use file::UserFile;
use placeholders::Values;
use ready::Ready;

/// The time limit of a large response: the kinds of nodes, or an image.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The time limit of a creation or an upload. ComfyUI answers slowly while it loads a model.
const CREATION_TIMEOUT: Duration = Duration::from_secs(30);

/// ComfyUI has queued a prompt at most this long after its request, or never will.
const QUEUED_WITHIN: SignedDuration = SignedDuration::from_secs(CREATION_TIMEOUT.as_secs().cast_signed() + 5);

/// The time limit of a poll.
const POLL_TIMEOUT: Duration = Duration::from_secs(20);

/// The size limit of a response. The kinds of nodes of many extensions have some megabytes, and the queue contains a
/// workflow for each prompt.
const MAX_RESPONSE_BYTES: usize = 128 * 1024 * 1024;

/// The name under which ComfyUI knows this client.
const CLIENT: &str = "balancer";

/// A client of ComfyUI.
#[derive(Debug)]
pub struct ComfyUi {
    http: BoundedClient,
    base: Url,
    workflow: UserFile,
    mapping: Option<UserFile>,
    /// The workflow, once it has passed the checks.
    ready: OnceCell<Ready>,
    price: Price,
}

/// A request for an image.
#[derive(Debug)]
pub struct Creation {
    body: Value,
}

impl Service for ComfyUi {
    const NAMES: ServiceNames = ServiceNames {
        service: "ComfyUI",
        key: "COMFYUI_URL",
        base_url: "COMFYUI_URL",
        model: "COMFYUI_WORKFLOW",
        usable_model: "a workflow in API form that generates an image from a prompt and a reference image",
        billing: "add some to the account that a node of the workflow uses",
    };

    /// A queue of the user's own prompts may be long, and a small GPU slow.
    const MAX_RUN: SignedDuration = SignedDuration::from_hours(12);

    type Creation = Creation;

    fn price(&self, size: Megapixels) -> MicroUsd {
        self.price.of(size)
    }

    /// As many as the workflow has placeholders for.
    async fn max_references(&self) -> Result<usize, Failure> {
        Ok(self.ready().await?.placeholders.references())
    }

    /// Reads the workflow and asks ComfyUI about its nodes, once in a process.
    async fn check(&self, _: AspectRatio) -> Result<(), Failure> {
        self.ready().await.map(|_| ())
    }

    async fn prepare(&self, request: &Request) -> Result<Creation, Failure> {
        let Ready { workflow, placeholders } = self.ready().await?;
        let mut references = Vec::new();
        for image in request.references().take(placeholders.references()) {
            references.push(self.upload(jpeg(image, MAX_JPEG_BYTES).await?).await?);
        }
        let size = request.format.pixels();
        let values = Values { prompt: &request.prompt, seed: request.seed, references: &references, size };
        let filled = workflow.filled(placeholders.values(&values));
        let body = json!({
            "prompt": filled,
            "prompt_id": prompt_id(request.seed),
            "client_id": CLIENT,
            "extra_data": { CHOSEN_OUTPUT: placeholders.output },
        });
        Ok(Creation { body })
    }

    async fn create(&self, creation: &Creation) -> Result<Created, Failure> {
        let request = self.http.client().post(self.url("prompt")?).timeout(CREATION_TIMEOUT).json(&creation.body);
        let response = self.send(request).await?;
        if response.status == StatusCode::BAD_REQUEST
            && let Some(reason) = rejection(&response.body)
        {
            return Err(Failure::Misconfigured {
                problem: format!("ComfyUI rejects the workflow {}: {reason}", self.workflow.name()),
                remedy: Remedy {
                    action: "correct it".to_owned(),
                    then: ", restart the functions, then `balancer redrive`",
                },
            });
        }
        let queued: Queued = self.read(self.accepted(response)?)?;
        // A version that does not let the client choose the id returns its own.
        Ok(Created::Prediction(queued.prompt_id))
    }

    async fn find(&self, lost: Lost, until: Instant) -> Result<Found, Failure> {
        let id = prompt_id(lost.seed);
        let known = tokio::time::timeout_at(until, self.result_of(&id)).await.map_err(|_| Failure::Unavailable {
            message: "its history can't be read in time".to_owned(),
            retry_after: None,
        })??;
        let age = lost.now.duration_since(lost.at);
        Ok(match known {
            Some(_) => Found::Prediction(id),
            None if age < QUEUED_WITHIN => Found::NotYet(Duration::try_from(QUEUED_WITHIN - age).unwrap_or_default()),
            None => Found::Nothing,
        })
    }

    async fn poll(&self, id: &str) -> Result<Prediction, Failure> {
        Ok(self.result_of(id).await?.unwrap_or_else(|| {
            Prediction::Interrupted(
                "ComfyUI no longer knows the image, because it was restarted, or its queue or history was cleared"
                    .to_owned(),
            )
        }))
    }

    /// An image that is missing has been deleted and will not appear, so it counts as damaged.
    async fn fetch(&self, output: &str) -> Result<Option<Vec<u8>>, Failure> {
        let response = self.send(self.http.client().get(self.url(output)?)).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Err(Failure::NotDelivered(response.status));
        }
        let response = self.accepted(response)?;
        if is_web_page(&response.body) {
            return Err(Failure::Unreadable(self.web_page()));
        }
        to_jpeg(response.body).await.map(Some)
    }
}

impl ComfyUi {
    /// # Errors
    /// If the base URL is invalid.
    pub(super) fn new(config: ComfyUiConfig, sdk: &SdkConfig) -> Result<Self, Failure> {
        let base = Url::parse(&config.base_url).map_err(|error| Failure::no_address("COMFYUI_URL", error))?;
        let file = |variable, location| UserFile::new(variable, location, config.bucket.as_deref(), sdk);
        Ok(Self {
            http: BoundedClient::new(TIMEOUT, MAX_RESPONSE_BYTES)?,
            base,
            workflow: file("COMFYUI_WORKFLOW", config.workflow),
            mapping: config.mapping.map(|location| file("COMFYUI_MAPPING", location)),
            ready: OnceCell::new(),
            price: config.price,
        })
    }

    /// How a prompt has ended, or that it runs or waits; `None` if ComfyUI does not know it.
    ///
    /// A prompt moves from the queue to the history, so one that ends between the first two requests is found by the
    /// third.
    async fn result_of(&self, id: &str) -> Result<Option<Prediction>, Failure> {
        if let Some(ended) = self.ended(id).await? {
            return Ok(Some(ended));
        }
        let queue: Queue = self.get("queue", POLL_TIMEOUT).await?;
        if queue.contains(id) {
            return Ok(Some(Prediction::Running));
        }
        self.ended(id).await
    }

    async fn ended(&self, id: &str) -> Result<Option<Prediction>, Failure> {
        let history: History = self.get(&format!("history/{id}"), POLL_TIMEOUT).await?;
        Ok(history.result_of(id))
    }

    /// Uploads a JPEG, and returns the value of an input that loads it.
    ///
    /// The name follows from the content. ComfyUI keeps an equal file and renames a different one. It would empty the
    /// file before it overwrites it, while another prompt may be loading it.
    async fn upload(&self, jpeg: Vec<u8>) -> Result<String, Failure> {
        let name = format!("balancer-{}.jpg", &sha256(&jpeg)[..16]);
        let file = Part::bytes(jpeg).file_name(name).mime_str("image/jpeg");
        let file = file.map_err(|error| Failure::Rejected(error.to_string()))?;
        let form = Form::new().part("image", file).text("type", "input");
        let request = self.http.client().post(self.url("upload/image")?).timeout(CREATION_TIMEOUT).multipart(form);
        let uploaded: Uploaded = self.read(self.accepted(self.send(request).await?)?)?;
        Ok(uploaded.reference())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, timeout: Duration) -> Result<T, Failure> {
        self.read(self.accepted(self.send(self.http.client().get(self.url(path)?).timeout(timeout)).await?)?)
    }
}

/// The id of the prompt with this seed, which belongs to one slot and attempt only. ComfyUI requires a UUID.
fn prompt_id(seed: u32) -> String {
    let digest = Sha256::digest(format!("balancer/{seed}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes).to_string()
}
