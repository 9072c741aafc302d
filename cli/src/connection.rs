//! Talking to a stack that is running: the one of this machine, or one in AWS.

use aws_config::BehaviorVersion;
use balancer::adapters::queues::Queues;
use balancer::adapters::store::Store;
use balancer::config::QueueUrls;
use local_stack::{Account, Outputs};

use crate::arguments::Connection;
use crate::local::RunningStack;

/// A running stack.
pub struct Connected {
    pub store: Store,
    pub queues: Queues,
}

impl Connected {
    /// Finds the stack that is meant.
    ///
    /// # Errors
    /// If there is none.
    pub async fn to(connection: &Connection) -> anyhow::Result<Self> {
        match &connection.stack {
            Some(name) => Self::in_aws(name).await,
            None => Self::on_this_machine(),
        }
    }

    async fn in_aws(name: &str) -> anyhow::Result<Self> {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let outputs = Outputs::of_stack(&sdk, name).await?;
        let urls = QueueUrls {
            evaluation: outputs.evaluation_queue_url,
            deletion: outputs.deletion_queue_url,
            generation: outputs.generation_queue_url,
        };
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), outputs.table),
            queues: Queues::new(aws_sdk_sqs::Client::new(&sdk), urls),
        })
    }

    fn on_this_machine() -> anyhow::Result<Self> {
        let running = RunningStack::find()?;
        let sdk = local_stack::sdk_config(&running.endpoint, &Account::new(&running.account)?);
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), &running.table),
            queues: Queues::new(aws_sdk_sqs::Client::new(&sdk), running.queue_urls()),
        })
    }
}
