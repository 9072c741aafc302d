//! The identity of a request. SQS gives a deferred copy a new message id and a new sent timestamp, so the copy carries
//! the first ones as attributes.

use std::collections::HashMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use jiff::Timestamp;

use crate::AwsError;

/// The attribute with [`Request::id`].
pub const REQUEST_ID: &str = "request_id";

/// The attribute with [`Request::first_sent_at`], in milliseconds since 1970.
pub const FIRST_SENT_AT: &str = "first_sent_at";

/// What a message requests is the same request for all its deliveries and deferred copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the message that was sent first.
    pub id: String,
    /// When SQS received that message; `None` if unknown.
    pub first_sent_at: Option<Timestamp>,
}

impl Request {
    pub(super) fn attributes(&self) -> Result<HashMap<String, MessageAttributeValue>, AwsError> {
        let mut attributes = HashMap::from([(REQUEST_ID.to_owned(), attribute("String", self.id.clone())?)]);
        if let Some(first_sent_at) = self.first_sent_at {
            let milliseconds = first_sent_at.as_millisecond().to_string();
            attributes.insert(FIRST_SENT_AT.to_owned(), attribute("Number", milliseconds)?);
        }
        Ok(attributes)
    }
}

fn attribute(data_type: &str, value: String) -> Result<MessageAttributeValue, AwsError> {
    let attribute = MessageAttributeValue::builder().data_type(data_type).string_value(value).build();
    attribute.map_err(|error| AwsError::new("SQS", "SendMessage", "an attribute", error.to_string()))
}
