//! The template's outputs by name.

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::DisplayErrorContext;
use aws_sdk_cloudformation::types::{Output, Stack};

use crate::Error;

/// The parameter that says where in the bucket everything lies.
const KEY_PREFIX: &str = "KeyPrefix";

/// What the stack's users need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// The bucket with the images.
    pub bucket: String,
    /// The `DynamoDB` table with the records.
    pub table: String,
    /// The queue that starts evaluations.
    pub evaluation_queue_url: String,
    /// The queue of deletions.
    pub deletion_queue_url: String,
    /// The queue of images to draw.
    pub generation_queue_url: String,
    /// Where messages go that could not be evaluated.
    pub evaluation_dlq_url: String,
    /// Where deletions go that failed.
    pub deletion_dlq_url: String,
    /// Where generations go that failed.
    pub generation_dlq_url: String,
    /// What everything in the bucket lies below: a parameter of the stack, said here since whoever reads the bucket
    /// must know.
    pub key_prefix: String,
    /// The name of the evaluation function.
    pub evaluation_function: String,
    /// The name of the deletion function.
    pub deletion_function: String,
    /// The name of the generation function.
    pub generation_function: String,
}

impl Outputs {
    /// The outputs of a stack that is deployed, wherever `sdk_config` leads.
    ///
    /// # Errors
    /// When there is no such stack, or it is not one made from the template.
    pub async fn of_stack(sdk_config: &SdkConfig, name: &str) -> Result<Self, Error> {
        let client = aws_sdk_cloudformation::Client::new(sdk_config);
        let unreadable = |reason: String| Error::StackUnreadable { name: name.to_owned(), reason };
        let answer = client.describe_stacks().stack_name(name).send().await;
        let answer = answer.map_err(|error| unreadable(DisplayErrorContext(error).to_string()))?;
        let stack = answer.stacks().first().ok_or_else(|| unreadable("there is none".to_owned()))?;
        Self::from_stack(stack)
    }

    pub(crate) fn from_stack(stack: &Stack) -> Result<Self, Error> {
        let prefix = stack.parameters().iter().find(|parameter| parameter.parameter_key() == Some(KEY_PREFIX));
        let value = |name: &'static str| {
            let output = stack.outputs().iter().find(|output| output.output_key() == Some(name));
            let value = output.and_then(Output::output_value);
            value.map(str::to_owned).ok_or(Error::OutputMissing { name })
        };
        Ok(Self {
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
            evaluation_function: value("EvaluationFunctionName")?,
            deletion_function: value("DeletionFunctionName")?,
            generation_function: value("GenerationFunctionName")?,
        })
    }
}
