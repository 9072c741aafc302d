//! The deletion function; what it does is `handlers`.

use handlers::Clock;
use handlers::{functions, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (config, sdk) = (functions::configure()?, functions::sdk_config().await);
    lambda::run(functions::deletion(config, &sdk, Clock::system())).await
}
