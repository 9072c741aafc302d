//! Builds the three functions from their configuration.

use std::fmt::Display;
use std::sync::Arc;

use aws::metrics;
use aws::stack::Services;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::Credentials;
use providers::generator::{Generator, GeneratorError};
use providers::vision::{VisionError, VisionModel};
use tokio::sync::Semaphore;

use crate::BUILD;
use crate::Clock;
use crate::config;
use crate::config::{Config, EvaluationConfig, GenerationConfig, InvalidConfig, Section};
use crate::delete;
use crate::delete::Deletion;
use crate::evaluate::{Evaluation, MAX_CONCURRENT_READS};
use crate::generate;
use crate::generate::Generation;
use crate::heartbeat::Heartbeat;
use crate::lambda::Worker;
use crate::local_copy::LocalCopy;

/// The variable with the access key of an emulator, for functions under `sam local invoke`.
pub const EMULATOR_ACCESS_KEY_ID: &str = "EMULATOR_ACCESS_KEY_ID";

/// The emulator's only region.
const EMULATOR_REGION: &str = "us-east-1";

/// Starts a function's log and reads its configuration.
pub fn configure<T: Section>() -> Result<T, InvalidConfig> {
    lambda_runtime::tracing::init_default_subscriber();
    // This makes the executable contain the build name, which the command searches for.
    tracing::debug!(build = BUILD, "starting");
    config::from_env().inspect_err(log_start_failure)
}

/// Without this, the runtime would only print the error's debug text, which neither operators nor alarms read.
fn log_start_failure(error: &impl Display) {
    tracing::error!("the function can't start: {error}");
}

/// The SDK configuration from the environment.
///
/// `sam local invoke` passes its caller's credentials and region to the function, so the access key of an emulator has
/// its own variable.
pub async fn sdk_config() -> SdkConfig {
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    match std::env::var(EMULATOR_ACCESS_KEY_ID).ok().filter(|id| !id.is_empty()) {
        Some(id) => {
            let credentials = Credentials::new(id, "not-verified", None, None, "emulator");
            defaults.credentials_provider(credentials).region(EMULATOR_REGION).load().await
        }
        None => defaults.load().await,
    }
}

/// The clients and the local copy that every function needs.
fn services(config: Config, sdk: &SdkConfig) -> (Services, LocalCopy) {
    metrics::set_stack(&config.stack);
    let services = Services::new(sdk, &config.bucket, &config.table, config.queues, config.keys);
    (services, LocalCopy::new(config.local_data_dir))
}

/// # Errors
/// If the vision model can't be loaded, or its key can't be read.
pub async fn evaluation(
    config: EvaluationConfig,
    sdk: &SdkConfig,
    clock: Clock,
) -> Result<Worker<Evaluation>, VisionError> {
    let (Services { bucket, store, queues, keys }, local) = services(config.common, sdk);
    let heartbeat = Heartbeat::default();
    let handler = Evaluation {
        bucket,
        store: store.clone(),
        queues: queues.clone(),
        local,
        keys,
        vision: VisionModel::new(config.vision, sdk).await.inspect_err(log_start_failure)?,
        budget: config.budget,
        settings: config.settings,
        max_deleted_percent: config.max_deleted_percent,
        max_rounds: config.max_rounds,
        quiet: config.quiet,
        stalled_after: config.stalled_after,
        heartbeat,
        read_permits: Arc::new(Semaphore::new(MAX_CONCURRENT_READS)),
        clock: clock.clone(),
    };
    Ok(Worker { handler, store, queues, heartbeat, clock })
}

#[must_use]
pub fn deletion(config: Config, sdk: &SdkConfig, clock: Clock) -> Worker<Deletion> {
    let (Services { bucket, store, queues, keys }, local) = services(config, sdk);
    let heartbeat = Heartbeat::default();
    let handler = Deletion {
        bucket,
        store: store.clone(),
        queues: queues.clone(),
        local,
        keys,
        time_budget: delete::TIME_BUDGET,
        heartbeat,
        clock: clock.clone(),
    };
    Worker { handler, store, queues, heartbeat, clock }
}

/// # Errors
/// If the generator's token can't be read.
pub async fn generation(
    config: GenerationConfig,
    sdk: &SdkConfig,
    clock: Clock,
) -> Result<Worker<Generation>, GeneratorError> {
    let (Services { bucket, store, queues, keys }, local) = services(config.common, sdk);
    let heartbeat = Heartbeat::default();
    let handler = Generation {
        bucket,
        store: store.clone(),
        queues: queues.clone(),
        local,
        keys,
        generator: Generator::new(config.generator, sdk).await.inspect_err(log_start_failure)?,
        format: config.format,
        budget: config.budget,
        time_budget: generate::TIME_BUDGET,
        heartbeat,
        clock: clock.clone(),
    };
    Ok(Worker { handler, store, queues, heartbeat, clock })
}
