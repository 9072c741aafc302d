//! Has the images observed by a vision model.

use std::sync::Arc;

use anyhow::{Context, bail};
use aws::SdkConfig;
use domain::assessment::Observation;
use domain::files::images_in_words;
use domain::manifest::{Observer, ReferenceId};
use domain::money::MicroUsd;
use providers::vision::{AssessmentEvent, Pictures, VisionConfig, VisionModel, highest_price};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Set;
use crate::outcome::remark;
use crate::pictures::Picture;
use crate::progress::Progress;

/// The seed of the images' order on the pages.
const SEED: &str = "assess";

/// The observation of each image of a set, or why there is none. Asks a paid model only for images without a recorded
/// observation, and states the price before.
pub(super) async fn observe(config: VisionConfig, set: &Set) -> anyhow::Result<Vec<Result<Observation, String>>> {
    let is_paid = matches!(config, VisionConfig::OpenAi(_));
    let model = VisionModel::new(config.clone(), &SdkConfig::builder().build()).await;
    let model = model.context("the vision model can't be used")?;
    let is_always_shown = model.always_shows_reference();
    let reference = set.base.as_ref().map(|base| ReferenceId { digits: base.id.clone(), is_always_shown });
    let observer = Observer { model: model.name(), reference: reference.as_ref() };
    let recorded = |picture: &Picture| set.recorded_observation(picture, observer).filter(|_| is_paid);
    let known: Vec<Option<Observation>> = set.pictures.iter().map(recorded).collect();
    let new: Vec<&Picture> =
        set.pictures.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(picture, _)| picture).collect();
    if new.len() < set.pictures.len() {
        let count = images_in_words(set.pictures.len() - new.len());
        remark(format!("the manifest has an assessment of {count} by {}, which costs nothing", model.name()));
    }
    let observed = if new.is_empty() { Vec::new() } else { ask(&config, &model, &new, set).await };
    if let Some(Err(reason)) =
        observed.iter().find(|_| observed.len() == known.len() && observed.iter().all(Result::is_err))
    {
        bail!("no image is assessed: {reason}");
    }
    let mut observed = observed.into_iter();
    let unasked = || Err("the vision model gave no answer".to_owned());
    Ok(known.into_iter().map(|known| known.map_or_else(|| observed.next().unwrap_or_else(unasked), Ok)).collect())
}

async fn ask(
    config: &VisionConfig,
    model: &VisionModel,
    pictures: &[&Picture],
    set: &Set,
) -> Vec<Result<Observation, String>> {
    let price = highest_price(pictures.len(), set.base.is_some(), config);
    if price > MicroUsd::ZERO {
        let cost = if pictures.len() == 1 { "costs" } else { "cost" };
        remark(format!(
            "{} {cost} at most {price} to assess, unless the service must be asked again; the result is shown, not stored",
            images_in_words(pictures.len())
        ));
    }
    let images = pictures.iter().map(|picture| Arc::clone(&picture.preview)).collect();
    let progress = Progress::start("assessing images", pictures.len() as u64);
    let (sender, events) = unbounded_channel();
    let shown = Pictures { images, reference: set.base.as_ref().map(|base| Arc::clone(&base.picture)) };
    let (batch, ()) = tokio::join!(model.assess(shown, SEED, sender), follow(events, &progress));
    progress.finish();
    if price > MicroUsd::ZERO {
        remark(format!("the assessment has cost {}", batch.cost));
    }
    if let Some(error) = batch.interrupted {
        remark(format!("the assessment is incomplete: {error}"));
    }
    batch.images
}

/// Shows the progress, and grants each reservation: the price was stated before.
async fn follow(mut events: UnboundedReceiver<AssessmentEvent>, progress: &Progress) {
    while let Some(event) = events.recv().await {
        match event {
            AssessmentEvent::Assessed(..) => progress.step(),
            // The model may have stopped waiting for the answer.
            AssessmentEvent::ReservationNeeded { granted, .. } => drop(granted.send(true)),
        }
    }
}
