//! Talking to a stack that is running: the one of this machine, or one in AWS.

use anyhow::bail;
use aws::bucket::Bucket;
use aws::queues::QueueUrls;
use aws::queues::Queues;
use aws::store::Store;
use aws::store::actors::ActorRecord;
use aws_config::BehaviorVersion;
use domain::actor::ActorId;
use domain::keys::Keys;
use handlers::local_copy::LocalCopy;
use handlers::wiring::s3_client;
use local_stack::Outputs;

use crate::arguments::Connection;
use crate::local::data_folder::ActorFolder;
use crate::local::{RunningStack, save_manifest_beside_run};
use crate::outcome::remark;

/// A running stack.
pub struct Connected {
    pub store: Store,
    pub queues: Queues,
    pub bucket: Bucket,
    pub keys: Keys,
    /// The folder that the stack keeps, where it is one of this machine.
    pub local: LocalCopy,
    /// Where messages go that were given up.
    pub dead_letters: QueueUrls,
}

impl Connected {
    /// Finds the intended stack, if necessary by the actors that the command concerns.
    ///
    /// # Errors
    /// If there is none.
    pub async fn to(connection: &Connection, actors: &[ActorId]) -> anyhow::Result<Self> {
        match &connection.stack {
            Some(name) => Self::in_aws(name).await,
            None => Ok(Self::on_this_machine(RunningStack::find(connection.data.as_deref(), actors)?)),
        }
    }

    /// An actor that the stack knows.
    ///
    /// # Errors
    /// If it doesn't, or can't be asked.
    pub async fn actor(&self, actor: &ActorId) -> anyhow::Result<ActorRecord> {
        match self.store.actor(actor).await? {
            Some(record) => Ok(record),
            None => bail!("the stack does not know the actor {actor}; `balancer status` lists those it knows"),
        }
    }

    /// Writes the actor's `manifest.json` immediately if the stack keeps a folder, so that a kill in the next moment
    /// loses nothing. The stack's own run writes it too, a little later.
    pub async fn keep_manifest(&self, actor: &ActorId) {
        let Some(dir) = self.local.actor_dir(actor).filter(|dir| dir.is_dir()) else { return };
        let folder = ActorFolder { actor: actor.clone(), dir };
        if let Err(problem) = save_manifest_beside_run(&self.store, &folder).await {
            remark(format!("{} is not up to date yet: {problem:#}", folder.manifest().display()));
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
        let dead_letters = QueueUrls {
            evaluation: outputs.evaluation_dlq_url,
            deletion: outputs.deletion_dlq_url,
            generation: outputs.generation_dlq_url,
        };
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), outputs.table),
            queues: Queues::new(aws_sdk_sqs::Client::new(&sdk), urls),
            bucket: Bucket::new(s3_client(&sdk), outputs.bucket),
            keys: Keys::new(&outputs.key_prefix),
            local: LocalCopy::new(None),
            dead_letters,
        })
    }

    /// A stack on this machine.
    pub fn on_this_machine(running: RunningStack) -> Self {
        let sdk = local_stack::sdk_config(&running.endpoint, &running.credentials());
        Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), &running.table),
            queues: Queues::new(aws_sdk_sqs::Client::new(&sdk), running.queue_urls()),
            bucket: Bucket::new(s3_client(&sdk), &running.bucket),
            keys: Keys::new(&running.key_prefix),
            dead_letters: running.dead_letter_urls(),
            local: LocalCopy::new(running.kept_data()),
        }
    }
}
