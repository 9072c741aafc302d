//! A stack for each test, in an account of its own, on one emulator for each test binary.

mod waiting;

use std::collections::BTreeMap;
use std::ops::Deref;

use aws::stack::s3_client;
use domain::actor::ActorId;
use local_stack::{Account, Binaries, Emulator, EmulatorOptions, Outputs, Stack, StackOptions};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::harness::{Harness, KEY_PREFIX};

/// The template that is deployed.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// A running stack with clients for its services. Its target has 6 images: 4/1/1.
pub struct TestStack {
    harness: Harness,
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

/// Runs until the process ends.
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

impl Deref for TestStack {
    type Target = Harness;

    fn deref(&self) -> &Harness {
        &self.harness
    }
}

impl TestStack {
    /// A stack with the default parameters of the tests.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A stack in which uploads trigger nothing.
    pub async fn without_triggers() -> Self {
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
        Self {
            harness: Harness::new(stack.outputs().stack.services(sdk), data),
            s3: s3_client(sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
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
