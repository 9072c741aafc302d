//! A network that fails where it is told to: everything a worker says to AWS and to the paid services goes through it.
//!
//! It also makes time pass: a message that is to arrive later arrives at once, and the clock is put forward instead.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::passing::Passing;

/// What happens to the worker, or to its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The worker dies before the call reaches the other side.
    DiesBefore,
    /// The call is carried out; the worker dies before it sees the answer.
    DiesAfter,
    /// The call is carried out, and its answer gets lost; the worker lives on.
    AnswerLost,
    /// The other side has a problem, and does nothing; the worker lives on.
    Unavailable,
    /// A transaction is at the item that a plain write is about, and `DynamoDB` says so. Other calls succeed.
    Conflict,
}

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::DiesBefore, Self::DiesAfter, Self::AnswerLost, Self::Unavailable, Self::Conflict];
}

/// Which call fails.
enum Call {
    At(usize),
    Naming(String),
}

/// The network between the workers and everything else.
pub struct Network {
    address: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    client: reqwest::Client,
    upstreams: Vec<(&'static str, String)>,
    calls: Mutex<Vec<String>>,
    fault: Mutex<Option<(Call, Fault)>>,
    /// Every how-many-eth call finds a transaction at its item.
    conflicts: AtomicUsize,
    died: Notify,
    passing: Arc<Passing>,
}

/// A connection that is cut.
struct Cut;

impl Network {
    /// A network in which a path's first segment names the service, such as `/replicate`; everything else is AWS, at
    /// `aws`. The seconds that pass are added to `passing`.
    pub(super) async fn start(aws: &str, services: &[(&'static str, String)], passing: Arc<Passing>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut upstreams = services.to_vec();
        upstreams.push(("", aws.to_owned()));
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let state = State {
            client,
            upstreams,
            calls: Mutex::default(),
            fault: Mutex::default(),
            conflicts: AtomicUsize::new(usize::MAX),
            died: Notify::new(),
            passing,
        };
        let state = Arc::new(state);
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, serving }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The calls so far, in words.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Lets the call with this index fail, once.
    pub fn fail_at(&self, call: usize, fault: Fault) {
        *self.state.fault.lock().unwrap() = Some((Call::At(call), fault));
    }

    /// Lets the call that follows after `more` others fail, once.
    pub fn fail_after(&self, more: usize, fault: Fault) {
        let made = self.state.calls.lock().unwrap().len();
        self.fail_at(made + more, fault);
    }

    /// Lets one call in `every` find a transaction at its item, from now on.
    pub fn conflict_often(&self, every: usize) {
        self.state.conflicts.store(every, Ordering::SeqCst);
    }

    /// Lets the next call fail whose description contains this text, once.
    pub fn fail_naming(&self, text: &str, fault: Fault) {
        *self.state.fault.lock().unwrap() = Some((Call::Naming(text.to_owned()), fault));
    }

    /// Lets nothing fail any more.
    pub fn heal(&self) {
        *self.state.fault.lock().unwrap() = None;
    }

    /// Whether every call that was to fail has done so.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state.fault.lock().unwrap().is_none()
    }

    /// Returns when the worker has to die.
    pub async fn death(&self) {
        self.state.died.notified().await;
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(converse(connection, Arc::clone(&state)));
    }
}

async fn converse(connection: TcpStream, state: Arc<State>) {
    let service = service_fn(|request| {
        let state = Arc::clone(&state);
        // An error here makes the server close the connection without an answer.
        async move { state.pass_on(request).await.map_err(|Cut| std::io::Error::other("cut")) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

impl State {
    async fn pass_on(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let call = in_words(&head.method, path, &head.headers);
        let fault = self.note(&call);
        match fault {
            Some(Fault::Conflict) if is_plain_write(&call) => return Ok(conflict()),
            Some(Fault::DiesBefore) => return self.kill().await,
            Some(Fault::Unavailable) => return Ok(unavailable()),
            _ => {}
        }
        let answer = self.forward(&head.method, path, &head.headers, body).await;
        match fault {
            Some(Fault::DiesAfter) => self.kill().await,
            Some(Fault::AnswerLost) => Err(Cut),
            _ => Ok(answer),
        }
    }

    /// Notes a call, and says what is to happen to it.
    fn note(&self, call: &str) -> Option<Fault> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(call.to_owned());
        let index = calls.len() - 1;
        if index % self.conflicts.load(Ordering::SeqCst) == 1 {
            return Some(Fault::Conflict);
        }
        let mut fault = self.fault.lock().unwrap();
        let is_meant = |which: &Call| match which {
            Call::At(at) => *at == index,
            Call::Naming(text) => call.contains(text),
        };
        fault.take_if(|(which, _)| is_meant(which)).map(|(_, hit)| hit)
    }

    async fn kill(&self) -> Result<Response<Full<Bytes>>, Cut> {
        self.died.notify_one();
        std::future::pending().await
    }

    async fn forward(
        &self,
        method: &hyper::Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Response<Full<Bytes>> {
        let is_upstream = |(name, _): &&(&str, String)| name.is_empty() || path[1..].starts_with(&format!("{name}/"));
        let (name, upstream) = self.upstreams.iter().find(is_upstream).unwrap();
        let path = if name.is_empty() { path } else { &path[1 + name.len()..] };
        let mut request = self.client.request(method.clone(), format!("{upstream}{path}"));
        for (name, value) in headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str())) {
            request = request.header(name, value);
        }
        let answer = request.body(self.without_waiting(body)).send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
            response = response.header(name, value);
        }
        response.body(Full::new(answer.bytes().await.unwrap())).unwrap()
    }

    /// What is to happen later happens now, and the clock is put forward.
    fn without_waiting(&self, body: Bytes) -> Bytes {
        let Ok(text) = std::str::from_utf8(&body) else { return body };
        for field in ["\"DelaySeconds\":", "\"VisibilityTimeout\":"] {
            if let Some((before, after)) = text.split_once(field) {
                let digits = after.chars().take_while(char::is_ascii_digit).count();
                let seconds: i64 = after[..digits].parse().unwrap_or(0);
                self.passing.add(SignedDuration::from_secs(seconds));
                return format!("{before}{field}0{}", &after[digits..]).into();
            }
        }
        body
    }
}

/// The operation and what it is about, for people who look for the call that went wrong.
fn in_words(method: &hyper::Method, path: &str, headers: &HeaderMap) -> String {
    match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => target.to_owned(),
        None => format!("{method} {path}"),
    }
}

/// Transactions are answered otherwise.
fn is_plain_write(call: &str) -> bool {
    ["UpdateItem", "PutItem", "DeleteItem"].iter().any(|operation| call.ends_with(&format!(".{operation}")))
}

fn conflict() -> Response<Full<Bytes>> {
    const BODY: &[u8] = br#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"Transaction is ongoing for the item"}"#;
    let mut response = Response::new(Full::new(Bytes::from_static(BODY)));
    *response.status_mut() = hyper::StatusCode::BAD_REQUEST;
    response
}

fn unavailable() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"__type\":\"ServiceUnavailable\"}")));
    *response.status_mut() = hyper::StatusCode::SERVICE_UNAVAILABLE;
    response
}
