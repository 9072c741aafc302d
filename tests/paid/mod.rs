//! The deployed stack with stand-ins for both paid services, over real HTTP.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use balancer_tests::coded::{VARIANTS, coded_picture};
use balancer_tests::openai::{self, Answer, VisionRequest, VisionService, assess_correctly};
use balancer_tests::replicate::{self, Outcome, Replicate};
use balancer_tests::set::assert_balanced;
use balancer_tests::stack::{TestStack, actor, binaries, emulator};
use domain::actor::ActorId;
use domain::kind::Kind;
use domain::manifest::BALANCING;
use handlers::Clock;
use local_stack::{Account, StackOptions};
use serde_json::json;

/// The delays of the stand-ins: a tenth of the services' own.
const ASSESSMENT_DELAY: Duration = Duration::from_millis(200);
const IMAGE_DELAY: Duration = Duration::from_millis(600);

/// A stack with the two paid services.
struct Paying {
    stack: TestStack,
    vision: VisionService,
    replicate: Replicate,
    actor: ActorId,
}

impl Paying {
    async fn start(
        answers: impl Fn(&VisionRequest) -> Answer + Send + Sync + 'static,
        script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        let paint = |kind, index| coded_picture(kind, 8, VARIANTS / 2 + index as u32);
        let replicate = Replicate::start(Clock::system(), script, paint).await;
        let vision = VisionService::start_slow(ASSESSMENT_DELAY, answers).await;
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

    /// Uploads two good images and a poor one, and waits until the set of six is balanced.
    async fn balance(&self) {
        self.upload().await;
        self.stack.balanced(&self.actor).await;
    }

    async fn upload(&self) {
        self.stack.upload_base_image(&self.actor).await;
        for (number, quality) in [(1, 9), (2, 2), (3, 8)] {
            let picture = coded_picture(Kind::Photorealistic, quality, number);
            self.stack.upload(&self.actor, &format!("hero_{number}.jpg"), &picture).await;
        }
    }

    /// Asserts that no log and no record contains a key.
    async fn assert_no_key_is_visible(&self) {
        for log in [emulator().await.function_log_file(), emulator().await.log_file()] {
            assert!(!has_key(&std::fs::read_to_string(log).unwrap()), "a key is in the log");
        }
        let record = self.stack.store.actor(&self.actor).await.unwrap();
        let rejections = self.stack.store.rejections().await.unwrap();
        let manifest = serde_json::to_string(&self.stack.manifest(&self.actor).await).unwrap();
        let mut texts = vec![format!("{record:?}"), format!("{rejections:?}"), manifest];
        for plan in self.stack.plans(&self.actor).await {
            let slots = self.stack.store.slots(&self.actor, &plan.plan_id).await.unwrap();
            texts.push(format!("{plan:?} {slots:?}"));
        }
        assert!(texts.iter().all(|text| !has_key(text)), "a key is in {texts:#?}");
    }

    /// Asserts that every charged image is in the set or in the trash, and is booked.
    async fn assert_every_charge_accounted_for(&self) {
        let manifest = assert_balanced(&self.stack, &self.actor).await;
        let of_plans = |origin: Option<&String>| origin.is_some_and(|origin| origin == BALANCING);
        let kept = manifest.images.values().filter(|image| of_plans(image.generation_type.as_ref())).count();
        let trashed = manifest
            .trash
            .values()
            .flatten()
            .filter(|trashed| of_plans(trashed.image.generation_type.as_ref()))
            .count();
        assert_eq!(self.replicate.charged(), kept + trashed);
        let plans = self.stack.plans(&self.actor).await;
        let spent: u64 = plans.iter().map(|plan| plan.spent.0).sum();
        assert_eq!(spent, 40_000 * self.replicate.charged() as u64);
        assert!(plans.iter().all(|plan| plan.committed == plan.spent));
        assert_eq!(self.vision.violations(), Vec::<String>::new());
        let ever = self.stack.store.spending_ever_on(&self.actor).await.unwrap();
        assert!(ever.0 > spent, "the vision requests cost something too");
    }
}

fn has_key(text: &str) -> bool {
    text.contains(openai::KEY) || text.contains(replicate::TOKEN)
}

#[tokio::test]
async fn both_services_balance_a_set_and_no_log_has_a_key() {
    let paying = Paying::start(assess_correctly, |_, _| Outcome::SucceedsAfter(IMAGE_DELAY)).await;
    paying.balance().await;
    paying.assert_every_charge_accounted_for().await;
    assert_eq!(paying.replicate.charged(), 4);
    paying.assert_no_key_is_visible().await;
}

#[tokio::test]
async fn frequent_failures_of_every_kind_change_no_result() {
    let happened = Arc::new(Mutex::new(BTreeSet::new()));
    let (answered, created) = (Arc::clone(&happened), Arc::clone(&happened));
    let words = format!("oops, {}", openai::KEY);
    let echo = format!("busy, {}", replicate::TOKEN);
    let answers = move |request: &VisionRequest| {
        let (name, answer) = match request.index % 10 {
            0 => ("a server error", Answer::Reply(openai::problem(500, "server_error", &words))),
            1 => ("no JSON", Answer::Text("I can't see anything".to_owned())),
            2 => ("truncated", Answer::Truncated),
            _ => ("assessed", assess_correctly(request)),
        };
        answered.lock().unwrap().insert(name);
        answer
    };
    let script = move |creation: usize, _: &str| {
        let (name, outcome) = match creation % 10 {
            0 => ("a lost answer", Outcome::ResponseLost),
            1 => ("a failure", Outcome::Fails),
            2 => ("throttled", Outcome::Responds(429, json!({ "detail": "Your rate limit resets in ~1s." }))),
            4 => ("rejected content", Outcome::ContentRejected),
            6 => ("unavailable", Outcome::Responds(503, json!({ "detail": echo }))),
            _ => ("succeeded", Outcome::SucceedsAfter(IMAGE_DELAY)),
        };
        created.lock().unwrap().insert(name);
        outcome
    };
    let paying = Paying::start(answers, script).await;
    paying.balance().await;
    paying.assert_every_charge_accounted_for().await;
    paying.assert_no_key_is_visible().await;
    let happened: Vec<&str> = happened.lock().unwrap().iter().copied().collect();
    let all = ["a failure", "a lost answer", "a server error", "assessed", "no JSON", "rejected content", "succeeded"];
    assert_eq!(happened[..7], all);
    assert_eq!(happened[7..], ["throttled", "truncated", "unavailable"]);
}

#[tokio::test]
async fn keys_that_services_echo_are_masked_everywhere() {
    let words = format!("Incorrect key {}", openai::KEY);
    let echo = format!("Not with {}", replicate::TOKEN);
    let answers = move |request: &VisionRequest| match request.index {
        0 => assess_correctly(request),
        _ => Answer::Reply(openai::problem(401, "invalid_api_key", &words)),
    };
    let paying = Paying::start(answers, move |_, _| Outcome::Responds(422, json!({ "detail": echo }))).await;
    paying.upload().await;
    let reason = paying.stack.needs_attention(&paying.actor).await;
    assert!(reason.contains("could not be generated"), "{reason}");
    paying.assert_no_key_is_visible().await;
}

#[tokio::test]
async fn debug_output_of_stack_options_hides_keys() {
    let parameters = [("OpenAiApiKey", openai::KEY), ("ReplicateApiToken", replicate::TOKEN)];
    let options = StackOptions {
        template: String::new(),
        binaries: binaries().await.clone(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        key_files: [("ReplicateApiTokenFile".to_owned(), replicate::TOKEN.to_owned())].into(),
        name: "shown".to_owned(),
        account: Account::unique(),
    };
    let shown = format!("{options:?}");
    assert!(shown.contains("OpenAiApiKey") && !has_key(&shown), "{shown}");
}
