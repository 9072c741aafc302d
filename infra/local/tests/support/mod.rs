//! Raw HTTP requests to an emulator, because no client library would send forged ones.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use local_stack::{Account, Binaries, Credentials, StackOptions};

pub const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// A Lambda runtime that prints every event and reports no failure.
const BOOTSTRAP: &str = r#"
import os, sys, urllib.request
api = os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
print("started", os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"], os.environ["BUCKET"], flush=True)
print("takes events from", os.environ["AWS_LAMBDA_RUNTIME_API"], flush=True)
while True:
    with urllib.request.urlopen(api + "next") as event:
        request = event.headers["Lambda-Runtime-Aws-Request-Id"]
        print("event", event.read().decode(), flush=True)
    urllib.request.urlopen(api + request + "/response", data=b'{"batchItemFailures":[]}').close()
"#;

/// The same executable for all three functions.
async fn bootstraps(directory: &Path) -> Binaries {
    let python = local_stack::prepare_environment().await.unwrap();
    let path = directory.join("bootstrap");
    fs::write(&path, format!("#!{}\n{BOOTSTRAP}", python.display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Binaries { evaluation: path.clone(), deletion: path.clone(), generation: path }
}

/// The options for a stack with the embedded providers and with [`BOOTSTRAP`] as its functions.
pub async fn options(directory: &Path, account: Account) -> StackOptions {
    StackOptions {
        template: TEMPLATE.to_owned(),
        binaries: bootstraps(directory).await,
        parameters: ["VisionProvider", "Generator"].map(|name| (name.to_owned(), "embedded".to_owned())).into(),
        key_files: BTreeMap::new(),
        account,
        name: "balancer".to_owned(),
    }
}

/// A request, as text.
#[derive(Clone)]
pub struct Request {
    start: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    /// A request to the emulator at this port without any credentials.
    pub fn new(method: &str, target: &str, port: u16) -> Self {
        let host = ("Host".to_owned(), format!("127.0.0.1:{port}"));
        Self { start: format!("{method} {target} HTTP/1.1"), headers: vec![host], body: String::new() }
    }

    /// Sets another version of HTTP.
    pub fn version(mut self, version: &str) -> Self {
        self.start = self.start.replace("HTTP/1.1", version);
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets another host, or none.
    pub fn host(mut self, host: Option<&str>) -> Self {
        self.headers.remove(0);
        if let Some(host) = host {
            self.headers.insert(0, ("Host".to_owned(), host.to_owned()));
        }
        self
    }

    /// Adds a signature for a service, in the form that the guard checks.
    pub fn signed(self, credentials: &Credentials, service: &str) -> Self {
        self.header("Authorization", &authorization(credentials.access_key_id(), service))
    }

    /// Adds a body of this type.
    pub fn body(mut self, content_type: &str, body: &str) -> Self {
        self.body = body.to_owned();
        let length = body.len().to_string();
        self.header("Content-Type", content_type).header("Content-Length", &length)
    }

    /// The status and the complete response.
    pub fn send(&self, port: u16) -> (u16, String) {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("{}\r\n{headers}Connection: close\r\n\r\n{}", self.start, self.body);
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        connection.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // The guard may close the connection of a refused request before it has read the body.
        let _ = connection.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&answer).to_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        assert!(status.is_some(), "{text}\n->\n{answer}");
        (status.unwrap(), answer)
    }

    /// Asserts a rejection with this status and reason, which no web page is permitted to read.
    pub fn refused(&self, port: u16, status: u16, reason: &str) {
        let (answered, answer) = self.send(port);
        assert_eq!(answered, status, "{}\n{:?}\n{answer}", self.start, self.headers);
        assert!(answer.contains(reason), "{}\n{answer}", self.start);
        assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
    }
}

/// The header that signs a request with this key id.
pub fn authorization(key_id: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key_id}/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00ff"
    )
}
