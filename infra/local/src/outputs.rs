//! The outputs of a stack.

use std::collections::BTreeMap;

use aws::stack::StackRef;
use aws::{AwsError, Cause};
use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{Output, Stack};

use crate::Error;

const KEY_PREFIX: &str = "KeyPrefix";

/// The outputs of a stack that was created from the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    pub stack: StackRef,
    pub evaluation_function: String,
    pub deletion_function: String,
    pub generation_function: String,
    /// The parameters of the template, without those that may contain a secret.
    pub parameters: BTreeMap<String, String>,
}

/// Whether a parameter of this name may contain a secret. CloudFormation masks them; an emulator might not.
#[must_use]
pub fn may_be_secret(parameter: &str) -> bool {
    ["ApiKey", "ApiToken", "ComfyUiUrl"].iter().any(|secret| parameter.contains(secret))
}

impl Outputs {
    /// Reads the outputs of a deployed stack. Fails if the stack doesn't exist or was created from another template.
    pub async fn of_stack(sdk_config: &SdkConfig, name: &str) -> Result<Self, Error> {
        let client = aws_sdk_cloudformation::Client::new(sdk_config);
        let answer = client.describe_stacks().stack_name(name).send().await;
        let answer = answer.map_err(|error| match error.code() {
            Some(UNKNOWN_STACK) => missing(name, sdk_config),
            _ => unreadable(name, &AwsError::of("CloudFormation", "DescribeStacks", name, &error)),
        })?;
        let stack = answer.stacks().first().ok_or_else(|| missing(name, sdk_config))?;
        Self::from_stack(stack, sdk_config)
    }

    pub(crate) fn from_stack(stack: &Stack, sdk_config: &SdkConfig) -> Result<Self, Error> {
        let prefix = stack.parameters().iter().find(|parameter| parameter.parameter_key() == Some(KEY_PREFIX));
        let value = |name: &'static str| {
            let output = stack.outputs().iter().find(|output| output.output_key() == Some(name));
            let value = output.and_then(Output::output_value);
            value.map(str::to_owned).ok_or(Error::OutputMissing { name })
        };
        Ok(Self {
            stack: StackRef {
                region: sdk_config.region().map(ToString::to_string).unwrap_or_default(),
                endpoint: sdk_config.endpoint_url().map(str::to_owned),
                bucket: value("BucketName")?,
                table: value("TableName")?,
                evaluation_queue_url: value("EvaluationQueueUrl")?,
                deletion_queue_url: value("DeletionQueueUrl")?,
                generation_queue_url: value("GenerationQueueUrl")?,
                evaluation_dlq_url: value("EvaluationDlqUrl")?,
                deletion_dlq_url: value("DeletionDlqUrl")?,
                generation_dlq_url: value("GenerationDlqUrl")?,
                key_prefix: prefix
                    .and_then(|parameter| parameter.parameter_value())
                    .ok_or(Error::OutputMissing { name: KEY_PREFIX })?
                    .to_owned(),
            },
            evaluation_function: value("EvaluationFunctionName")?,
            deletion_function: value("DeletionFunctionName")?,
            generation_function: value("GenerationFunctionName")?,
            parameters: parameters_of(stack),
        })
    }

    #[must_use]
    pub fn functions(&self) -> [&str; 3] {
        [&self.evaluation_function, &self.deletion_function, &self.generation_function]
    }
}

/// The answer to a name that CloudFormation doesn't know.
const UNKNOWN_STACK: &str = "ValidationError";

fn missing(name: &str, sdk_config: &SdkConfig) -> Error {
    let region = sdk_config.region().map_or_else(|| "this region".to_owned(), ToString::to_string);
    Error::StackMissing { name: name.to_owned(), region }
}

fn unreadable(name: &str, error: &AwsError) -> Error {
    let Cause { kind, text, remedy } = error.cause().clone();
    let remedy = remedy.unwrap_or_else(|| "check its name, the region and your credentials".to_owned());
    Error::StackUnreadable { name: name.to_owned(), kind, reason: text, remedy }
}

fn parameters_of(stack: &Stack) -> BTreeMap<String, String> {
    let all = stack.parameters().iter();
    let all = all.filter_map(|parameter| Some((parameter.parameter_key()?, parameter.parameter_value()?)));
    let public = all.filter(|(name, _)| !may_be_secret(name));
    public.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
