//! One assessment session: the batches that it shows, and its response to each answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::assessment::Observation;
use domain::content::NotCompared;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;
use tracing::warn;

use super::answer::{Answer, Judgements, ReferenceFault};
use super::cost::estimate;
use super::cost_reservation::CostReservation;
use super::error::OpenAiError;
use super::image_batch::{ImageBatch, Pass};
use super::merged_passes::MergedPasses;
use super::{Answered, OpenAi};
use crate::vision::VisionMode;
use crate::vision::{AssessmentBatch, AssessmentEvent, EventSender, Pictures};

const MAX_CONCURRENT_REQUESTS: usize = 4;

/// How long a session may begin new requests, at most.
const TIME_BUDGET: Duration = Duration::from_secs(120);

/// The longest duration of a session. The inventory and the session must fit into the function's timeout;
/// `tests/template` checks the sum.
const MAX_DURATION: Duration = Duration::from_secs(245);

/// How long a session may begin new requests if each may take `timeout`: the last one must end within the function's
/// time.
#[must_use]
pub fn time_budget(timeout: Duration) -> Duration {
    TIME_BUDGET.min(MAX_DURATION.saturating_sub(timeout))
}

/// One assessment session.
pub(super) struct Session<'a> {
    model: &'a OpenAi,
    pictures: Arc<Pictures>,
    /// The observations of each image.
    merged: Vec<MergedPasses>,
    reservation: &'a CostReservation,
    deadline: Instant,
    has_sent_requests: bool,
    events: EventSender,
    /// The error after which the session begins no request.
    stopped: Option<OpenAiError>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        model: &'a OpenAi,
        pictures: Pictures,
        events: EventSender,
        reservation: &'a CostReservation,
    ) -> Self {
        Self {
            model,
            merged: vec![MergedPasses::default(); pictures.images.len()],
            pictures: Arc::new(pictures),
            reservation,
            deadline: Instant::now() + time_budget(model.config.timeout),
            has_sent_requests: false,
            events,
            stopped: None,
        }
    }

    /// Shows every image in each configured pass, and images whose kind is disputed in a deciding pass.
    pub(super) async fn assess(&mut self, seed: &str) {
        // The price of the whole session first: the session begins nothing that a budget would interrupt.
        let has_reference = self.pictures.reference.is_some();
        let price = estimate(self.merged.len(), has_reference, &self.model.config, &self.model.form().await);
        if let Err(error) = self.reservation.reserve(price).await {
            self.stopped = Some(error);
            return;
        }
        let mode = self.model.config.mode;
        let all: Vec<usize> = (0..self.merged.len()).collect();
        let batches = ImageBatch::all(&all, mode, Pass::First, has_reference, seed);
        // Both passes page by page: whenever the time is up, some images are complete, and the next session has fewer.
        let batches = match self.model.config.passes {
            0 | 1 => batches,
            _ => batches.into_iter().flat_map(|batch| [batch.reordered(Pass::Second), vec![batch]].concat()).collect(),
        };
        self.show(batches).await;
        let disputed: Vec<usize> = all.into_iter().filter(|&image| self.merged[image].is_disputed()).collect();
        let seed = format!("{seed}/deciding");
        self.show(ImageBatch::all(&disputed, VisionMode::Individual, Pass::Deciding, false, &seed)).await;
    }

    /// The session's result.
    pub(super) async fn finish(self) -> AssessmentBatch {
        let passes = self.model.config.passes;
        let images: Vec<_> = self.merged.into_iter().map(|merged| merged.observation(passes)).collect();
        let interrupted = match self.stopped {
            // An immediate retry would start from the same point, without end.
            Some(OpenAiError::OutOfTime) if self.has_sent_requests && images.iter().all(Result::is_err) => {
                let seconds = time_budget(self.model.config.timeout).as_secs();
                let message = format!("it gave no usable answer in {seconds} s");
                Some(OpenAiError::Unavailable { message, retry_after: None })
            }
            stopped => stopped,
        };
        AssessmentBatch { images, cost: self.reservation.spent().await, interrupted: interrupted.map(Into::into) }
    }

    /// Shows batches and the follow-ups of their answers, a few at a time. When the session stops, it still waits for
    /// the running requests, because they are paid for.
    async fn show(&mut self, batches: Vec<ImageBatch>) {
        let (model, reservation) = (self.model, self.reservation);
        let mut waiting = VecDeque::from(batches);
        let mut running = FuturesUnordered::new();
        loop {
            if Instant::now() >= self.deadline && !waiting.is_empty() {
                self.stopped.get_or_insert(OpenAiError::OutOfTime);
            }
            while self.stopped.is_none()
                && running.len() < MAX_CONCURRENT_REQUESTS
                && let Some(batch) = waiting.pop_front()
            {
                let mut parts = batch.parts(model.form().await.max_images()).into_iter();
                let Some(batch) = parts.next() else { continue };
                parts.rev().for_each(|part| waiting.push_front(part));
                self.has_sent_requests = true;
                running.push(model.show(batch, Arc::clone(&self.pictures), self.deadline, reservation));
            }
            let Some(Answered { batch, answer }) = running.next().await else { return };
            match answer {
                Ok(answer) => waiting.extend(self.record(&batch, answer)),
                Err(error) => {
                    self.stopped.get_or_insert(error);
                }
            }
        }
    }

    /// Why the images of this batch were not compared with the base image, if there is one.
    fn not_compared(&self, batch: &ImageBatch, fault: Option<ReferenceFault>) -> Option<NotCompared> {
        if batch.page.has_reference {
            return fault.map(NotCompared::from);
        }
        self.pictures.reference.as_ref().map(|_| NotCompared::OnePicture)
    }

    /// Records an answer, and returns the batches that must be shown because of it.
    fn record(&mut self, batch: &ImageBatch, answer: Answer) -> Vec<ImageBatch> {
        let (follow_up, images, problem) = match answer {
            Answer::TooManyImages(max) => return batch.clone().parts(Some(max)),
            Answer::Assessed(Judgements { mut observations, reference_fault }) => {
                let not_compared = self.not_compared(batch, reference_fault);
                let mut missing = Vec::new();
                for cell in &batch.page.cells {
                    match observations.remove(&cell.number) {
                        Some(mut observation) => {
                            if not_compared.is_some() || !batch.page.has_reference {
                                let content = &mut observation.content;
                                (content.same_character, content.not_compared) = (None, not_compared);
                            }
                            self.record_observation(cell.image, batch.pass, observation);
                        }
                        None => missing.push(cell.image),
                    }
                }
                let problem = "no answer contained exactly one valid entry for it".to_owned();
                (batch.repeated(&missing), missing, problem)
            }
            Answer::Refused(why) => (batch.halves(), batch.images(), format!("the model refuses to assess it ({why})")),
            Answer::TooLong => {
                (batch.halves(), batch.images(), "the model's answer is too long even for this image alone".to_owned())
            }
        };
        if follow_up.is_empty() {
            for image in images {
                warn!(image, problem, "image stays unassessed");
                self.merged[image].abandon(&problem);
            }
        }
        follow_up
    }

    /// Once the passes of an image suffice, further ones can't change its observation, so it is final.
    fn record_observation(&mut self, image: usize, pass: Pass, observation: Observation) {
        self.merged[image].record(pass, observation);
        if let Ok(observation) = self.merged[image].clone().observation(self.model.config.passes) {
            // The receiver may be gone: the result contains every observation too.
            let _ = self.events.send(AssessmentEvent::Assessed(image, observation));
        }
    }
}

