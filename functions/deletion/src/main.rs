//! The deletion function; what it does is `balancer::stages`.

use balancer::functions::Connections;
use balancer::lambda;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::run(Connections::from_env().await?.deletion()).await
}
