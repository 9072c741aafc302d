//! Two passes, and the deciding pass.

use balancer_tests::coded::read_code;
use balancer_tests::openai::{Answer, NumberedImage, VisionRequest, VisionService, entry, true_entry};
use domain::assessment::Flag;
use domain::kind::Kind;
use providers::vision::VisionMode;
use serde_json::Value;
use serde_json::json;

use crate::vision::support::{assert_assessed_except, assess, codes, model};

const TWO_PASSES: (&str, &str) = ("VISION_PASSES", "2");

fn variant(shown: &NumberedImage) -> u32 {
    read_code(&shown.image).unwrap().variant
}

/// Reports images with an odd variant as photorealistic in the first request, and every image correctly after it.
fn wavering(request: &VisionRequest) -> Answer {
    let answer = |shown: &NumberedImage| -> Value {
        let mut entry = true_entry(shown);
        if request.index == 0 && variant(shown) % 2 == 1 {
            entry["kind"] = "photorealistic".into();
        }
        entry
    };
    Answer::Entries(request.images.iter().map(answer).collect())
}

#[tokio::test]
async fn disputed_kinds_get_a_larger_deciding_pass() {
    let service = VisionService::start(|request| {
        assert_eq!(request.mode, if request.index < 2 { VisionMode::Grid } else { VisionMode::Individual });
        wavering(request)
    })
    .await;
    let batch = assess(&model(&service, &[TWO_PASSES]).await, 20, "plan").await;
    assert_assessed_except(&batch, 20, &[]);
    let disputed = codes(20).iter().filter(|code| code.variant % 2 == 1 && code.kind != Kind::Photorealistic).count();
    assert_eq!(service.requested_numbers()[2..].iter().map(Vec::len).collect::<Vec<_>>(), [disputed]);
    assert_eq!(service.violations(), [""; 0]);
}

#[tokio::test]
async fn two_passes_use_different_orders() {
    let orders = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let recorded = std::sync::Arc::clone(&orders);
    let service = VisionService::start(move |request| {
        recorded.lock().unwrap().push(request.images.iter().map(variant).collect::<Vec<_>>());
        balancer_tests::openai::assess_correctly(request)
    })
    .await;
    assess(&model(&service, &[TWO_PASSES]).await, 20, "plan").await;
    let orders = orders.lock().unwrap();
    assert_ne!(orders[0], orders[1]);
}

#[tokio::test]
async fn two_passes_average_quality_and_unite_flags() {
    let service = VisionService::start(|request| {
        let answer = |shown: &NumberedImage| {
            let mut entry = entry(shown.number, Kind::BwStylized, if request.index == 0 { 9 } else { 6 }, "Seen.");
            if request.index == 1 {
                entry["flags"] = json!(["looking_at_camera"]);
            }
            entry
        };
        Answer::Entries(request.images.iter().map(answer).collect())
    })
    .await;
    let batch = assess(&model(&service, &[TWO_PASSES]).await, 3, "plan").await;
    for observation in batch.images {
        let observation = observation.unwrap();
        assert_eq!((observation.quality, observation.flags), (7, vec![Flag::LookingAtCamera]));
    }
}
