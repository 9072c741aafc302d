//! A proxy between a function and AWS that records requests and responses.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use hyper::body::Bytes;
use hyper::{HeaderMap, Method, StatusCode};

use crate::proxy::{Intercept, Proxy, Received, Reply, Upstream};

/// A request to AWS and its response.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    /// Recorded only for DynamoDB and SQS; the images of S3 would fill the memory.
    pub body: Bytes,
    pub answer: Answer,
}

/// A response of AWS.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The time, which orders the calls of several recorders.
    pub at: Instant,
    /// Whether the request succeeded.
    pub status: StatusCode,
    /// The size of the body, in bytes.
    pub size: usize,
    /// Recorded only for DynamoDB and SQS.
    pub body: Bytes,
}

impl Call {
    /// The operation of DynamoDB or SQS, such as `DynamoDB_20120810.GetItem`; S3 has none.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.headers.get("x-amz-target")?.to_str().ok()
    }
}

/// A recording proxy; ends when it is dropped.
pub struct Recorder {
    proxy: Proxy,
    recording: Arc<Recording>,
}

struct Recording {
    upstream: Upstream,
    aws: String,
    calls: Mutex<Vec<Call>>,
}

impl Recorder {
    /// A recorder in front of this endpoint.
    pub async fn start(aws: &str) -> Self {
        let recording = Recording { upstream: Upstream::new(), aws: aws.to_owned(), calls: Mutex::default() };
        let recording = Arc::new(recording);
        Self { proxy: Proxy::start(Arc::clone(&recording)).await, recording }
    }

    #[must_use]
    pub fn address(&self) -> &str {
        self.proxy.address()
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.recording.calls.lock().unwrap().clone()
    }

    /// The calls since the last call of this method.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.recording.calls.lock().unwrap())
    }
}

impl Intercept for Recording {
    async fn answer(&self, call: Received) -> Option<Reply> {
        let reply = self.upstream.forward(&self.aws, &call.path, &call).await.ok()?;
        let is_readable = call.headers.contains_key("x-amz-target");
        let readable = |bytes: &Bytes| if is_readable { bytes.clone() } else { Bytes::new() };
        let answer =
            Answer { at: Instant::now(), status: reply.status, size: reply.body.len(), body: readable(&reply.body) };
        let Received { method, path, headers, body } = call;
        self.calls.lock().unwrap().push(Call { method, path, headers, body: readable(&body), answer });
        Some(reply)
    }
}

/// The template with this endpoint for a function's calls to S3, DynamoDB and SQS.
#[must_use]
pub fn behind(template: &str, function: &str, address: &str) -> String {
    let services = ["S3", "DYNAMODB", "SQS"];
    let lines = services.map(|service| format!("          AWS_ENDPOINT_URL_{service}: {address}\n")).concat();
    let (before, rest) = template.split_once(&format!("  {function}:\n")).unwrap();
    let (own, after) = rest.split_once("\n\n").unwrap();
    let heading = "        Variables:\n";
    let own = if own.contains(heading) {
        own.replacen(heading, &format!("{heading}{lines}"), 1)
    } else {
        let events = "      Events:\n";
        own.replacen(events, &format!("      Environment:\n{heading}{lines}{events}"), 1)
    };
    format!("{before}  {function}:\n{own}\n\n{after}")
}
