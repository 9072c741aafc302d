//! Has the images observed by a vision model.

use std::sync::Arc;

use anyhow::{Context, bail};
use aws::SdkConfig;
use domain::assessment::Observation;
use domain::files::images_in_words;
use domain::money::MicroUsd;
use image::RgbImage;
use providers::vision::{AssessmentEvent, Pictures, VisionConfig, VisionModel, highest_price};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::outcome::remark;
use crate::pictures::Picture;
use crate::progress::Progress;

/// The seed of the images' order on the pages.
const SEED: &str = "assess";

/// The observation of each image, or why there is none. States the price of a paid model before it begins.
pub(super) async fn observe(
    config: VisionConfig,
    pictures: &[Picture],
    base: Option<Arc<RgbImage>>,
) -> anyhow::Result<Vec<Result<Observation, String>>> {
    let price = highest_price(pictures.len(), base.is_some(), &config);
    if price > MicroUsd::ZERO {
        remark(format!(
            "{} cost at most {price} to assess, unless the service must be asked again",
            images_in_words(pictures.len())
        ));
    }
    let model = VisionModel::new(config, &SdkConfig::builder().build()).await;
    let model = model.context("the vision model can't be used")?;
    let images = pictures.iter().map(|picture| Arc::clone(&picture.preview)).collect();
    let progress = Progress::start("assessing images", pictures.len() as u64);
    let (sender, events) = unbounded_channel();
    let shown = Pictures { images, reference: base };
    let (batch, ()) = tokio::join!(model.assess(shown, SEED, sender), follow(events, &progress));
    progress.finish();
    if let Some(fault) = batch.reference_fault {
        remark(format!("the base image {fault}, so no image was compared with it"));
    }
    if price > MicroUsd::ZERO {
        remark(format!("the assessment has cost {}", batch.cost));
    }
    match batch.interrupted {
        Some(error) if batch.images.iter().all(Result::is_err) => bail!(error),
        Some(error) => remark(format!("the assessment is incomplete: {error}")),
        None => {}
    }
    Ok(batch.images)
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