#[cfg(test)]
mod tests {
    use aws::secrets::Secret;
    use domain::content::Content;
    use domain::disposition::Disposition;
    use domain::kind::Kind;
    use domain::money::MicroUsd;
    use image::RgbImage;
    use tokio::sync::mpsc;

    use super::*;
    use crate::vision::OpenAiConfig;
    use crate::vision::VisionError;

    /// A model at an address without a server.
    async fn model() -> OpenAi {
        let config = OpenAiConfig {
            base_url: "http://127.0.0.1:1".to_owned(),
            key: Secret::Given("sk".into()),
            model: "vision-1".to_owned(),
            reasoning_effort: None,
            mode: VisionMode::Grid,
            passes: 2,
            timeout: Duration::from_secs(1),
            usd_per_million_input_tokens: MicroUsd::ZERO,
            usd_per_million_output_tokens: MicroUsd::ZERO,
        };
        OpenAi::new(config, &aws::SdkConfig::builder().build()).await.unwrap()
    }

    fn pictures(count: usize) -> Pictures {
        let images = (0..count).map(|_| Arc::new(RgbImage::new(64, 64))).collect();
        Pictures { images, reference: None }
    }

    #[tokio::test]
    async fn out_of_time_sends_no_request() {
        let model = model().await;
        let pictures = pictures(3);
        let (events, _receiver) = mpsc::unbounded_channel();
        let reservation = CostReservation::new(events.clone());
        let mut session = Session { deadline: Instant::now(), ..Session::new(&model, pictures, events, &reservation) };
        session.assess("plan").await;
        let batch = session.finish().await;
        assert!(matches!(batch.interrupted, Some(VisionError::OpenAi(OpenAiError::OutOfTime))));
        let disposition = batch.interrupted.unwrap().disposition();
        assert_eq!(disposition, Disposition::RetryAfter(Duration::from_secs(1)));
        assert!(batch.images.iter().all(Result::is_err) && batch.cost == MicroUsd::ZERO);
    }

    #[tokio::test]
    async fn out_of_time_without_an_observation_is_an_outage() {
        let model = model().await;
        let (events, _receiver) = mpsc::unbounded_channel();
        let reservation = CostReservation::new(events.clone());
        let fresh = || Session::new(&model, pictures(1), events.clone(), &reservation);
        let out_of_time = || Session { has_sent_requests: true, stopped: Some(OpenAiError::OutOfTime), ..fresh() };
        let error = out_of_time().finish().await.interrupted.unwrap();
        assert_eq!(error.disposition(), Disposition::Outage { retry_after: None });

        let mut session = out_of_time();
        let seen = Observation {
            kind: Kind::Photorealistic,
            quality: 8,
            flags: Vec::new(),
            reason: String::new(),
            content: Content::default(),
        };
        session.merged[0].record(Pass::First, seen.clone());
        session.merged[0].record(Pass::Second, seen);
        let error = session.finish().await.interrupted.unwrap();
        assert_eq!(error.disposition(), Disposition::RetryAfter(Duration::from_secs(1)), "progress was made");
    }
}
