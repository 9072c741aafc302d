//! The services that generate images outside this process. Each implements [`Service`].

use std::time::Duration;

use domain::format::{AspectRatio, Megapixels};
use domain::money::MicroUsd;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::failure::{Failure, ServiceNames};
use super::{Request, ServiceError};

/// The interval between polls during [`FAST_POLLING`]. Most predictions take six seconds.
const FAST_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The interval between later polls.
const SLOW_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How long polls follow each other quickly.
const FAST_POLLING: Duration = Duration::from_secs(15);

/// A service that generates images, for money or on the user's own machine.
///
/// A *creation* requests one image. A service either answers it with the image, or with the id of a *prediction*, which
/// the client polls and whose output it fetches. A handler may be interrupted after any call, and its successor continues
/// from the recorded state of the slot.
pub trait Service: Send + Sync {
    /// What operators call the service and its settings.
    const NAMES: ServiceNames;

    /// A prediction that runs or waits for longer is given up. Replicate ends one after half an hour.
    const MAX_RUN: SignedDuration = SignedDuration::from_mins(45);

    /// An encoded request for an image.
    type Creation: Send + Sync;

    /// The price of an image of this size.
    fn price(&self, size: Megapixels) -> MicroUsd;

    /// How many reference images a request may have.
    ///
    /// # Errors
    /// If the service can't be used or asked.
    fn max_references(&self) -> impl Future<Output = Result<usize, Failure>> + Send;

    /// Checks that the service can generate an image of this ratio from a base image, as far as that can be found out for
    /// free.
    ///
    /// # Errors
    /// If it can't, or can't be asked.
    fn check(&self, ratio: AspectRatio) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Encodes the request for an image.
    ///
    /// # Errors
    /// If the service can't be used or asked, or the base image can't be encoded.
    fn prepare(&self, request: &Request) -> impl Future<Output = Result<Self::Creation, Failure>> + Send;

    /// Requests an image.
    ///
    /// # Errors
    /// If the service can't be reached, or rejects the request. [`Failure::billed`] tells whether it may charge an image
    /// all the same.
    fn create(&self, creation: &Self::Creation) -> impl Future<Output = Result<Created, Failure>> + Send;

    /// Searches, until `until`, for the result of a creation that was requested at `lost.at` and not answered.
    ///
    /// # Errors
    /// If the service can't be reached, its answer is unreadable, or the time is up.
    fn find(&self, lost: Lost, until: Instant) -> impl Future<Output = Result<Found, Failure>> + Send;

    /// Asks once for the state of a prediction.
    ///
    /// # Errors
    /// If the service can't be reached, or its answer is unreadable.
    fn poll(&self, id: &str) -> impl Future<Output = Result<Prediction, Failure>> + Send;

    /// Fetches an output, and returns it as a JPEG that was decoded completely. `None` if nothing exists at its
    /// address.
    ///
    /// # Errors
    /// If the output can't be fetched, or is unusable.
    fn fetch(&self, output: &str) -> impl Future<Output = Result<Option<Vec<u8>>, Failure>> + Send;
}

/// The answer to a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The id of the prediction.
    Prediction(String),
    /// The image, as a JPEG that was decoded completely.
    Image(Vec<u8>),
    /// The service has carried out the request, and its answer has no usable image, for this reason.
    Unusable(String),
}

/// A creation whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct Lost {
    /// The seed of the request, which belongs to one slot and attempt only.
    pub seed: u32,
    /// The time just before the request.
    pub at: Timestamp,
    /// The present time.
    pub now: Timestamp,
}

/// The result of a search for a lost creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The id of its prediction.
    Prediction(String),
    /// The service has certainly not carried it out.
    Nothing,
    /// It is too early to tell. Search again after this time.
    NotYet(Duration),
    /// The service can't tell, for this reason. The image may have been charged.
    Unknowable(&'static str),
}

/// The state of a prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    Running,
    /// The output lies at this address.
    Succeeded(String),
    /// The service rejected the prompt or the image for its content, and will reject the same prompt again.
    ContentRejected(String),
    /// The service did not finish it, and does not charge it. The same request will succeed later.
    Interrupted(String),
    /// It failed for another reason, which the service reports and does not charge.
    Failed(String),
    /// It was stopped while it ran, which the service charges.
    Canceled(String),
    /// The service has removed the output.
    Gone,
    /// The service doesn't know the prediction, or names no output. The next poll may find them.
    Missing(&'static str),
}

impl ServiceError {
    /// A failure of this service.
    #[must_use]
    pub fn of<S: Service>(failure: Failure) -> Self {
        Self { names: const { &S::NAMES }, failure }
    }
}

/// Polls a prediction until it has ended, or until `until`, but at least once. [`Prediction::Running`] means that the
/// time is up.
///
/// # Errors
/// If the service can't be reached, or its answer is unreadable.
pub async fn wait_for(service: &impl Service, id: &str, until: Instant) -> Result<Prediction, Failure> {
    let began = Instant::now();
    loop {
        match service.poll(id).await? {
            Prediction::Running => {}
            ended => return Ok(ended),
        }
        let pause = if began.elapsed() < FAST_POLLING { FAST_POLL_INTERVAL } else { SLOW_POLL_INTERVAL };
        if Instant::now() + pause >= until {
            return Ok(Prediction::Running);
        }
        tokio::time::sleep(pause).await;
    }
}
