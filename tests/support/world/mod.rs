//! The three handlers in the test's process, with their own bucket, table and queues, a network that injects faults,
//! and a virtual clock.

mod drive;
mod faults;
mod resources;
mod stall;
mod virtual_clock;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use aws::queues::QueueUrls;
use aws::stack::{Services, s3_client};
use domain::keys::Keys;
use domain::kind::Kind;
use handlers::Clock;
use handlers::config::{Section, from_variables};
use handlers::delete::Deletion;
use handlers::evaluate::Evaluation;
use handlers::generate::Generation;
use handlers::heartbeat::Heartbeat;
use handlers::lambda::Worker;
use handlers::wiring;
use jiff::SignedDuration;
use local_stack::{Account, Credentials, sdk_config};
use tempfile::TempDir;

use crate::coded::{self, coded_picture};
use crate::comfyui::{self, ComfyUi};
use crate::harness::{Harness, KEY_PREFIX};
use crate::image_edits::{self, ImageEdits};
use crate::openai::{self, VisionService, assess_correctly};
use crate::replicate::{self, Outcome, Painter, Replicate};
use crate::stack::emulator;
pub use drive::{Delivery, Trace};
pub use faults::{Fault, Network, is_plain_write};
pub use resources::make_table;
use resources::{make_bucket, make_queues};
use virtual_clock::VirtualClock;

/// Longer than any lease: the clock advances by this after a crash.
const LEASES_EXPIRED: SignedDuration = SignedDuration::from_secs(600);

/// Environment variables of every world, besides the locations.
const BASE_VARIABLES: [(&str, &str); 11] = [
    ("VISION_PROVIDER", "openai"),
    ("OPENAI_API_KEY", openai::KEY),
    ("VISION_MODEL", openai::MODEL),
    ("GENERATOR", "replicate"),
    ("REPLICATE_API_TOKEN", replicate::TOKEN),
    ("OPENAI_IMAGES_API_KEY", image_edits::KEY),
    ("COMFYUI_WORKFLOW", comfyui::WORKFLOW),
    ("TARGET_TOTAL", "6"),
    ("QUIET_SECONDS", "4"),
    ("MAX_DELETED_PERCENT", "100"),
    ("BUDGET_POLL_SECONDS", "900"),
];

/// The quality of generated pictures.
const GOOD: u8 = 8;

/// The bucket, table, queues and services of one test.
pub struct World {
    harness: Harness,
    pub network: Network,
    pub replicate: Replicate,
    /// Used by `GENERATOR=openai`.
    pub image_edits: ImageEdits,
    /// Used by `GENERATOR=comfyui`.
    pub comfyui: ComfyUi,
    pub vision: VisionService,
    /// The virtual clock.
    pub clock: Clock,
    /// The time budget of deletion and generation workers, if not the default.
    pub time_budget: Option<Duration>,
    /// The heartbeat of workers.
    pub heartbeat: Heartbeat,
    virtual_clock: Arc<VirtualClock>,
    upstreams: Vec<(&'static str, String)>,
    aws: String,
    sqs: aws_sdk_sqs::Client,
    urls: QueueUrls,
    credentials: Credentials,
    variables: BTreeMap<String, String>,
}

/// A unique picture that is cheap to draw, for tests without assessment.
#[must_use]
pub fn any_picture(_: Kind, index: usize) -> Vec<u8> {
    let shade =
        |x: u32, y: u32| (x.wrapping_mul(31).wrapping_add(y * 17).wrapping_add(index as u32 * 7919) % 251) as u8;
    let image = image::RgbImage::from_fn(128, 72, |x, y| image::Rgb([shade(x, y), shade(y, x), shade(x / 8, y / 8)]));
    imaging::encode_jpeg(&image).unwrap()
}

impl Deref for World {
    type Target = Harness;

    fn deref(&self) -> &Harness {
        &self.harness
    }
}

impl World {
    /// A world in which everything succeeds, and every coded picture is assessed as it encodes.
    pub async fn coded(variables: &[(&str, &str)]) -> Self {
        // The upper half of the variants is reserved for generated pictures.
        let paint = |kind, index| coded_picture(kind, GOOD, coded::VARIANTS / 2 + index as u32);
        Self::with(variables, |_, _| Outcome::Succeeds, paint).await
    }

