//! Two passes: what they agree on, and what a third, larger look decides.

use balancer_tests::coded::read_code;
use balancer_tests::openai::{Answer, Asked, Shown, VisionService, judgement, seen};
use domain::assessment::Flag;
use domain::kind::Kind;
use providers::vision::VisionMode;
use serde_json::Value;

use crate::support::{assert_seen_except, codes, model, observe};

const TWO_PASSES: (&str, &str) = ("VISION_PASSES", "2");

fn variant(shown: &Shown) -> u32 {
    read_code(&shown.picture).unwrap().variant
}

/// Sees images with an odd variant as photographs at the first page, and all as what they are from then on.
fn wavering(asked: &Asked) -> Answer {
    let judge = |shown: &Shown| -> Value {
        let mut judged = seen(shown);
        if asked.turn == 0 && variant(shown) % 2 == 1 {
            judged["kind"] = "photorealistic".into();
        }
        judged
    };
    Answer::Judged(asked.shown.iter().map(judge).collect())
}

#[tokio::test]
async fn a_disputed_kind_is_decided_by_a_larger_look_at_these_images_alone() {
    let service = VisionService::start(|asked| {
        assert_eq!(asked.mode, if asked.turn < 2 { VisionMode::Grid } else { VisionMode::Individual });
        wavering(asked)
    })
    .await;
    let seen = observe(&model(&service, &[TWO_PASSES]).await, 20, "plan").await;
    assert_seen_except(&seen, 20, &[]);
    let disputed = codes(20).iter().filter(|code| code.variant % 2 == 1 && code.kind != Kind::Photorealistic).count();
    assert_eq!(service.asked()[2..].iter().map(Vec::len).collect::<Vec<_>>(), [disputed]);
    assert_eq!(service.violations(), [""; 0]);
}

#[tokio::test]
async fn the_two_orders_differ() {
    let orders = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = std::sync::Arc::clone(&orders);
    let service = VisionService::start(move |asked| {
        noted.lock().unwrap().push(asked.shown.iter().map(variant).collect::<Vec<_>>());
        balancer_tests::openai::assess_correctly(asked)
    })
    .await;
    observe(&model(&service, &[TWO_PASSES]).await, 20, "plan").await;
    let orders = orders.lock().unwrap();
    assert_ne!(orders[0], orders[1]);
}

#[tokio::test]
async fn qualities_are_averaged_downwards_and_faults_united() {
    let service = VisionService::start(|asked| {
        let judge = |shown: &Shown| {
            let mut judged = judgement(shown.number, Kind::BwStylized, if asked.turn == 0 { 9 } else { 6 }, "Seen.");
            judged["looking_at_camera"] = (asked.turn == 1).into();
            judged
        };
        Answer::Judged(asked.shown.iter().map(judge).collect())
    })
    .await;
    let seen = observe(&model(&service, &[TWO_PASSES]).await, 3, "plan").await;
    for observation in seen.images {
        let observation = observation.unwrap();
        assert_eq!((observation.quality, observation.flags), (7, vec![Flag::LookingAtCamera]));
    }
}
