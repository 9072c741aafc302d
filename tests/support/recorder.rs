//! A proxy between a function and AWS that records requests and responses.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request to AWS and its response.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    /// Path and query.
    pub path: String,
    pub headers: HeaderMap,
    /// Only of DynamoDB and SQS; the images of S3 would fill the memory.
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
    /// Only of DynamoDB and SQS.
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
    address: String,
    way: Arc<Way>,
    serving: JoinHandle<()>,
}

struct Way {
    client: reqwest::Client,
    aws: String,
    calls: Mutex<Vec<Call>>,
}

impl Recorder {
    /// A recorder in front of this endpoint.
    pub async fn start(aws: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let way = Arc::new(Way { client, aws: aws.to_owned(), calls: Mutex::default() });
        let serving = tokio::spawn(serve(listener, Arc::clone(&way)));
        Self { address, way, serving }
    }

    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.way.calls.lock().unwrap().clone()
    }

    /// The calls since the last call of this method.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.way.calls.lock().unwrap())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
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

async fn serve(listener: TcpListener, way: Arc<Way>) {
    while let Ok((connection, _)) = listener.accept().await {
        let way = Arc::clone(&way);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let way = Arc::clone(&way);
                async move { way.pass_on(request).await.map_err(std::io::Error::other) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

impl Way {
    async fn pass_on(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, reqwest::Error> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        let mut request = self.client.request(head.method.clone(), format!("{}{path}", self.aws));
        for (name, value) in
            head.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()))
        {
            request = request.header(name, value);
        }
        let answer = request.body(body.clone()).send().await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
            response = response.header(name, value);
        }
        let (status, told) = (answer.status(), answer.bytes().await?);
        self.note(head.method, path, head.headers, body, status, &told);
        Ok(response.body(Full::new(told)).unwrap())
    }

    fn note(&self, method: Method, path: String, headers: HeaderMap, body: Bytes, status: StatusCode, told: &Bytes) {
        let is_readable = headers.contains_key("x-amz-target");
        let readable = |bytes: &Bytes| if is_readable { bytes.clone() } else { Bytes::new() };
        let answer = Answer { at: Instant::now(), status, size: told.len(), body: readable(told) };
        let call = Call { method, path, headers, body: readable(&body), answer };
        self.calls.lock().unwrap().push(call);
    }
}
