//! An HTTP proxy in front of services, which a test can observe and disturb.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request that a client sends to the proxy.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The response to a [`Received`].
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a proxy does with a call.
pub(crate) trait Intercept: Send + Sync + 'static {
    /// Returns the response; `None` closes the connection without one.
    fn answer(&self, call: Received) -> impl Future<Output = Option<Reply>> + Send;
}

/// A running proxy. It ends when it is dropped.
pub(crate) struct Proxy {
    address: String,
    serving: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(interceptor: Arc<impl Intercept>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        Self { address, serving: tokio::spawn(serve(listener, interceptor)) }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, interceptor: Arc<impl Intercept>) {
    while let Ok((connection, _)) = listener.accept().await {
        let interceptor = Arc::clone(&interceptor);
        tokio::spawn(async move {
            let service = service_fn(|request| respond(Arc::clone(&interceptor), request));
            // The client may close the connection at any time.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

/// An error makes the server close the connection without a response.
async fn respond(
    interceptor: Arc<impl Intercept>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let closed = || std::io::Error::other("closed");
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| closed())?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let call = Received { method: head.method, path, headers: head.headers, body };
    let answer = interceptor.answer(call).await.ok_or_else(closed)?;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}

/// The client that forwards calls to the services.
#[derive(Clone)]
pub(crate) struct Upstream(reqwest::Client);

impl Upstream {
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self(client.build().unwrap())
    }

    /// Sends a call to the service at this address, below which it has this path.
    pub(crate) async fn forward(&self, service: &str, path: &str, call: &Received) -> reqwest::Result<Reply> {
        let mut headers = call.headers.clone();
        headers.remove("host");
        headers.remove("content-length");
        let request = self.0.request(call.method.clone(), format!("{service}{path}"));
        let response = request.headers(headers).body(call.body.clone()).send().await?;
        let (status, mut headers) = (response.status(), response.headers().clone());
        headers.remove("transfer-encoding");
        Ok(Reply { status, headers, body: response.bytes().await? })
    }
}
