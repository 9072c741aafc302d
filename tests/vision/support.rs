//! Helpers of these tests.

use std::sync::Arc;

use aws_config::SdkConfig;
use balancer_tests::coded::{Code, VARIANTS, coded_image};
use balancer_tests::openai::{VisionService, content};
use domain::assessment::Observation;
use domain::kind::Kind;
use domain::money::MicroUsd;
use image::RgbImage;
use providers::vision::VisionConfig;
use providers::vision::{AssessmentBatch, AssessmentEvent, Pictures, VisionModel};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The model with the stand-in's configuration and these additional variables.
pub(crate) async fn model(service: &VisionService, more: &[(&str, &str)]) -> VisionModel {
    model_of(service.config(more)).await
}

pub(crate) async fn model_of(config: VisionConfig) -> VisionModel {
    VisionModel::new(config, &SdkConfig::builder().build()).await.unwrap()
}

/// Distinct codes of mixed kinds and qualities.
pub(crate) fn codes(count: usize) -> Vec<Code> {
    let code = |index: usize| Code {
        kind: Kind::ALL[index % 3],
        quality: u8::try_from(index * 7 % 10).unwrap() + 1,
        variant: u32::try_from(index * 29 % VARIANTS as usize).unwrap(),
    };
    (0..count).map(code).collect()
}

pub(crate) fn pictures(codes: &[Code]) -> Vec<Arc<RgbImage>> {
    codes.iter().map(|&code| Arc::new(coded_image(code))).collect()
}

/// Assesses this number of images.
pub(crate) async fn assess(model: &VisionModel, count: usize, seed: &str) -> AssessmentBatch {
    assess_images(model, pictures(&codes(count)), seed).await
}

/// Assesses images without a budget.
pub(crate) async fn assess_images(model: &VisionModel, pictures: Vec<Arc<RgbImage>>, seed: &str) -> AssessmentBatch {
    assess_with_budget(MicroUsd(u64::MAX), model, pictures, seed).await.0
}

/// Assesses images, and grants reservations within a budget. Returns the granted amounts too.
pub(crate) async fn assess_with_budget(
    budget: MicroUsd,
    model: &VisionModel,
    pictures: Vec<Arc<RgbImage>>,
    seed: &str,
) -> (AssessmentBatch, Vec<MicroUsd>) {
    let (events, mut received) = unbounded_channel();
    let grant = async {
        let mut grants: Vec<MicroUsd> = Vec::new();
        while let Some(event) = received.recv().await {
            if let AssessmentEvent::ReservationNeeded { amount, granted } = event {
                let has_room = grants.iter().copied().sum::<MicroUsd>() + amount <= budget;
                grants.extend(has_room.then_some(amount));
                granted.send(has_room).unwrap();
            }
        }
        grants
    };
    let pictures = Pictures { images: pictures, reference: None };
    tokio::join!(model.assess(pictures, seed, events), grant)
}

/// Grants every reservation of a session.
pub(crate) async fn grant_everything(mut received: UnboundedReceiver<AssessmentEvent>) {
    while let Some(event) = received.recv().await {
        if let AssessmentEvent::ReservationNeeded { granted, .. } = event {
            granted.send(true).unwrap();
        }
    }
}

/// The observation that a code stands for.
pub(crate) fn true_observation(code: Code) -> Observation {
    let reason = format!("Variant {}.", code.variant);
    Observation { kind: code.kind, quality: code.quality, flags: Vec::new(), reason, content: content() }
}

/// Asserts that each image has its true observation, except those at `unassessed`.
pub(crate) fn assert_assessed_except(batch: &AssessmentBatch, count: usize, unassessed: &[usize]) {
    assert_eq!(batch.images.len(), count);
    for (index, (code, observation)) in codes(count).into_iter().zip(&batch.images).enumerate() {
        match observation {
            Ok(observation) => {
                assert!(!unassessed.contains(&index), "image {index}");
                assert_eq!(*observation, true_observation(code), "image {index}");
            }
            Err(reason) => assert!(unassessed.contains(&index), "image {index}: {reason}"),
        }
    }
}