    /// A world with additional variables and a scripted generator.
    pub async fn with(
        variables: &[(&str, &str)],
        script: impl Fn(usize, &str) -> Outcome + Send + Sync + 'static,
        paint: impl Fn(Kind, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let virtual_clock = Arc::new(VirtualClock::starting_at_noon());
        let clock = clock(&virtual_clock);
        let paint: Arc<Painter> = Arc::new(paint);
        let replicate = Replicate::painted_by(clock.clone(), script, Arc::clone(&paint)).await;
        let image_edits = ImageEdits::start(Arc::clone(&paint)).await;
        let comfyui = ComfyUi::start(paint).await;
        let emulator = emulator().await;
        let vision = VisionService::start(assess_correctly).await;
        let upstreams = vec![
            ("replicate", replicate.address()),
            ("openai", vision.address()),
            ("images", image_edits.address()),
            ("comfyui", comfyui.address()),
        ];
        let aws = emulator.endpoint().to_owned();
        let network = Network::start(&aws, &upstreams, Arc::clone(&virtual_clock)).await;
        replicate.set_public_address(&format!("{}/replicate", network.address()));

        let account = Account::unique();
        let (sdk, credentials) = (emulator.sdk_config(&account), emulator.credentials(&account));
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let urls = make_queues(&sqs).await;
        let (bucket, table) = (format!("world-{account}"), "records");
        make_bucket(&s3_client(&sdk), &sqs, &bucket, &urls.evaluation).await;
        make_table(&aws_sdk_dynamodb::Client::new(&sdk), table).await;
        let services = Services::new(&sdk, &bucket, table, urls.clone(), Keys::new(KEY_PREFIX));

        let data = TempDir::new().unwrap();
        let mut all: BTreeMap<String, String> =
            BASE_VARIABLES.iter().chain(variables).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in [
            ("BUCKET", bucket.as_str()),
            ("TABLE", table),
            ("EVALUATION_QUEUE_URL", &urls.evaluation),
            ("DELETION_QUEUE_URL", &urls.deletion),
            ("GENERATION_QUEUE_URL", &urls.generation),
            ("KEY_PREFIX", KEY_PREFIX),
            ("LOCAL_DATA_DIR", data.path().to_str().unwrap()),
        ] {
            all.insert(name.to_owned(), value.to_owned());
        }
        Self {
            harness: Harness::new(services, data),
            network,
            replicate,
            image_edits,
            comfyui,
            vision,
            clock,
            time_budget: None,
            heartbeat: Heartbeat::default(),
            virtual_clock,
            upstreams,
            aws,
            sqs,
            urls,
            credentials,
            variables: all,
        }
    }

    /// Sets an environment variable of workers that start from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// The images that the generators' services have made and charged.
    #[must_use]
    pub fn charged(&self) -> usize {
        self.replicate.charged() + self.image_edits.charged() + self.comfyui.executed()
    }

    /// Whether the generator's service can't be asked for an image whose answer was lost.
    #[must_use]
    pub fn loses_answers(&self) -> bool {
        self.variables["GENERATOR"] == "openai"
    }

    pub fn advance_clock(&self, time: SignedDuration) {
        self.virtual_clock.advance(time);
    }

    /// Another network to the same services, for workers of its own.
    pub async fn another_network(&self) -> Network {
        Network::start(&self.aws, &self.upstreams, Arc::clone(&self.virtual_clock)).await
    }

    fn config<T: Section>(&self, network: &Network) -> T {
        let mut variables = self.variables.clone();
        for (name, path) in [
            ("REPLICATE_BASE_URL", "replicate"),
            ("OPENAI_BASE_URL", "openai/v1"),
            ("OPENAI_IMAGES_BASE_URL", "images/v1"),
            ("COMFYUI_URL", "comfyui"),
        ] {
            variables.entry(name.to_owned()).or_insert_with(|| format!("{}/{path}", network.address()));
        }
        from_variables(variables).unwrap()
    }

    /// The SDK configuration of workers: through the network, with short retry delays.
    fn sdk(&self, network: &Network) -> aws_config::SdkConfig {
        let retry = aws_config::retry::RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        sdk_config(network.address(), &self.credentials).into_builder().retry_config(retry).build()
    }

    /// A new worker of the evaluation function.
    pub async fn evaluation(&self) -> Worker<Evaluation> {
        self.evaluation_through(&self.network).await
    }

    async fn evaluation_through(&self, network: &Network) -> Worker<Evaluation> {
        let mut worker =
            wiring::evaluation(self.config(network), &self.sdk(network), self.clock.clone()).await.unwrap();
        (worker.heartbeat, worker.handler.heartbeat) = (self.heartbeat, self.heartbeat);
        worker
    }

    /// A new worker of the deletion function.
    #[must_use]
    pub fn deletion(&self) -> Worker<Deletion> {
        self.deletion_through(&self.network)
    }

    fn deletion_through(&self, network: &Network) -> Worker<Deletion> {
        let mut worker = wiring::deletion(self.config(network), &self.sdk(network), self.clock.clone());
        worker.handler.time_budget = self.time_budget.unwrap_or(worker.handler.time_budget);
        (worker.heartbeat, worker.handler.heartbeat) = (self.heartbeat, self.heartbeat);
        worker
    }

    /// A new worker of the generation function.
    pub async fn generation(&self) -> Worker<Generation> {
        self.generation_through(&self.network).await
    }

    async fn generation_through(&self, network: &Network) -> Worker<Generation> {
        let mut worker =
            wiring::generation(self.config(network), &self.sdk(network), self.clock.clone()).await.unwrap();
        worker.handler.time_budget = self.time_budget.unwrap_or(worker.handler.time_budget);
        (worker.heartbeat, worker.handler.heartbeat) = (self.heartbeat, self.heartbeat);
        worker
    }

    /// Waits until the queues contain this many messages.
    pub async fn wait_for_messages(&self, count: usize) {
        while self.queues.total_depth().await.unwrap() < count as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn clock(virtual_clock: &Arc<VirtualClock>) -> Clock {
    let virtual_clock = Arc::clone(virtual_clock);
    Clock::telling(move || virtual_clock.now())
}
