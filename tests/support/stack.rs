//! A stack for each test, in an account of its own, on one emulator for each test binary.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use balancer::adapters::bucket::Bucket;
use balancer::adapters::queues::{Queue, Queues};
use balancer::adapters::store::Store;
use balancer::adapters::store::actors::{ActorRecord, Status};
use balancer::adapters::store::refusals::Refusal;
use balancer::config::QueueUrls;
use balancer::domain::actor::ActorId;
use balancer::domain::manifest::Manifest;
use balancer::domain::plan::Plan;
use balancer::exchange;
use balancer::functions::s3_client;
use balancer::keys::Keys;
use local_stack::{Account, Binaries, Emulator, EmulatorOptions, Outputs, Stack, StackOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::pictures::{self, Picture};

/// The template that is deployed.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// Everything a stack keeps in its bucket lies below this.
pub const KEY_PREFIX: &str = "system_actors";

/// Ten times what the slowest of these tests waits on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

const POLL: Duration = Duration::from_millis(100);

/// Looks in a row that must find nothing going on. Between an upload and its event, and between two messages of a
/// chain, the queues are empty for a moment.
const QUIET_LOOKS: u32 = 4;

/// Looks in a row at empty queues after which nothing more is to be expected.
const LOOKS_IN_VAIN: u32 = 80;

/// Lines of the functions' log that a failure shows.
const TAIL: usize = 40;

/// A running stack with the clients to talk to it. Its set has 6 images: 4 photorealistic, 1 and 1.
pub struct TestStack {
    /// The images.
    pub bucket: Bucket,
    /// The records.
    pub store: Store,
    /// The three queues.
    pub queues: Queues,
    /// Where things lie in the bucket.
    pub keys: Keys,
    /// The local copy of the images.
    pub data: TempDir,
    /// Asks S3 what [`Bucket`] doesn't tell.
    pub s3: aws_sdk_s3::Client,
    stack: Stack,
}

/// Where the functions' executables are; built if need be.
pub async fn binaries() -> &'static Binaries {
    static BINARIES: OnceCell<Binaries> = OnceCell::const_new();
    BINARIES.get_or_init(async || Binaries::locate().await.unwrap()).await
}

/// It ends with the process.
static EMULATOR: OnceCell<Emulator> = OnceCell::const_new();

/// The emulator of this test binary, for what must be ready before a stack is.
pub async fn emulator() -> &'static Emulator {
    EMULATOR.get_or_init(async || Emulator::start(EmulatorOptions::default()).await.unwrap()).await
}

/// An actor's name.
#[must_use]
pub fn actor(id: &str) -> ActorId {
    id.parse().unwrap()
}

impl TestStack {
    /// A stack with the usual parameters.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A stack with these parameters beside the usual ones.
    pub async fn with(parameters: &[(&str, &str)]) -> Self {
        Self::in_account(Account::unique(), parameters).await
    }

    /// A stack in an account in which a test has made something ready.
    pub async fn in_account(account: Account, parameters: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        let mut all = usual_parameters(&data);
        all.extend(parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let options = StackOptions {
            template: TEMPLATE.to_owned(),
            binaries: binaries().await.clone(),
            parameters: all,
            name: format!("test-{account}"),
            account,
        };
        let stack = Stack::create(emulator().await, options).await.unwrap();
        let (sdk, outputs) = (stack.sdk_config(), stack.outputs());
        let urls = QueueUrls {
            evaluation: outputs.evaluation_queue_url.clone(),
            deletion: outputs.deletion_queue_url.clone(),
            generation: outputs.generation_queue_url.clone(),
        };
        Self {
            bucket: Bucket::new(s3_client(sdk), &outputs.bucket),
            store: Store::new(aws_sdk_dynamodb::Client::new(sdk), &outputs.table),
            queues: Queues::new(aws_sdk_sqs::Client::new(sdk), urls),
            keys: Keys::new(KEY_PREFIX),
            s3: s3_client(sdk),
            data,
            stack,
        }
    }

    /// The stack's outputs.
    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        self.stack.outputs()
    }

