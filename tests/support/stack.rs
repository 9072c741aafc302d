//! A stack for each test, in an account of its own, on one emulator for each test binary.

mod waiting;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use aws::bucket::Bucket;
use aws::exchange;
use aws::queues::{Queue, Queues};
use aws::stack::Services;
use aws::store::Store;
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::manifest::Manifest;
use domain::plan::Plan;
use handlers::wiring::s3_client;
use local_stack::{Account, Binaries, Emulator, EmulatorOptions, Outputs, Stack, StackOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::pictures::{self, Picture};

/// The template that is deployed.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// The prefix of all keys of a stack.
pub const KEY_PREFIX: &str = "system_actors";

/// A running stack with clients for its services. Its target has 6 images: 4/1/1.
pub struct TestStack {
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub keys: Keys,
    /// The local copy of the images.
    pub data: TempDir,
    /// For requests that [`Bucket`] doesn't offer.
    pub s3: aws_sdk_s3::Client,
    /// For writes that [`Store`] doesn't offer.
    pub dynamodb: aws_sdk_dynamodb::Client,
    stack: Stack,
}

/// The executables of the functions, built if necessary.
pub async fn binaries() -> &'static Binaries {
    static BINARIES: OnceCell<Binaries> = OnceCell::const_new();
    BINARIES.get_or_init(async || Binaries::locate(handlers::BUILD).await.unwrap()).await
}

/// Ends with the process.
static EMULATOR: OnceCell<Emulator> = OnceCell::const_new();

/// The emulator of this test binary, for resources that must exist before a stack.
pub async fn emulator() -> &'static Emulator {
    EMULATOR.get_or_init(async || Emulator::start(EmulatorOptions::default()).await.unwrap()).await
}

/// The id of an actor.
#[must_use]
pub fn actor(id: &str) -> ActorId {
    id.parse().unwrap()
}

impl TestStack {
    /// A stack with the default parameters of the tests.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A stack in which uploads trigger nothing.
    pub async fn by_hand() -> Self {
        Self::with(&[("AutomaticBalancing", "DISABLED")]).await
    }

    /// A stack with additional parameters.
    pub async fn with(parameters: &[(&str, &str)]) -> Self {
        Self::in_account(Account::unique(), parameters).await
    }

    /// A stack in an account that a test has prepared.
    pub async fn in_account(account: Account, parameters: &[(&str, &str)]) -> Self {
        Self::from_template(TEMPLATE, account, parameters).await
    }

    /// A stack with another template.
    pub async fn from_template(template: &str, account: Account, parameters: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        let mut all = usual_parameters(&data);
        all.extend(parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let options = StackOptions {
            template: template.to_owned(),
            binaries: binaries().await.clone(),
            parameters: all,
            key_files: BTreeMap::new(),
            name: format!("test-{account}"),
            account,
        };
        let stack = Stack::create(emulator().await, options).await.unwrap();
        let sdk = stack.sdk_config();
        let Services { bucket, store, queues, keys } = Services::new(&stack.outputs().stack, sdk);
        Self {
            bucket,
            store,
            queues,
            keys,
            s3: s3_client(sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            data,
            stack,
        }
    }

    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        self.stack.outputs()
    }

    /// The SDK configuration, for handlers that a test runs itself.
    #[must_use]
    pub fn sdk_config(&self) -> &aws_config::SdkConfig {
        self.stack.sdk_config()
    }

    /// The environment of each function: the template's variables, and Lambda's for the SDK.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let outputs = self.outputs();
        [
            ("AWS_ACCESS_KEY_ID", self.stack.credentials().access_key_id()),
            ("AWS_SECRET_ACCESS_KEY", self.stack.credentials().secret_access_key()),
            ("AWS_REGION", local_stack::REGION),
            ("AWS_ENDPOINT_URL", self.stack.sdk_config().endpoint_url().unwrap()),
            ("BUCKET", &outputs.stack.bucket),
            ("TABLE", &outputs.stack.table),
            ("EVALUATION_QUEUE_URL", &outputs.stack.evaluation_queue_url),
            ("DELETION_QUEUE_URL", &outputs.stack.deletion_queue_url),
            ("GENERATION_QUEUE_URL", &outputs.stack.generation_queue_url),
            ("KEY_PREFIX", KEY_PREFIX),
            ("VISION_PROVIDER", "embedded"),
            ("GENERATOR", "embedded"),
            ("TARGET_TOTAL", "6"),
            ("MAX_ROUNDS", "9"),
            ("MAX_DELETED_PERCENT", "100"),
            ("QUIET_SECONDS", "1"),
            ("LOCAL_DATA_DIR", self.data.path().to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Uploads a file to the actor's folder, in the bucket and in the local copy.
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

    pub async fn upload_base_image(&self, actor: &ActorId) {
        let key = format!("{}jpg", self.keys.base_image_stem(actor));
        self.bucket.put(&key, pictures::base_jpeg(), "image/jpeg").await.unwrap();
    }

    pub async fn send(&self, queue: Queue, body: Value) {
        self.send_text(queue, &body.to_string()).await;
    }

    /// Sends a message with any body.
    pub async fn send_text(&self, queue: Queue, body: &str) {
        self.queues.send_body(queue, body.to_owned(), Duration::ZERO).await.unwrap();
    }

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

    pub async fn object(&self, key: &str) -> Vec<u8> {
        self.bucket.get(key).await.unwrap().unwrap_or_else(|| panic!("there is no {key}")).bytes
    }

    /// The folder of the actor's images in the local copy.
    #[must_use]
    pub fn local_folder(&self, actor: &ActorId) -> std::path::PathBuf {
        self.data.path().join(actor.as_str()).join("training_data")
    }

    /// The number of dead letters.
    pub async fn dead_letters(&self) -> u64 {
        let outputs = self.outputs();
        let mut dead = 0;
        for url in
            [&outputs.stack.evaluation_dlq_url, &outputs.stack.deletion_dlq_url, &outputs.stack.generation_dlq_url]
        {
            dead += self.queues.depth(url).await.unwrap();
        }
        dead
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
        // The embedded generator may need several rounds.
        ("MaxRounds", "9"),
        // In such small sets a few images are a large share. The tests of approval set this themselves.
        ("MaxDeletedPercent", "100"),
        ("LocalDataDir", data.path().to_str().unwrap()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
