//! A stack that is created from the template in one account of an emulator.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{Capability, Parameter, ResourceStatus, Stack as StackDescription, StackStatus};

use crate::package::{archive, archive_key, keep, point_at_archives};
use crate::private_file::{create_private_dir, write_private};
use crate::{Account, Binaries, Credentials, Emulator, Error, Outputs};

/// The template's key in the code bucket.
const TEMPLATE_KEY: &str = "template.yaml";

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The input of [`Stack::create`].
#[derive(Clone)]
pub struct StackOptions {
    /// The text of the SAM template.
    pub template: String,
    pub binaries: Binaries,
    /// The template's parameters. A missing one has its default.
    pub parameters: BTreeMap<String, String>,
    /// Keys that must not appear in a function's readable configuration. Each key is written to a file that only its
    /// owner can read and that is removed with the emulator; the parameter of this name receives the file's path.
    pub key_files: BTreeMap<String, String>,
    pub account: Account,
    /// The stack's name, such as `balancer`.
    pub name: String,
}

/// Shows only the names of the parameters: some of the values are keys.
impl fmt::Debug for StackOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template: _, binaries, parameters, key_files, account, name } = self;
        f.debug_struct("StackOptions")
            .field("name", name)
            .field("account", account)
            .field("binaries", binaries)
            .field("parameters", &parameters.keys())
            .field("key_files", &key_files.keys())
            .finish_non_exhaustive()
    }
}

/// A complete stack.
#[derive(Clone, Debug)]
pub struct Stack {
    account: Account,
    credentials: Credentials,
    sdk_config: SdkConfig,
    outputs: Outputs,
}

impl Stack {
    /// Uploads the functions, creates the stack as `sam deploy` does, and waits until it is complete.
    pub async fn create(emulator: &Emulator, mut options: StackOptions) -> Result<Self, Error> {
        let sdk_config = emulator.sdk_config(&options.account);
        let paths = write_keys(emulator, &options)?;
        options.parameters.extend(paths);
        let creation = Creation {
            sdk_config: sdk_config.clone(),
            cloudformation: aws_sdk_cloudformation::Client::new(&sdk_config),
            s3: aws_sdk_s3::Client::new(&sdk_config),
            // Bucket names are global in the emulator too.
            code_bucket: format!("{}-code-{}", options.name, options.account),
            endpoint: emulator.endpoint().to_owned(),
            log: emulator.log_file().to_owned(),
            options,
        };
        let functions = emulator.directory().join("functions");
        create_private_dir(&functions).map_err(Error::io("cannot create", &functions))?;
        creation.upload_code(&functions).await?;
        creation.create().await?;
        let outputs = creation.wait().await?;
        let account = creation.options.account;
        Ok(Self { credentials: emulator.credentials(&account), account, sdk_config, outputs })
    }

    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The credentials that sign requests to the stack.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The configuration for clients of the stack's resources.
    #[must_use]
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.sdk_config
    }
}

/// Writes each key into a file of its own. Returns the parameters that name the files.
fn write_keys(emulator: &Emulator, options: &StackOptions) -> Result<Vec<(String, String)>, Error> {
    let directory = emulator.directory().join(format!("keys-{}", options.account));
    let mut paths = Vec::new();
    for (parameter, key) in &options.key_files {
        create_private_dir(&directory).map_err(Error::io("cannot create", &directory))?;
        let path = directory.join(parameter);
        write_private(&path, key.as_bytes()).map_err(Error::io("cannot write", &path))?;
        paths.push((parameter.clone(), path.display().to_string()));
    }
    Ok(paths)
}

/// A stack during its creation.
struct Creation {
    options: StackOptions,
    sdk_config: SdkConfig,
    cloudformation: aws_sdk_cloudformation::Client,
    s3: aws_sdk_s3::Client,
    code_bucket: String,
    endpoint: String,
    log: PathBuf,
}

impl Creation {
    /// `functions` is the directory that keeps the executables.
    async fn upload_code(&self, functions: &Path) -> Result<(), Error> {
        let created = self.s3.create_bucket().bucket(&self.code_bucket).send().await;
        created.map_err(|error| self.refused("create the code bucket", &error))?;
        for (function, executable) in self.options.binaries.each() {
            self.put(&archive_key(function), archive(&keep(executable, functions)?)?).await?;
        }
        // CloudFormation accepts at most 50 KB in the request itself, so it gets the template's address, as from `sam
        // deploy`.
        self.put(TEMPLATE_KEY, point_at_archives(&self.options.template, &self.code_bucket)?.into_bytes()).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let sent = self.s3.put_object().bucket(&self.code_bucket).key(key).body(bytes.into()).send().await;
        sent.map(drop).map_err(|error| self.refused("store the code and the template", &error))
    }

    async fn create(&self) -> Result<(), Error> {
        let template = format!("{}/{}/{TEMPLATE_KEY}", self.endpoint, self.code_bucket);
        let parameters = self
            .options
            .parameters
            .iter()
            .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build());
        let request = self.cloudformation.create_stack().stack_name(&self.options.name).template_url(template);
        let request = request.set_parameters(Some(parameters.collect()));
        let request = request.capabilities(Capability::CapabilityIam).capabilities(Capability::CapabilityAutoExpand);
        request.send().await.map(drop).map_err(|error| self.refused("create the stack", &error))
    }

    async fn wait(&self) -> Result<Outputs, Error> {
        loop {
            let stack = self.describe().await?;
            match stack.stack_status() {
                Some(StackStatus::CreateComplete) => return Outputs::from_stack(&stack, &self.sdk_config),
                Some(StackStatus::CreateInProgress) => tokio::time::sleep(POLL_INTERVAL).await,
                _ => return Err(self.failure(&stack).await?),
            }
        }
    }

    async fn describe(&self) -> Result<StackDescription, Error> {
        let answer = self.cloudformation.describe_stacks().stack_name(&self.options.name).send().await;
        let answer = answer.map_err(|error| self.refused("describe the stack", &error))?;
        let stack = answer.stacks.unwrap_or_default().into_iter().next();
        stack.ok_or_else(|| self.refused_because("describe the stack", "there is none".to_owned()))
    }

    /// The error of the first resource that failed. Later failures are only its consequences.
    async fn failure(&self, stack: &StackDescription) -> Result<Error, Error> {
        let answer = self.cloudformation.describe_stack_events().stack_name(&self.options.name).send().await;
        let events = answer.map_err(|error| self.refused("list the stack's events", &error))?;
        let failed = events.stack_events().iter().rfind(|event| {
            event.resource_status() == Some(&ResourceStatus::CreateFailed)
                && event.logical_resource_id() != Some(&self.options.name)
        });
        let resource = failed.and_then(|event| event.logical_resource_id()).unwrap_or("the stack");
        let reason = failed.and_then(|event| event.resource_status_reason()).or(stack.stack_status_reason());
        Ok(Error::StackFailed {
            stack: self.options.name.clone(),
            resource: resource.to_owned(),
            reason: reason.unwrap_or("no reason given").to_owned(),
        })
    }

    fn refused<E>(&self, action: &'static str, error: &E) -> Error
    where
        E: StdError + ProvideErrorMetadata,
    {
        let reason = error.message().map_or_else(|| causes(error), str::to_owned);
        self.refused_because(action, reason)
    }

    fn refused_because(&self, action: &'static str, reason: String) -> Error {
        Error::Refused { action, reason, log: self.log.clone() }
    }
}

/// An error and all its sources, in one line.
fn causes(error: &dyn StdError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", causes(source)),
        None => error.to_string(),
    }
}