    /// What the template gives each function, and what Lambda adds so that the SDK finds its way.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let outputs = self.outputs();
        [
            ("AWS_ACCESS_KEY_ID", self.stack.account().id()),
            ("AWS_SECRET_ACCESS_KEY", "emulator"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", self.stack.sdk_config().endpoint_url().unwrap()),
            ("BUCKET", &outputs.bucket),
            ("TABLE", &outputs.table),
            ("EVALUATION_QUEUE_URL", &outputs.evaluation_queue_url),
            ("DELETION_QUEUE_URL", &outputs.deletion_queue_url),
            ("GENERATION_QUEUE_URL", &outputs.generation_queue_url),
            ("KEY_PREFIX", KEY_PREFIX),
            ("VISION_PROVIDER", "embedded"),
            ("GENERATOR", "embedded"),
            ("TARGET_TOTAL", "6"),
            ("LOCAL_DATA_DIR", self.data.path().to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Puts a file among an actor's images, and into the local copy as who trains there would have it.
    pub async fn upload(&self, actor: &ActorId, filename: &str, bytes: &[u8]) {
        let folder = self.local_folder(actor);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(filename), bytes).unwrap();
        self.bucket.put(&self.keys.image(actor, filename), bytes.to_vec(), "image/jpeg").await.unwrap();
    }

    /// Uploads pictures as `{actor}_{number}.jpg`, from this number on. Returns the names.
    pub async fn upload_all(&self, actor: &ActorId, first: u64, pictures: &[Picture]) -> Vec<String> {
        let mut names = Vec::new();
        for (number, picture) in (first..).zip(pictures) {
            let name = format!("{actor}_{number}.jpg");
            self.upload(actor, &name, &picture.jpeg).await;
            names.push(name);
        }
        names
    }

    /// Puts an actor's base image in its place.
    pub async fn upload_base_image(&self, actor: &ActorId) {
        let key = format!("{}jpg", self.keys.base_image_stem(actor));
        self.bucket.put(&key, pictures::base_jpeg(), "image/jpeg").await.unwrap();
    }

    /// Puts a message on a queue as a person would.
    pub async fn send(&self, queue: Queue, body: Value) {
        self.send_text(queue, &body.to_string()).await;
    }

    /// The same with a body that need not be JSON.
    pub async fn send_text(&self, queue: Queue, body: &str) {
        self.queues.send_body(queue, body.to_owned(), Duration::ZERO).await.unwrap();
    }

    /// Waits until the actor's set is balanced and nothing is going on.
    pub async fn balanced(&self, actor: &ActorId) -> ActorRecord {
        self.settled(actor, |status| status == Status::Balanced).await
    }

    /// Waits until a person is asked and nothing is going on. Returns the sentence.
    pub async fn needs_attention(&self, actor: &ActorId) -> String {
        self.settled(actor, |status| status == Status::NeedsAttention).await.reason.unwrap()
    }

    /// Waits until the set is balanced or a person is asked, and nothing is going on.
    pub async fn balanced_or_not(&self, actor: &ActorId) -> ActorRecord {
        self.settled(actor, |status| matches!(status, Status::Balanced | Status::NeedsAttention)).await
    }

    /// Waits until the actor has been evaluated once more since it was as in `before`, and nothing is going on.
    pub async fn evaluated_again(&self, actor: &ActorId, before: &ActorRecord) -> ActorRecord {
        self.wait(actor, "to be evaluated again", |record| {
            record.pending_since.is_none() && record.lease_until.is_none() && record.updated_at > before.updated_at
        })
        .await
    }

    /// Waits until no message is left in any of the three queues.
    pub async fn idle(&self) {
        self.wait(&actor("nobody"), "to be left in peace", |_| true).await;
    }

    /// Waits until this many messages are recorded as refused.
    pub async fn refusals(&self, count: usize) -> Vec<Refusal> {
        let started = Instant::now();
        loop {
            let refusals = self.store.refusals().await.unwrap();
            if refusals.len() >= count {
                return refusals;
            }
            let waited = started.elapsed();
            assert!(waited < PATIENCE, "waited {waited:?} for {count} refusals: {refusals:?}{}", self.log_tail());
            tokio::time::sleep(POLL).await;
        }
    }

    /// The actor's manifest.
    pub async fn manifest(&self, actor: &ActorId) -> Manifest {
        exchange::export(&self.store, actor).await.unwrap().unwrap()
    }

    /// The actor's plans, the oldest first.
    pub async fn plans(&self, actor: &ActorId) -> Vec<Plan> {
        self.store.plans(actor).await.unwrap()
    }

    /// The names of the actor's files in the bucket.
    pub async fn filenames(&self, actor: &ActorId) -> Vec<String> {
        self.keys_below(&format!("training_data/{actor}/")).await
    }

    /// The keys below a folder of the stack's prefix, without that folder.
    pub async fn keys_below(&self, folder: &str) -> Vec<String> {
        let folder = format!("{KEY_PREFIX}/{folder}");
        let listed = self.bucket.list(&folder).await.unwrap();
        listed.iter().map(|object| object.key[folder.len()..].to_owned()).collect()
    }

    /// The object's bytes.
    pub async fn object(&self, key: &str) -> Vec<u8> {
        self.bucket.get(key).await.unwrap().unwrap_or_else(|| panic!("there is no {key}")).bytes
    }

    /// The folder of the actor's images in the local copy.
    #[must_use]
    pub fn local_folder(&self, actor: &ActorId) -> std::path::PathBuf {
        self.data.path().join(actor.as_str()).join("training_data")
    }

    /// Messages that were given up.
    pub async fn dead_letters(&self) -> u64 {
        let outputs = self.outputs();
        let mut dead = 0;
        for url in [&outputs.evaluation_dlq_url, &outputs.deletion_dlq_url, &outputs.generation_dlq_url] {
            dead += self.queues.depth(url).await.unwrap();
        }
        dead
    }

    async fn settled(&self, actor: &ActorId, is_wanted: impl Fn(Status) -> bool) -> ActorRecord {
        let is_settled = |record: &ActorRecord| record.pending_since.is_none() && is_wanted(record.status);
        self.wait(actor, "to be settled", is_settled).await
    }

    /// Waits until the queues are empty and the actor is as wanted. Gives up when nothing goes on any more.
    async fn wait(&self, actor: &ActorId, what: &str, is_as_wanted: impl Fn(&ActorRecord) -> bool) -> ActorRecord {
        let started = Instant::now();
        let (mut looks, mut idle) = (0, 0);
        loop {
            let depth = self.queues.total_depth().await.unwrap();
            let record = self.store.actor(actor).await.unwrap().unwrap_or_default();
            looks = if depth == 0 && is_as_wanted(&record) { looks + 1 } else { 0 };
            if looks == QUIET_LOOKS {
                return record;
            }
            idle = if depth == 0 { idle + 1 } else { 0 };
            let waited = started.elapsed();
            assert!(
                waited < PATIENCE && idle < LOOKS_IN_VAIN,
                "waited {waited:?} for {actor} {what}; {depth} messages are left; {record:#?}{}",
                self.log_tail()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// The end of what this stack's functions have written.
    fn log_tail(&self) -> String {
        let log = EMULATOR.get().map(|emulator| fs::read_to_string(emulator.function_log_file()));
        let log = log.and_then(Result::ok).unwrap_or_default();
        let ours = format!("test-{}", self.stack.account());
        let lines: Vec<_> = log.lines().filter(|line| line.starts_with(&ours)).collect();
        let mut tail = format!("\nthe last of {} lines of the functions' log:", lines.len());
        for line in &lines[lines.len().saturating_sub(TAIL)..] {
            let _ = write!(tail, "\n  {line}");
        }
        tail
    }
}

fn usual_parameters(data: &TempDir) -> BTreeMap<String, String> {
    [
        ("Architecture", "x86_64"),
        ("VisionProvider", "embedded"),
        ("Generator", "embedded"),
        ("KeyPrefix", KEY_PREFIX),
        ("QuietSeconds", "1"),
        ("GeneratorConcurrency", "2"),
        ("TargetTotal", "6"),
        // The built-in generator is no artist: now and then it takes a few attempts.
        ("MaxRounds", "9"),
        ("LocalDataDir", data.path().to_str().unwrap()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
