//! From the environment to a running function.

use aws_config::BehaviorVersion;

use crate::adapters::bucket::Bucket;
use crate::adapters::generator::Generator;
use crate::adapters::local_copy::LocalCopy;
use crate::adapters::queues::Queues;
use crate::adapters::store::Store;
use crate::adapters::vision::{VisionError, VisionModel};
use crate::config::Config;
use crate::lambda::Worker;
use crate::stages::Clock;
use crate::stages::delete::Deletion;
use crate::stages::evaluate::Evaluation;
use crate::stages::generate::Generation;

/// The adapters of one function, as its environment says.
pub struct Connections {
    config: Config,
    bucket: Bucket,
    store: Store,
    queues: Queues,
    local: LocalCopy,
}

impl Connections {
    /// Reads the environment, starts the log and makes the clients.
    ///
    /// # Errors
    /// If the environment can't be used; the error names every offending variable.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        lambda_runtime::tracing::init_default_subscriber();
        let config = Config::from_env().inspect_err(|error| tracing::error!("{error}"))?;
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Ok(Self::new(config, &sdk))
    }

    /// The adapters that `config` asks for, reached as `sdk` says.
    #[must_use]
    pub fn new(config: Config, sdk: &aws_config::SdkConfig) -> Self {
        Self {
            bucket: Bucket::new(s3_client(sdk), &config.bucket),
            store: Store::new(aws_sdk_dynamodb::Client::new(sdk), &config.table),
            queues: Queues::new(aws_sdk_sqs::Client::new(sdk), config.queues.clone()),
            local: LocalCopy::new(config.local_data_dir.clone()),
            config,
        }
    }

    /// The evaluation function.
    ///
    /// # Errors
    /// If the vision model can't be loaded.
    pub fn evaluation(self) -> Result<Worker<Evaluation>, VisionError> {
        let Self { config, bucket, store, queues, local } = self;
        let clock = Clock::system();
        let stage = Evaluation {
            bucket,
            store: store.clone(),
            queues: queues.clone(),
            local,
            keys: config.keys,
            vision: VisionModel::new(config.vision)?,
            target: config.target,
            quality_floor: config.quality_floor,
            max_rounds: config.max_rounds,
            quiet: config.quiet,
            clock: clock.clone(),
        };
        Ok(Worker { stage, store, queues, clock })
    }

    /// The deletion function.
    #[must_use]
    pub fn deletion(self) -> Worker<Deletion> {
        let Self { config, bucket, store, queues, local } = self;
        let stage = Deletion { bucket, store: store.clone(), queues: queues.clone(), local, keys: config.keys };
        Worker { stage, store, queues, clock: Clock::system() }
    }

    /// The generation function.
    #[must_use]
    pub fn generation(self) -> Worker<Generation> {
        let Self { config, bucket, store, queues, local } = self;
        let clock = Clock::system();
        let stage = Generation {
            bucket,
            store: store.clone(),
            queues: queues.clone(),
            local,
            keys: config.keys,
            generator: Generator::new(config.generator),
            clock: clock.clone(),
        };
        Worker { stage, store, queues, clock }
    }
}

/// A client of S3. Emulators know buckets by path only; with AWS the default is right.
#[must_use]
pub fn s3_client(sdk: &aws_config::SdkConfig) -> aws_sdk_s3::Client {
    let is_emulator = sdk.endpoint_url().is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(is_emulator).build())
}
