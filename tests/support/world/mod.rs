//! The three handlers in the test's process, with their own bucket, table and queues, a network that injects faults, and a
//! virtual clock.

mod drive;
mod faults;
mod virtual_clock;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws::bucket::Bucket;
use aws::exchange;
use aws::queues::QueueUrls;
use aws::queues::{Queue, Queues};
use aws::store::Store;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::actor::ActorId;
use domain::keys::Keys;
use domain::kind::Kind;
use domain::manifest::Manifest;
use handlers::Clock;
use handlers::config::{Section, from_variables};
use handlers::lambda::MAX_DELIVERIES;
use handlers::wiring;
use handlers::wiring::s3_client;
use jiff::SignedDuration;
use local_stack::{Account, Credentials, sdk_config};
use serde_json::json;
use tempfile::TempDir;

use crate::coded::{self, coded_picture};
use crate::openai::{self, VisionService, assess_correctly};
use crate::replicate::{self, Outcome, Replicate};
use crate::stack::{KEY_PREFIX, emulator};
pub use drive::{Delivery, Trace};
pub use faults::{Fault, Network, is_plain_write};
use virtual_clock::VirtualClock;

/// Longer than any lease: the clock advances by this after a crash.
const LEASES_EXPIRED: SignedDuration = SignedDuration::from_secs(600);

/// Environment variables of every world, besides the locations.
const BASE_VARIABLES: [(&str, &str); 9] = [
    ("VISION_PROVIDER", "openai"),
    ("OPENAI_API_KEY", openai::KEY),
    ("VISION_MODEL", openai::MODEL),
    ("GENERATOR", "replicate"),
    ("REPLICATE_API_TOKEN", replicate::TOKEN),
    ("TARGET_TOTAL", "6"),
    ("QUIET_SECONDS", "4"),
    ("MAX_DELETED_PERCENT", "100"),
    ("BUDGET_POLL_SECONDS", "900"),
];

/// The quality of generated pictures.
const GOOD: u8 = 8;

/// The environment of one test.
pub struct World {
    /// Bypasses the network, as do `store` and `queues`.
    pub bucket: Bucket,
    pub store: Store,
    pub queues: Queues,
    pub keys: Keys,
    /// The data folder of the local copy.
    pub data: TempDir,
    pub network: Network,
    pub replicate: Replicate,
    pub vision: VisionService,
    /// The virtual clock.
    pub clock: Clock,
    /// The time budget of deletion and generation workers, if not the default.
    pub time_budget: Option<Duration>,
    virtual_clock: Arc<VirtualClock>,
    sqs: aws_sdk_sqs::Client,
    urls: QueueUrls,
    credentials: Credentials,
    variables: BTreeMap<String, String>,
}

