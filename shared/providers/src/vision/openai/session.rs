//! One judging of a set: which batches are shown, and what follows from each answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::assessment::Observation;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use image::RgbImage;
use tokio::time::Instant;
use tracing::warn;

use super::answer::Answer;
use super::cost::estimate;
use super::cost_reservation::CostReservation;
use super::error::OpenAiError;
use super::image_batch::{ImageBatch, Pass};
use super::merged_passes::MergedPasses;
use super::{Answered, OpenAi};
use crate::vision::VisionMode;
use crate::vision::{AssessmentBatch, AssessmentEvent, EventSender};

/// Sheets that are shown at the same time.
const SIDE_BY_SIDE: usize = 4;

/// How long a session may begin new requests, at most.
const TIME_BUDGET: Duration = Duration::from_secs(120);

/// How long a session takes in all, at most. Together with the reading of the sets this must fit into a function's
/// timeout; `tests/template` checks the sum.
const LONGEST_ASKING: Duration = Duration::from_secs(245);

/// How long a session may begin new requests if each may take `timeout`: the last one must end within the function's
/// time.
#[must_use]
pub fn time_budget(timeout: Duration) -> Duration {
    TIME_BUDGET.min(LONGEST_ASKING.saturating_sub(timeout))
}

/// One judging of a set.
pub(super) struct Session<'a> {
    model: &'a OpenAi,
    images: Arc<[Arc<RgbImage>]>,
    merged: Vec<MergedPasses>,
    reservation: &'a CostReservation,
    deadline: Instant,
    /// Whether any batch was shown.
    has_asked: bool,
    /// Who writes down what is said of each image.
    tell: EventSender,
    /// Why no more is asked.
    stopped: Option<OpenAiError>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        model: &'a OpenAi,
        images: Vec<Arc<RgbImage>>,
        tell: EventSender,
        reservation: &'a CostReservation,
    ) -> Self {
        Self {
            model,
            merged: vec![MergedPasses::default(); images.len()],
            images: images.into(),
            reservation,
            deadline: Instant::now() + time_budget(model.config.timeout),
            has_asked: false,
            tell,
            stopped: None,
        }
    }

    /// Shows every image as often as configured, and once more those whose kind is disputed.
    pub(super) async fn judge(&mut self, seed: &str) {
        // What would be left half done for want of money is not begun.
        if let Err(error) =
            self.reservation.fill(estimate(self.images.len(), &self.model.config, &self.model.form().await)).await
        {
            self.stopped = Some(error);
            return;
        }
        let mode = self.model.config.mode;
        let all: Vec<usize> = (0..self.images.len()).collect();
        let batches = ImageBatch::all(&all, mode, Pass::First, seed);
        // Page by page, so that whenever the time is up some images are done, and the next evaluation has fewer.
        let batches = match self.model.config.passes {
            0 | 1 => batches,
            _ => batches.into_iter().flat_map(|batch| [batch.reordered(Pass::Second), vec![batch]].concat()).collect(),
        };
        self.show(batches).await;
        let undecided: Vec<usize> = all.into_iter().filter(|&image| self.merged[image].are_undecided()).collect();
        self.show(ImageBatch::all(&undecided, VisionMode::Individual, Pass::Deciding, &format!("{seed}/deciding")))
            .await;
    }

    /// What was seen, and what it cost.
    pub(super) async fn seen(self) -> AssessmentBatch {
        let passes = self.model.config.passes;
        let images: Vec<_> = self.merged.into_iter().map(|merged| merged.joined(passes)).collect();
        let interrupted = match self.stopped {
            // Going on at once would begin where this began, for ever.
            Some(OpenAiError::OutOfTime) if self.has_asked && images.iter().all(Result::is_err) => {
                let asked_for = time_budget(self.model.config.timeout);
                let said = format!("of its answers in {} s none could be used", asked_for.as_secs());
                Some(OpenAiError::Unavailable { said, asked: None })
            }
            stopped => stopped,
        };
        AssessmentBatch { images, cost: self.reservation.spent().await, interrupted: interrupted.map(Into::into) }
    }

    /// Shows batches, and what follows from their answers, a few at a time. What is under way when the service can't
    /// be asked any more is still waited for, because it is paid for.
    async fn show(&mut self, batches: Vec<ImageBatch>) {
        let (model, reservation) = (self.model, self.reservation);
        let mut waiting = VecDeque::from(batches);
        let mut shown = FuturesUnordered::new();
        loop {
            if Instant::now() >= self.deadline && !waiting.is_empty() {
                self.stopped.get_or_insert(OpenAiError::OutOfTime);
            }
            while self.stopped.is_none()
                && shown.len() < SIDE_BY_SIDE
                && let Some(batch) = waiting.pop_front()
            {
                let mut parts = batch.parts(model.form().await.most_images()).into_iter();
                let Some(batch) = parts.next() else { continue };
                parts.rev().for_each(|part| waiting.push_front(part));
                self.has_asked = true;
                shown.push(model.show(batch, Arc::clone(&self.images), self.deadline, reservation));
            }
            let Some(Answered { batch, said }) = shown.next().await else { return };
            match said {
                Ok(said) => waiting.extend(self.note(&batch, said)),
                Err(error) => {
                    self.stopped.get_or_insert(error);
                }
            }
        }
    }

    /// Notes what a pass showed. Once all passes of an image agree, more of them can't change what is said of it.
    fn record_pass(&mut self, image: usize, pass: Pass, observation: Observation) {
        self.merged[image].note(pass, observation);
        if let Ok(joined) = self.merged[image].clone().joined(self.model.config.passes) {
            // Whether anybody listens is their business.
            let _ = self.tell.send(AssessmentEvent::Assessed(image, joined));
        }
    }

    /// Notes an answer, and says what must be shown because of it.
    fn note(&mut self, batch: &ImageBatch, said: Answer) -> Vec<ImageBatch> {
        let (follow_up, images, problem) = match said {
            Answer::Assessed(mut judged) => {
                let mut unjudged = Vec::new();
                for cell in &batch.page.cells {
                    match judged.remove(&cell.number) {
                        Some(observation) => self.record_pass(cell.image, batch.pass, observation),
                        None => unjudged.push(cell.image),
                    }
                }
                (
                    batch.again(&unjudged),
                    unjudged,
                    "the model gave no judgement of it, or more than one, each time it was asked".to_owned(),
                )
            }
            Answer::Refused(why) => (batch.halves(), batch.images(), format!("the model refuses to judge it ({why})")),
            Answer::TooManyImages(most) => {
                return batch.clone().parts(Some(most));
            }
            Answer::TooLong => {
                (batch.halves(), batch.images(), "even alone it makes the model's answer too long".to_owned())
            }
        };
        if follow_up.is_empty() {
            for image in images {
                warn!(image, problem, "stays unassessed");
                self.merged[image].give_up(&problem);
            }
        }
        follow_up
    }
}

