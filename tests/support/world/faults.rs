//! A proxy between the workers and all services, AWS and the paid ones. It records every call and injects faults.
//!
//! It also removes delays: a delayed message arrives at once, and the virtual clock advances instead.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use hyper::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use tokio::sync::Notify;

use super::virtual_clock::VirtualClock;
use crate::proxy::{Intercept, Proxy, Received, Reply, Upstream};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The worker crashes before the service receives the call.
    CrashBefore,
    /// The service processes the call, and the worker crashes before it receives the response.
    CrashAfter,
    /// The service processes the call, and the response is lost. The worker continues.
    ResponseLost,
    /// The service is unavailable and doesn't process the call. The worker continues.
    Unavailable,
    /// The worker stalls before the service receives the call, until [`Network::resume`].
    Stall,
    /// A transaction holds the item of a plain write, so `DynamoDB` rejects the write. Other calls succeed.
    Conflict,
}

impl Fault {
    pub const ALL: [Self; 5] =
        [Self::CrashBefore, Self::CrashAfter, Self::ResponseLost, Self::Unavailable, Self::Conflict];
}

/// Which call fails.
enum Call {
    At(usize),
    Containing(String),
}

pub struct Network {
    proxy: Proxy,
    state: Arc<State>,
}

struct State {
    upstream: Upstream,
    upstreams: Vec<(&'static str, String)>,
    calls: Mutex<Vec<String>>,
    fault: Mutex<Option<(Call, Fault)>>,
    /// Every n-th call fails with a conflict.
    conflicts: AtomicUsize,
    crashed: Notify,
    stalled: Notify,
    resumed: Notify,
    virtual_clock: Arc<VirtualClock>,
}

impl Network {
    /// A network in which a path's first segment names the service, such as `/replicate`; everything else is AWS, at
    /// `aws`. The seconds that pass are added to `virtual_clock`.
    pub(super) async fn start(
        aws: &str,
        services: &[(&'static str, String)],
        virtual_clock: Arc<VirtualClock>,
    ) -> Self {
        let mut upstreams = services.to_vec();
        upstreams.push(("", aws.to_owned()));
        let state = State {
            upstream: Upstream::new(),
            upstreams,
            calls: Mutex::default(),
            fault: Mutex::default(),
            conflicts: AtomicUsize::new(usize::MAX),
            crashed: Notify::new(),
            stalled: Notify::new(),
            resumed: Notify::new(),
            virtual_clock,
        };
        let state = Arc::new(state);
        Self { proxy: Proxy::start(Arc::clone(&state)).await, state }
    }

    #[must_use]
    pub fn address(&self) -> &str {
        self.proxy.address()
    }

    /// The descriptions of all calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Makes the call with this index fail.
    pub fn fail_at(&self, call: usize, fault: Fault) {
        *self.state.fault.lock().unwrap() = Some((Call::At(call), fault));
    }

    /// Makes the call after the next `more` calls fail.
    pub fn fail_after(&self, more: usize, fault: Fault) {
        let made = self.state.calls.lock().unwrap().len();
        self.fail_at(made + more, fault);
    }

    /// From now on, makes every n-th call fail with a conflict.
    pub fn conflict_every(&self, every: usize) {
        self.state.conflicts.store(every, Ordering::SeqCst);
    }

    /// Makes the next call fail whose description contains this text.
    pub fn fail_on(&self, text: &str, fault: Fault) {
        *self.state.fault.lock().unwrap() = Some((Call::Containing(text.to_owned()), fault));
    }

    /// Cancels a fault that no call has met yet.
    pub fn stop_failing(&self) {
        *self.state.fault.lock().unwrap() = None;
    }

    /// Whether the requested fault has happened.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state.fault.lock().unwrap().is_none()
    }

    /// Waits until the worker stalls.
    pub async fn stall(&self) {
        self.state.stalled.notified().await;
    }

    /// Lets a stalled worker continue.
    pub fn resume(&self) {
        self.state.resumed.notify_one();
    }

    /// Waits until the worker must crash.
    pub async fn crash(&self) {
        self.state.crashed.notified().await;
    }
}

impl Intercept for State {
    async fn answer(&self, call: Received) -> Option<Reply> {
        let description = describe(&call);
        let fault = self.record(&description);
        match fault {
            Some(Fault::Conflict) if is_plain_write(&description) => return Some(conflict()),
            Some(Fault::CrashBefore) => return self.kill().await,
            Some(Fault::Unavailable) => return Some(unavailable()),
            Some(Fault::Stall) => {
                self.stalled.notify_one();
                self.resumed.notified().await;
            }
            _ => {}
        }
        let reply = self.forward(call).await;
        match fault {
            Some(Fault::CrashAfter) => self.kill().await,
            Some(Fault::ResponseLost) => None,
            _ => Some(reply),
        }
    }
}

impl State {
    /// Records a call and returns its fault.
    fn record(&self, call: &str) -> Option<Fault> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(call.to_owned());
        let index = calls.len() - 1;
        if index % self.conflicts.load(Ordering::SeqCst) == 1 {
            return Some(Fault::Conflict);
        }
        let mut fault = self.fault.lock().unwrap();
        let matches = |which: &Call| match which {
            Call::At(at) => *at == index,
            Call::Containing(text) => call.contains(text),
        };
        fault.take_if(|(which, _)| matches(which)).map(|(_, hit)| hit)
    }

