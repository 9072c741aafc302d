//! The deployed stack with both paid services, played by stand-ins over real HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "that is how a test fails")]

use std::time::Duration;

use balancer::domain::actor::ActorId;
use balancer::domain::kind::Kind;
use balancer::domain::manifest::BALANCING;
use balancer::stages::Clock;
use balancer_tests::coded::{VARIANTS, coded_picture};
use balancer_tests::openai::{self, Answer, Asked, VisionService, perfect_eyes};
use balancer_tests::replicate::{self, Fate, Replicate};
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{TestStack, actor, emulator};
use serde_json::json;

/// How long the stand-ins take: a tenth of what the services do.
const A_LOOK: Duration = Duration::from_millis(200);
const AN_IMAGE: Duration = Duration::from_millis(600);

/// A stack, and the two services that it pays.
struct Paying {
    stack: TestStack,
    vision: VisionService,
    replicate: Replicate,
    actor: ActorId,
}

impl Paying {
    async fn start(
        eyes: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
        script: impl Fn(usize, &str) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let paint = |kind, index| coded_picture(kind, 8, VARIANTS / 2 + index as u32);
        let replicate = Replicate::start(Clock::system(), script, paint).await;
        let vision = VisionService::start_slow(A_LOOK, eyes).await;
        let stack = TestStack::with(&[
            ("VisionProvider", "openai"),
            ("OpenAiBaseUrl", &format!("{}/v1", vision.address())),
            ("OpenAiApiKey", openai::KEY),
            ("VisionModel", openai::MODEL),
            ("Generator", "replicate"),
            ("ReplicateBaseUrl", &replicate.address()),
            ("ReplicateApiToken", replicate::TOKEN),
            ("GeneratorConcurrency", "8"),
        ])
        .await;
        Self { stack, vision, replicate, actor: actor("hero") }
    }

    /// Uploads two good images and a poor one, of six that are wanted, and waits for the others.
    async fn balance(&self) {
        self.stack.upload_base_image(&self.actor).await;
        for (number, quality) in [(1, 9), (2, 2), (3, 8)] {
            let picture = coded_picture(Kind::Photorealistic, quality, number);
            self.stack.upload(&self.actor, &format!("hero_{number}.jpg"), &picture).await;
        }
        self.stack.balanced(&self.actor).await;
    }

    /// Every image that was charged is in the set or in the trash, and the books say so.
    async fn assert_every_charge_accounted_for(&self) {
        let manifest = assert_balanced(&self.stack, &self.actor).await;
        let of_plans = |origin: Option<&String>| origin.is_some_and(|origin| origin == BALANCING);
        let kept = manifest.images.values().filter(|image| of_plans(image.generation_type.as_ref())).count();
        let thrown_away = manifest
            .trash
            .values()
            .flatten()
            .filter(|trashed| of_plans(trashed.image.generation_type.as_ref()))
            .count();
        assert_eq!(self.replicate.charged(), kept + thrown_away);
        let plans = self.stack.plans(&self.actor).await;
        let spent: u64 = plans.iter().map(|plan| plan.spent.0).sum();
        assert_eq!(spent, 40_000 * self.replicate.charged() as u64);
        assert!(plans.iter().all(|plan| plan.committed == plan.spent));
        assert_eq!(self.vision.violations(), Vec::<String>::new());
        let ever = self.stack.store.spending_ever_on(&self.actor).await.unwrap();
        assert!(ever.0 > spent, "the questions cost something too");
    }
}

#[tokio::test]
async fn a_set_is_balanced_with_both_services_and_no_log_holds_a_key() {
    let paying = Paying::start(perfect_eyes, |_, _| Fate::SucceedsAfter(AN_IMAGE)).await;
    paying.balance().await;
    paying.assert_every_charge_accounted_for().await;
    assert_eq!(paying.replicate.charged(), 4);
    for log in [emulator().await.function_log_file(), emulator().await.log_file()] {
        let log = std::fs::read_to_string(log).unwrap();
        assert!(!log.contains(openai::KEY) && !log.contains(replicate::TOKEN), "a key is in the log");
    }
}

#[tokio::test]
async fn with_a_tenth_of_all_answers_failing_in_each_way_the_end_is_the_same() {
    let eyes = |asked: &Asked| match asked.turn % 10 {
        0 => Answer::Reply(openai::problem(500, "server_error", "oops")),
        3 => Answer::Text("I can't see anything".to_owned()),
        6 => Answer::CutOff,
        _ => perfect_eyes(asked),
    };
    let script = |creation: usize, _: &str| match creation % 10 {
        0 => Fate::AnswerIsLost,
        1 => Fate::Fails,
        2 => Fate::Answers(429, json!({ "detail": "Request was throttled. Your rate limit resets in ~1s." })),
        4 => Fate::IsImproper,
        6 => Fate::Answers(503, json!({ "detail": "busy" })),
        _ => Fate::SucceedsAfter(AN_IMAGE),
    };
    let paying = Paying::start(eyes, script).await;
    paying.balance().await;
    paying.assert_every_charge_accounted_for().await;
    assert!(paying.replicate.creations() > paying.replicate.charged());
}
