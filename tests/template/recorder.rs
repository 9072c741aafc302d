//! Stands between a function and AWS, and notes what the function asks for.

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request to AWS.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Passes on and notes; it ends when it is dropped.
pub(crate) struct Recorder {
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
    pub(crate) async fn start(aws: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let way = Arc::new(Way { client, aws: aws.to_owned(), calls: Mutex::default() });
        let serving = tokio::spawn(serve(listener, Arc::clone(&way)));
        Self { address, way, serving }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.way.calls.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
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
        let call = Call { method: head.method, path, headers: head.headers, body };
        self.calls.lock().unwrap().push(call.clone());

        let mut request = self.client.request(call.method.clone(), format!("{}{}", self.aws, call.path));
        for (name, value) in
            call.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()))
        {
            request = request.header(name, value);
        }
        let answer = request.body(call.body).send().await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
            response = response.header(name, value);
        }
        Ok(response.body(Full::new(answer.bytes().await?)).unwrap())
    }
}
