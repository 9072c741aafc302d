//! What these tests share.

use std::sync::Arc;

use aws_config::SdkConfig;
use balancer_tests::coded::{Code, VARIANTS, coded_image};
use balancer_tests::openai::VisionService;
use domain::assessment::Observation;
use domain::kind::Kind;
use domain::money::MicroUsd;
use image::RgbImage;
use providers::vision::VisionConfig;
use providers::vision::{AssessmentBatch, AssessmentEvent, VisionModel};
use tokio::sync::mpsc::unbounded_channel;

/// The model as configured for the stand-in, with these variables besides.
pub(crate) async fn model(service: &VisionService, more: &[(&str, &str)]) -> VisionModel {
    model_of(service.config(more)).await
}

pub(crate) async fn model_of(config: VisionConfig) -> VisionModel {
    VisionModel::new(config, &SdkConfig::builder().build()).await.unwrap()
}

/// So many codes, kinds and qualities mixed, no two alike.
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

/// Has so many pictures judged.
pub(crate) async fn observe(model: &VisionModel, count: usize, seed: &str) -> AssessmentBatch {
    observe_pictures(model, pictures(&codes(count)), seed).await
}

/// Has these pictures judged.
pub(crate) async fn observe_pictures(model: &VisionModel, pictures: Vec<Arc<RgbImage>>, seed: &str) -> AssessmentBatch {
    observe_within(MicroUsd(u64::MAX), model, pictures, seed).await.0
}

/// Has pictures judged with books that leave room for so much. Returns what each time was granted too.
pub(crate) async fn observe_within(
    budget: MicroUsd,
    model: &VisionModel,
    pictures: Vec<Arc<RgbImage>>,
    seed: &str,
) -> (AssessmentBatch, Vec<MicroUsd>) {
    let (tell, mut told) = unbounded_channel();
    let keep_books = async {
        let mut grants: Vec<MicroUsd> = Vec::new();
        while let Some(word) = told.recv().await {
            if let AssessmentEvent::ReservationNeeded { amount, granted } = word {
                let has_room = grants.iter().copied().sum::<MicroUsd>() + amount <= budget;
                grants.extend(has_room.then_some(amount));
                granted.send(has_room).unwrap();
            }
        }
        grants
    };
    tokio::join!(model.assess(pictures, seed, tell), keep_books)
}

/// What perfect eyes see.
pub(crate) fn truth(code: Code) -> Observation {
    let reason = format!("Variant {}.", code.variant);
    Observation { kind: code.kind, quality: code.quality, flags: Vec::new(), reason }
}

/// Asserts that each image was seen as what it is, except those at `unassessed`.
pub(crate) fn assert_seen_except(seen: &AssessmentBatch, count: usize, unassessed: &[usize]) {
    assert_eq!(seen.images.len(), count);
    for (index, (code, observation)) in codes(count).into_iter().zip(&seen.images).enumerate() {
        match observation {
            Ok(observation) => {
                assert!(!unassessed.contains(&index), "image {index}");
                assert_eq!(*observation, truth(code), "image {index}");
            }
            Err(reason) => assert!(unassessed.contains(&index), "image {index}: {reason}"),
        }
    }
}
