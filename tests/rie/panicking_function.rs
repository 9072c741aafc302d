//! A function like the three others, but for its stage, which panics when a message says so: to see what the
//! surroundings that it shares with them make of a panic.
#![allow(clippy::panic, reason = "that is what it is for")]

use balancer::adapters::queues::{Queue, Queues};
use balancer::adapters::store::Store;
use balancer::config::Config;
use balancer::lambda::Worker;
use balancer::stages::{Clock, Message, Stage, StageError};
use balancer::{functions, lambda};

#[derive(Clone)]
struct Panicking;

impl Stage for Panicking {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, message: Message<'_>) -> Result<(), StageError> {
        if message.body == "panic" {
            panic!("this message makes me panic");
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (config, sdk) = (functions::configure::<Config>()?, functions::sdk_config().await);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), &config.table);
    let queues = Queues::new(aws_sdk_sqs::Client::new(&sdk), config.queues);
    lambda::run(Worker { stage: Panicking, store, queues, clock: Clock::system() }).await
}
