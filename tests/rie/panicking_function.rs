//! A function with the same runtime as the three real ones, to test what a panic does there. A message can make its
//! handler panic, or its clock, which the runtime uses outside the handler.
#![allow(clippy::panic, reason = "it exists to panic")]

use std::sync::atomic::{AtomicBool, Ordering};

use aws::queues::{Queue, Queues};
use aws::store::Store;
use handlers::config::Config;
use handlers::heartbeat::Heartbeat;
use handlers::lambda::Worker;
use handlers::{Clock, Handler, HandlerError, Message};
use handlers::{lambda, wiring};

#[derive(Clone)]
struct Panicking;

impl Handler for Panicking {
    const QUEUE: Queue = Queue::Deletion;

    async fn handle(&self, message: Message<'_>) -> Result<(), HandlerError> {
        if message.body.contains("panic") {
            panic!("the message requests a panic");
        }
        if message.body.contains("break the clock") {
            CLOCK_IS_BROKEN.store(true, Ordering::Relaxed);
            return Err(HandlerError::Rejected("a rejection is recorded with the time".to_owned()));
        }
        Ok(())
    }
}

static CLOCK_IS_BROKEN: AtomicBool = AtomicBool::new(false);

fn clock() -> Clock {
    Clock::telling(|| {
        assert!(!CLOCK_IS_BROKEN.load(Ordering::Relaxed), "the clock is broken");
        jiff::Timestamp::now()
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (config, sdk) = (wiring::configure::<Config>()?, wiring::sdk_config().await);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), &config.table);
    let queues = Queues::new(aws_sdk_sqs::Client::new(&sdk), config.queues);
    lambda::run(Worker { handler: Panicking, store, queues, heartbeat: Heartbeat::default(), clock: clock() }).await
}