/// A unique picture that is cheap to draw, for tests that don't assess it.
#[must_use]
pub fn any_picture(_: Kind, index: usize) -> Vec<u8> {
    let shade =
        |x: u32, y: u32| (x.wrapping_mul(31).wrapping_add(y * 17).wrapping_add(index as u32 * 7919) % 251) as u8;
    let image = image::RgbImage::from_fn(128, 72, |x, y| image::Rgb([shade(x, y), shade(y, x), shade(x / 8, y / 8)]));
    imaging::encode_jpeg(&image).unwrap()
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
        let replicate = Replicate::start(clock.clone(), script, paint).await;
        let emulator = emulator().await;
        let endpoint = emulator.endpoint();
        let vision = VisionService::start(assess_correctly).await;
        let services = [("replicate", replicate.address()), ("openai", vision.address())];
        let network = Network::start(endpoint, &services, Arc::clone(&virtual_clock)).await;
        replicate.set_public_address(&format!("{}/replicate", network.address()));

        let account = Account::unique();
        let (sdk, credentials) = (emulator.sdk_config(&account), emulator.credentials(&account));
        let (sqs, s3) = (aws_sdk_sqs::Client::new(&sdk), s3_client(&sdk));
        let urls = make_queues(&sqs).await;
        let bucket = format!("world-{account}");
        make_bucket(&s3, &sqs, &bucket, &urls.evaluation).await;
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        make_table(&dynamodb, "records").await;

        let data = TempDir::new().unwrap();
        let mut all: BTreeMap<String, String> =
            BASE_VARIABLES.iter().chain(variables).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in [
            ("BUCKET", bucket.as_str()),
            ("TABLE", "records"),
            ("EVALUATION_QUEUE_URL", &urls.evaluation),
            ("DELETION_QUEUE_URL", &urls.deletion),
            ("GENERATION_QUEUE_URL", &urls.generation),
            ("KEY_PREFIX", KEY_PREFIX),
            ("LOCAL_DATA_DIR", data.path().to_str().unwrap()),
            ("REPLICATE_BASE_URL", &format!("{}/replicate", network.address())),
            ("OPENAI_BASE_URL", &format!("{}/openai/v1", network.address())),
        ] {
            all.insert(name.to_owned(), value.to_owned());
        }
        Self {
            bucket: Bucket::new(s3, bucket),
            store: Store::new(dynamodb, "records"),
            queues: Queues::new(sqs.clone(), urls.clone()),
            keys: Keys::new(KEY_PREFIX),
            data,
            network,
            replicate,
            vision,
            clock,
            time_budget: None,
            virtual_clock,
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

    pub fn advance_clock(&self, time: SignedDuration) {
        self.virtual_clock.advance(time);
    }

    fn config<T: Section>(&self) -> T {
        from_variables(self.variables.clone()).unwrap()
    }

    /// The SDK configuration of workers: through the network, with short retry delays.
    fn sdk(&self) -> aws_config::SdkConfig {
        let retry = aws_config::retry::RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        sdk_config(self.network.address(), &self.credentials).into_builder().retry_config(retry).build()
    }

    /// A new worker of the evaluation function.
    pub async fn evaluation(&self) -> handlers::lambda::Worker<handlers::evaluate::Evaluation> {
        wiring::evaluation(self.config(), &self.sdk(), self.clock.clone()).await.unwrap()
    }

    /// A new worker of the deletion function.
    #[must_use]
    pub fn deletion(&self) -> handlers::lambda::Worker<handlers::delete::Deletion> {
        let mut worker = wiring::deletion(self.config(), &self.sdk(), self.clock.clone());
        worker.handler.time_budget = self.time_budget.unwrap_or(worker.handler.time_budget);
        worker
    }

    /// A new worker of the generation function.
    pub async fn generation(&self) -> handlers::lambda::Worker<handlers::generate::Generation> {
        let mut worker = wiring::generation(self.config(), &self.sdk(), self.clock.clone()).await.unwrap();
        worker.handler.time_budget = self.time_budget.unwrap_or(worker.handler.time_budget);
        worker
    }

    /// Uploads a file to the actor's folder, in the bucket and in the local copy.
    pub async fn upload(&self, actor: &ActorId, filename: &str, bytes: &[u8]) {
        let folder = self.local_folder(actor);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(filename), bytes).unwrap();
        self.bucket.put(&self.keys.image(actor, filename), bytes.to_vec(), "image/jpeg").await.unwrap();
    }

    /// Waits until the queues contain this many messages.
    pub async fn wait_for_messages(&self, count: usize) {
        while self.queues.total_depth().await.unwrap() < count as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn upload_base_image(&self, actor: &ActorId) {
        let key = format!("{}jpg", self.keys.base_image_stem(actor));
        self.bucket.put(&key, crate::pictures::base_jpeg(), "image/jpeg").await.unwrap();
    }

    pub async fn send(&self, queue: Queue, body: serde_json::Value) {
        self.queues.send_body(queue, body.to_string(), Duration::ZERO).await.unwrap();
    }

    pub async fn manifest(&self, actor: &ActorId) -> Manifest {
        exchange::export(&self.store, actor).await.unwrap().unwrap()
    }

    /// The keys below this folder, relative to it.
    pub async fn names_below(&self, folder: &str) -> Vec<String> {
        let folder = format!("{KEY_PREFIX}/{folder}");
        let listed = self.bucket.list(&folder).await.unwrap();
        listed.into_iter().map(|object| object.key[folder.len()..].to_owned()).collect()
    }

    /// The actor's files in the local copy.
    #[must_use]
    pub fn local_files(&self, actor: &ActorId) -> Vec<String> {
        names_in(&self.local_folder(actor))
    }

    /// The files that a plan or a manual message has moved to the trash of the local copy.
    #[must_use]
    pub fn local_trash(&self, actor: &ActorId, plan_id: &str) -> Vec<String> {
        names_in(&self.data.path().join(actor.as_str()).join("trash").join(plan_id))
    }

    /// The folder of the actor's images in the local copy.
    #[must_use]
    pub fn local_folder(&self, actor: &ActorId) -> std::path::PathBuf {
        self.data.path().join(actor.as_str()).join("training_data")
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn clock(virtual_clock: &Arc<VirtualClock>) -> Clock {
    let virtual_clock = Arc::clone(virtual_clock);
    Clock::telling(move || virtual_clock.now())
}

/// Creates a table with the keys of the template's.
pub async fn make_table(dynamodb: &aws_sdk_dynamodb::Client, name: &str) {
    let mut request = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, key) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        let element = KeySchemaElement::builder().attribute_name(attribute).key_type(key);
        request = request
            .attribute_definitions(definition.attribute_type(ScalarAttributeType::S).build().unwrap())
            .key_schema(element.build().unwrap());
    }
    request.send().await.unwrap();
}

/// Creates the three queues, each with its dead-letter queue.
async fn make_queues(sqs: &aws_sdk_sqs::Client) -> QueueUrls {
    let mut urls = Vec::new();
    for name in ["evaluation", "deletion", "generation"] {
        let dead = sqs.create_queue().queue_name(format!("{name}-dead")).send().await.unwrap().queue_url.unwrap();
        let policy = json!({ "deadLetterTargetArn": arn(sqs, &dead).await, "maxReceiveCount": MAX_DELIVERIES });
        let request = sqs.create_queue().queue_name(name);
        let created = request.attributes(QueueAttributeName::RedrivePolicy, policy.to_string()).send().await;
        urls.push(created.unwrap().queue_url.unwrap());
    }
    let [evaluation, deletion, generation] = urls.try_into().unwrap();
    QueueUrls { evaluation, deletion, generation }
}

async fn arn(sqs: &aws_sdk_sqs::Client, url: &str) -> String {
    let request = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    request.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone()
}

/// Creates a bucket that sends its notifications to the evaluation queue.
async fn make_bucket(s3: &aws_sdk_s3::Client, sqs: &aws_sdk_sqs::Client, name: &str, queue: &str) {
    s3.create_bucket().bucket(name).send().await.unwrap();
    let filter =
        aws_sdk_s3::types::FilterRule::builder().name("prefix".into()).value(format!("{KEY_PREFIX}/training_data/"));
    let key = aws_sdk_s3::types::S3KeyFilter::builder().filter_rules(filter.build()).build();
    let filter = aws_sdk_s3::types::NotificationConfigurationFilter::builder().key(key).build();
    let told = QueueConfiguration::builder()
        .queue_arn(arn(sqs, queue).await)
        .events(Event::from("s3:ObjectCreated:*"))
        .filter(filter)
        .build()
        .unwrap();
    let told = NotificationConfiguration::builder().queue_configurations(told).build();
    let request = s3.put_bucket_notification_configuration().bucket(name).notification_configuration(told);
    request.send().await.unwrap();
}
