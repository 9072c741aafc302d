//! An actor with a set of typical size, on a stack with both paid services.

use std::time::Duration;

use balancer_tests::coded::{VARIANTS, coded_picture};
use balancer_tests::cost::{Meter, Work};
use balancer_tests::openai::{self, VisionService, assess_correctly};
use balancer_tests::replicate::{self, Outcome, Replicate};
use balancer_tests::stack::actor;
use domain::actor::ActorId;
use domain::kind::Kind::Photorealistic;
use handlers::Clock;

use crate::{FREE, PAID, assert_as_derived};

/// The response times of the stand-ins for the paid services: shorter than the real ones, but long enough to make the
/// handlers wait.
const VISION_RESPONSE: Duration = Duration::from_millis(200);
const PREDICTION: Duration = Duration::from_millis(600);

const UPLOADS: u64 = 20;

/// The plan deletes seven of the twenty images and generates seven others.
const REPLACED: f64 = 7.0;

async fn upload(meter: &Meter, hero: &ActorId) {
    meter.stack.upload_base_image(hero).await;
    for number in 1..=UPLOADS {
        let picture = coded_picture(Photorealistic, 8, number as u32);
        meter.stack.upload(hero, &format!("{hero}_{number}.jpg"), &picture).await;
    }
}

#[tokio::test]
async fn full_actor_costs_what_the_document_derives() {
    let paint = |kind, index| coded_picture(kind, 8, VARIANTS / 2 + index as u32);
    let replicate = Replicate::start(Clock::system(), |_, _| Outcome::SucceedsAfter(PREDICTION), paint).await;
    let vision = VisionService::start_slow(VISION_RESPONSE, assess_correctly).await;
    let mut meter = Meter::start(&[
        ("TargetTotal", "20"),
        ("VisionProvider", "openai"),
        ("OpenAiBaseUrl", &format!("{}/v1", vision.address())),
        ("OpenAiApiKey", openai::KEY),
        ("VisionModel", openai::MODEL),
        ("Generator", "replicate"),
        ("ReplicateBaseUrl", &replicate.address()),
        ("ReplicateApiToken", replicate::TOKEN),
    ])
    .await;
    let hero = actor("hero");
    upload(&meter, &hero).await;
    meter.stack.balanced(&hero).await;

    let usage = meter.read().await;
    let work = Work::of(&meter.stack, &[hero], UPLOADS, &usage).await;
    let Work([1.0, 20.0, _, 2.0, 27.0, 1.0, REPLACED, REPLACED]) = work else { panic!("{work:?}") };
    assert_eq!(replicate.charged() as f64, REPLACED);
    assert_as_derived(&usage, &work, &[FREE, PAID]);
}
