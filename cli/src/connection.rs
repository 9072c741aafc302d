//! The connection to a running stack, on this machine or in AWS.

use anyhow::bail;
use aws::SdkConfig;
use aws::stack::{Services, StackRef};
use aws::store::actors::ActorRecord;
use aws_config::BehaviorVersion;
use domain::actor::ActorId;
use handlers::local_copy::LocalCopy;
use local_stack::Outputs;

use crate::arguments::Connection;
use crate::local::data_folder::ActorFolder;
use crate::local::{RunningStack, save_manifest_beside_run, wait_for_starting};
use crate::outcome::remark;
use crate::stack_parameters::StackParameters;

/// A running stack.
pub struct Connected {
    pub stack: StackRef,
    pub services: Services,
    pub parameters: StackParameters,
    /// The folder that a stack on this machine keeps identical to its bucket.
    pub local: LocalCopy,
}

/// A stack in AWS, with the functions that `pause` and `resume` act on.
pub struct InAws {
    pub sdk: SdkConfig,
    pub outputs: Outputs,
}

impl InAws {
    /// Finds a stack by its name.
    pub async fn find(name: &str) -> anyhow::Result<Self> {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let outputs = Outputs::of_stack(&sdk, name).await?;
        Ok(Self { sdk, outputs })
    }
}

impl Connected {
    /// Finds the intended stack, if necessary by the actors that the command concerns.
    pub async fn to(connection: &Connection, actors: &[ActorId]) -> anyhow::Result<Self> {
        match &connection.stack {
            Some(name) => Ok(Self::in_aws(InAws::find(name).await?)),
            None => {
                wait_for_starting(connection.data.as_deref()).await?;
                Ok(Self::on_this_machine(RunningStack::find(connection.data.as_deref(), actors)?))
            }
        }
    }

    /// The record of an actor. Fails if the stack does not know the actor.
    pub async fn actor(&self, actor: &ActorId) -> anyhow::Result<ActorRecord> {
        match self.services.store.actor(actor).await? {
            Some(record) => Ok(record),
            None => bail!("the stack does not know the actor {actor}; `balancer status` lists the known ones"),
        }
    }

    /// Writes the actor's `manifest.json` immediately if the stack keeps a folder, so that a kill in the next moment
    /// loses nothing. The stack's own run writes it too, a little later.
    pub async fn keep_manifest(&self, actor: &ActorId) {
        let Some(dir) = self.local.actor_dir(actor).filter(|dir| dir.is_dir()) else { return };
        let folder = ActorFolder { actor: actor.clone(), dir };
        if let Err(problem) = save_manifest_beside_run(&self.services.store, &folder, &self.parameters.settings()).await
        {
            remark(format!("{} is not up to date yet: {problem:#}", folder.manifest().display()));
        }
    }

    fn in_aws(InAws { sdk, outputs }: InAws) -> Self {
        let stack = outputs.stack;
        let parameters = StackParameters(outputs.parameters);
        Self { services: stack.services(&sdk), parameters, local: LocalCopy::new(None), stack }
    }

    pub fn on_this_machine(running: RunningStack) -> Self {
        let sdk = local_stack::sdk_config(running.endpoint(), &running.credentials());
        let services = running.stack.services(&sdk);
        let local = LocalCopy::new(running.kept_data());
        Self { services, parameters: running.parameters, local, stack: running.stack }
    }
}
