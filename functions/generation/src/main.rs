//! The entry point of the generation function; the crate `handlers` has its code.

use handlers::Clock;
use handlers::{lambda, wiring};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (config, sdk) = (wiring::configure()?, wiring::sdk_config().await);
    lambda::run(wiring::generation(config, &sdk, Clock::system()).await?).await
}
