//! One judging of a set: which sheets are shown, and what follows from each answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::assessment::Observation;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use image::RgbImage;
use tokio::time::Instant;
use tracing::warn;

use super::answer::Said;
use super::cost::estimate;
use super::error::OpenAiError;
use super::looks::Looks;
use super::purse::Purse;
use super::sheet::{Look, Sheet};
use super::{OpenAi, Shown};
use crate::vision::VisionMode;
use crate::vision::{Seen, Tell, Word};

/// Sheets that are shown at the same time.
const SIDE_BY_SIDE: usize = 4;

/// How long a session may begin new requests, at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a session takes in all, at most. Together with the reading of the sets this must fit into a function's
/// timeout; `tests/template` checks the sum.
const LONGEST_ASKING: Duration = Duration::from_secs(245);

/// How long a session may begin new requests if each may take `timeout`: the last one must end within the function's
/// time.
#[must_use]
pub fn patience(timeout: Duration) -> Duration {
    PATIENCE.min(LONGEST_ASKING.saturating_sub(timeout))
}

/// One judging of a set.
pub(super) struct Session<'a> {
    model: &'a OpenAi,
    images: Arc<[Arc<RgbImage>]>,
    looks: Vec<Looks>,
    purse: &'a Purse,
    deadline: Instant,
    /// Whether any sheet was shown.
    has_asked: bool,
    /// Who writes down what is said of each image.
    tell: Tell,
    /// Why no more is asked.
    stopped: Option<OpenAiError>,
}

impl<'a> Session<'a> {
    pub(super) fn new(model: &'a OpenAi, images: Vec<Arc<RgbImage>>, tell: Tell, purse: &'a Purse) -> Self {
        Self {
            model,
            looks: vec![Looks::default(); images.len()],
            images: images.into(),
            purse,
            deadline: Instant::now() + patience(model.config.timeout),
            has_asked: false,
            tell,
            stopped: None,
        }
    }

    /// Shows every image as often as configured, and once more those whose kind is disputed.
    pub(super) async fn judge(&mut self, seed: &str) {
        // What would be left half done for want of money is not begun.
        if let Err(error) =
            self.purse.fill(estimate(self.images.len(), &self.model.config, &self.model.form().await)).await
        {
            self.stopped = Some(error);
            return;
        }
        let mode = self.model.config.mode;
        let all: Vec<usize> = (0..self.images.len()).collect();
        let sheets = Sheet::all(&all, mode, Look::First, seed);
        // Page by page, so that whenever the time is up some images are done, and the next evaluation has fewer.
        let sheets = match self.model.config.passes {
            0 | 1 => sheets,
            _ => sheets.into_iter().flat_map(|sheet| [sheet.reordered(Look::Second), vec![sheet]].concat()).collect(),
        };
        self.show(sheets).await;
        let undecided: Vec<usize> = all.into_iter().filter(|&image| self.looks[image].are_undecided()).collect();
        self.show(Sheet::all(&undecided, VisionMode::Individual, Look::Deciding, &format!("{seed}/deciding"))).await;
    }

    /// What was seen, and what it cost.
    pub(super) async fn seen(self) -> Seen {
        let passes = self.model.config.passes;
        let images: Vec<_> = self.looks.into_iter().map(|looks| looks.joined(passes)).collect();
        let interrupted = match self.stopped {
            // Going on at once would begin where this began, for ever.
            Some(OpenAiError::OutOfTime) if self.has_asked && images.iter().all(Result::is_err) => {
                let asked_for = patience(self.model.config.timeout);
                let said = format!("of its answers in {} s none could be used", asked_for.as_secs());
                Some(OpenAiError::Unavailable { said, asked: None })
            }
            stopped => stopped,
        };
        Seen { images, cost: self.purse.spent().await, interrupted: interrupted.map(Into::into) }
    }

    /// Shows sheets, and what follows from their answers, a few at a time. What is under way when the service can't
    /// be asked any more is still waited for, because it is paid for.
    async fn show(&mut self, sheets: Vec<Sheet>) {
        let (model, purse) = (self.model, self.purse);
        let mut waiting = VecDeque::from(sheets);
        let mut shown = FuturesUnordered::new();
        loop {
            if Instant::now() >= self.deadline && !waiting.is_empty() {
                self.stopped.get_or_insert(OpenAiError::OutOfTime);
            }
            while self.stopped.is_none()
                && shown.len() < SIDE_BY_SIDE
                && let Some(sheet) = waiting.pop_front()
            {
                let mut parts = sheet.parts(model.form().await.most_images()).into_iter();
                let Some(sheet) = parts.next() else { continue };
                parts.rev().for_each(|part| waiting.push_front(part));
                self.has_asked = true;
                shown.push(model.show(sheet, Arc::clone(&self.images), self.deadline, purse));
            }
            let Some(Shown { sheet, said }) = shown.next().await else { return };
            match said {
                Ok(said) => waiting.extend(self.note(&sheet, said)),
                Err(error) => {
                    self.stopped.get_or_insert(error);
                }
            }
        }
    }

    /// Notes what a look showed. Once all looks at an image agree, more of them can't change what is said of it.
    fn note_look(&mut self, image: usize, look: Look, observation: Observation) {
        self.looks[image].note(look, observation);
        if let Ok(joined) = self.looks[image].clone().joined(self.model.config.passes) {
            // Whether anybody listens is their business.
            let _ = self.tell.send(Word::Judged(image, joined));
        }
    }

    /// Notes an answer, and says what must be shown because of it.
    fn note(&mut self, sheet: &Sheet, said: Said) -> Vec<Sheet> {
        let (follow_up, images, problem) = match said {
            Said::Judged(mut judged) => {
                let mut unjudged = Vec::new();
                for cell in &sheet.page.cells {
                    match judged.remove(&cell.number) {
                        Some(observation) => self.note_look(cell.image, sheet.look, observation),
                        None => unjudged.push(cell.image),
                    }
                }
                (
                    sheet.again(&unjudged),
                    unjudged,
                    "the model gave no judgement of it, or more than one, each time it was asked".to_owned(),
                )
            }
            Said::Refused(why) => (sheet.halves(), sheet.images(), format!("the model refuses to judge it ({why})")),
            Said::TooManyImages(most) => {
                return sheet.clone().parts(Some(most));
            }
            Said::TooLong => {
                (sheet.halves(), sheet.images(), "even alone it makes the model's answer too long".to_owned())
            }
        };
        if follow_up.is_empty() {
            for image in images {
                warn!(image, problem, "stays unassessed");
                self.looks[image].give_up(&problem);
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
        let purse = Purse::new(tell.clone());
        let mut session = Session { deadline: Instant::now(), ..Session::new(&model, images, tell, &purse) };
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
        let purse = Purse::new(tell.clone());
        let fresh = || Session::new(&model, vec![Arc::new(RgbImage::new(64, 64))], tell.clone(), &purse);
        let session = Session { has_asked: true, stopped: Some(OpenAiError::OutOfTime), ..fresh() };
        let error = session.seen().await.interrupted.unwrap();
        assert_eq!((error.pause(), error.outage()), (None, Some(None)));

        let mut session = Session { has_asked: true, stopped: Some(OpenAiError::OutOfTime), ..fresh() };
        let seen = Observation { kind: Kind::Photorealistic, quality: 8, flags: Vec::new(), reason: String::new() };
        session.looks[0].note(Look::First, seen.clone());
        session.looks[0].note(Look::Second, seen);
        assert_eq!(session.seen().await.interrupted.unwrap().outage(), None, "what was seen is kept");
    }
}