    async fn kill(&self) -> Option<Reply> {
        self.crashed.notify_one();
        std::future::pending().await
    }

    async fn forward(&self, call: Received) -> Reply {
        let is_upstream =
            |(name, _): &&(&str, String)| name.is_empty() || call.path[1..].starts_with(&format!("{name}/"));
        let (name, service) = self.upstreams.iter().find(is_upstream).unwrap();
        let path = if name.is_empty() { call.path.clone() } else { call.path[1 + name.len()..].to_owned() };
        let is_heartbeat = describe(&call).ends_with("ChangeMessageVisibilityBatch");
        let call = if is_heartbeat { call } else { Received { body: self.without_delay(call.body), ..call } };
        self.upstream.forward(service, &path, &call).await.unwrap()
    }

    /// Removes the delay from a request and advances the virtual clock by it.
    fn without_delay(&self, body: Bytes) -> Bytes {
        let Ok(text) = std::str::from_utf8(&body) else { return body };
        for field in ["\"DelaySeconds\":", "\"VisibilityTimeout\":"] {
            if let Some((before, after)) = text.split_once(field) {
                let digits = after.chars().take_while(char::is_ascii_digit).count();
                let seconds: i64 = after[..digits].parse().unwrap_or(0);
                self.virtual_clock.advance(SignedDuration::from_secs(seconds));
                return format!("{before}{field}0{}", &after[digits..]).into();
            }
        }
        body
    }
}

/// The operation or the method and path of a call.
fn describe(call: &Received) -> String {
    match call.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => target.to_owned(),
        None => format!("{} {}", call.method, call.path),
    }
}

/// Whether [`Fault::Conflict`] affects a call. Transactions report conflicts in another way.
#[must_use]
pub fn is_plain_write(call: &str) -> bool {
    ["UpdateItem", "PutItem", "DeleteItem"].iter().any(|operation| call.ends_with(&format!(".{operation}")))
}

fn conflict() -> Reply {
    const BODY: &[u8] = br#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"Transaction is ongoing for the item"}"#;
    Reply { status: StatusCode::BAD_REQUEST, headers: HeaderMap::new(), body: Bytes::from_static(BODY) }
}

fn unavailable() -> Reply {
    let body = Bytes::from_static(b"{\"__type\":\"ServiceUnavailable\"}");
    Reply { status: StatusCode::SERVICE_UNAVAILABLE, headers: HeaderMap::new(), body }
}
