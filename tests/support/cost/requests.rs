//! The service and operation of a recorded call.

use hyper::Method;
use serde_json::Value;

use super::FUNCTIONS;
use crate::recorder::Call;

/// Service and operation, such as `DynamoDB GetItem` or `SQS SendMessage`. S3's operations have the names of its price
/// list, such as `S3 PUT`.
pub(super) fn operation(call: &Call) -> String {
    let copies = call.headers.contains_key("x-amz-copy-source");
    match call.target().and_then(|target| target.split_once('.')) {
        Some(("AmazonSQS", operation)) => format!("SQS {operation}"),
        Some((_, operation)) => format!("DynamoDB {operation}"),
        None if call.method == Method::PUT && copies => "S3 COPY".to_owned(),
        None if call.method == Method::GET && call.path.contains("list-type=2") => "S3 LIST".to_owned(),
        None => format!("S3 {}", call.method),
    }
}

/// Whether a call sends a single message to this queue.
pub(super) fn is_message_to(call: &Call, queue_url: &str) -> bool {
    let is_to = |body: Value| body["QueueUrl"] == queue_url;
    call.target() == Some("AmazonSQS.SendMessage") && serde_json::from_slice(&call.body).is_ok_and(is_to)
}

/// The function and the processing time of a message, if this log line reports them to CloudWatch.
pub(super) fn handler_seconds(line: &str) -> Option<(&'static str, f64)> {
    if !line.contains("HandlerSeconds") {
        return None;
    }
    let line: Value = serde_json::from_str(line).ok()?;
    let handler = line["Handler"].as_str()?;
    let function = FUNCTIONS.into_iter().find(|function| function.eq_ignore_ascii_case(handler))?;
    Some((function, line["HandlerSeconds"].as_f64()?))
}