#[cfg(test)]
mod tests {
    use aws::secrets::Secret;
    use domain::kind::Kind;
    use domain::money::MicroUsd;
    use tokio::sync::mpsc;

    use super::*;
    use crate::vision::OpenAiConfig;
    use crate::vision::VisionError;

    /// A model at an address that nobody listens at.
    async fn model() -> OpenAi {
        let config = OpenAiConfig {
            base_url: "http://127.0.0.1:1".to_owned(),
            key: Secret::Given("sk".into()),
            model: "eyes".to_owned(),
            reasoning_effort: None,
            mode: VisionMode::Grid,
            passes: 2,
            timeout: Duration::from_secs(1),
            usd_per_million_input_tokens: MicroUsd::ZERO,
            usd_per_million_output_tokens: MicroUsd::ZERO,
        };
        OpenAi::new(config, &aws::SdkConfig::builder().build()).await.unwrap()
    }

    #[tokio::test]
    async fn when_the_time_is_up_no_request_is_begun() {
        let model = model().await;
        let images = (0..3).map(|_| Arc::new(RgbImage::new(64, 64))).collect();
        let (tell, _told) = mpsc::unbounded_channel();
        let reservation = CostReservation::new(tell.clone());
        let mut session = Session { deadline: Instant::now(), ..Session::new(&model, images, tell, &reservation) };
        session.judge("plan").await;
        let seen = session.seen().await;
        assert!(matches!(seen.interrupted, Some(VisionError::OpenAi(OpenAiError::OutOfTime))));
        assert_eq!(seen.interrupted.unwrap().pause(), Some(Duration::from_secs(1)));
        assert!(seen.images.iter().all(Result::is_err) && seen.cost == MicroUsd::ZERO);
    }

    #[tokio::test]
    async fn when_the_time_is_up_and_nothing_was_judged_the_service_is_as_good_as_unavailable() {
        let model = model().await;
        let (tell, _told) = mpsc::unbounded_channel();
        let reservation = CostReservation::new(tell.clone());
        let fresh = || Session::new(&model, vec![Arc::new(RgbImage::new(64, 64))], tell.clone(), &reservation);
        let session = Session { has_asked: true, stopped: Some(OpenAiError::OutOfTime), ..fresh() };
        let error = session.seen().await.interrupted.unwrap();
        assert_eq!((error.pause(), error.outage()), (None, Some(None)));

        let mut session = Session { has_asked: true, stopped: Some(OpenAiError::OutOfTime), ..fresh() };
        let seen = Observation { kind: Kind::Photorealistic, quality: 8, flags: Vec::new(), reason: String::new() };
        session.merged[0].note(Pass::First, seen.clone());
        session.merged[0].note(Pass::Second, seen);
        assert_eq!(session.seen().await.interrupted.unwrap().outage(), None, "what was seen is kept");
    }
}
