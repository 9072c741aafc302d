//! A web page in a real browser tries every kind of request that pages can send to a running stack.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and prints why it is skipped")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use local_stack::{Account, EmulatorOptions, LocalStack};
use support::{Request, options};

/// Sends every kind of request that a page can send, with and without the run's access key. The results go to
/// `/report`.
const PAGE: &str = r#"<!doctype html><title>evil</title><body><script type="module">
const stack = "http://ADDRESS", report = {};
const attempt = async (name, go) => {
  try { report[name] = await go() } catch (error) { report[name] = `failed: ${error.name}` }
};
const event = (element, ...names) => new Promise(done => names.forEach(name => element[`on${name}`] = () => done(name)));
const json = { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: "{}" };
const add = (tag, properties) => {
  const element = Object.assign(document.createElement(tag), properties);
  const ended = event(element, "load", "error");
  document.body.append(element);
  return ended;
};
await attempt("read", async () => (await fetch(`${stack}/2015-03-31/functions`)).text());
await attempt("read-with-key", async () =>
  (await fetch(`${stack}/BUCKET/photo.png`, { headers: { Authorization: "AUTHORIZATION" } })).text());
await attempt("read-blindly", async () => (await fetch(`${stack}/BUCKET/photo.png`, { mode: "no-cors" })).type);
await attempt("delete", async () => (await fetch(`${stack}/BUCKET/photo.png`, { method: "DELETE" })).text());
await attempt("make-function", async () => (await fetch(`${stack}/2015-03-31/functions`, json)).type);
await attempt("reset", async () => (await fetch(`${stack}/_ministack/reset`, json)).type);
await attempt("beacon", async () => String(navigator.sendBeacon(`${stack}/beacon`, "x")));
await attempt("image", () => add("img", { src: `${stack}/BUCKET/photo.png` }));
await attempt("image-with-key", () => add("img", { src: `${stack}/BUCKET/photo.png?X-Amz-Credential=CREDENTIAL` }));
await attempt("script", () => add("script", { src: `${stack}/BUCKET/photo.png` }));
await attempt("websocket", () => event(new WebSocket("ws://ADDRESS/"), "open", "error"));
await attempt("form", () => {
  const frame = Object.assign(document.createElement("iframe"), { name: "frame" });
  const form = Object.assign(document.createElement("form"), { method: "POST", action: `${stack}/`, target: "frame" });
  form.innerHTML = '<input name="Action" value="CreateQueue"><input name="QueueName" value="evil">';
  document.body.append(frame, form);
  const ended = event(frame, "load");
  form.submit();
  return ended;
});
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
</script>"#;

/// A browser, which is killed when this value is dropped.
struct Chromium(Child);

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a browser. If none is installed, the test is skipped, but fails in CI.
fn chromium(profile: &Path, arguments: &[&str]) -> Option<Chromium> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut browsers = names.into_iter().filter_map(|name| {
        let mut command = Command::new(name);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--disable-dev-shm-usage", "--no-proxy-server"]);
        command.arg(format!("--user-data-dir={}", profile.display())).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()
    });
    let browser = browsers.next().map(Chromium);
    assert!(browser.is_some() || std::env::var_os("CI").is_none(), "there is no Chromium");
    if browser.is_none() {
        eprintln!("skipped: there is no Chromium");
    }
    browser
}

/// Serves the page to every client until a report arrives. Returns the report.
fn serve(listener: &TcpListener, page: &str) -> serde_json::Value {
    loop {
        let (connection, _) = listener.accept().unwrap();
        if let Some(report) = answer(connection, page) {
            return serde_json::from_slice(&report).unwrap();
        }
    }
}

/// Answers a request. Returns its body if it is the report.
fn answer(mut connection: TcpStream, page: &str) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let (mut start, mut length) = (String::new(), 0);
    reader.read_line(&mut start).ok()?;
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let is_page = start.starts_with("GET / ");
    let text = if is_page { page } else { "" };
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html";
    write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len()).ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    start.starts_with("POST /report ").then_some(body)
}

async fn stack_with_photo(directory: &Path) -> LocalStack {
    let options = options(directory, Account::default()).await;
    let stack = LocalStack::start(EmulatorOptions::default(), options).await.unwrap();
    let s3 = aws_sdk_s3::Client::new(stack.sdk_config());
    let put = s3.put_object().bucket(&stack.outputs().stack.bucket).key("photo.png");
    put.body(b"a person's photo".to_vec().into()).send().await.unwrap();
    stack
}

/// Asserts that the stack has the three functions, the six queues and the photo, and no others.
async fn assert_untouched(stack: &LocalStack) {
    let (port, credentials) = (stack.emulator().port(), stack.stack().credentials());
    let (_, functions) = Request::new("GET", "/2015-03-31/functions", port).signed(credentials, "lambda").send(port);
    assert_eq!(functions.matches("\"FunctionName\"").count(), 3, "{functions}");
    let list = Request::new("POST", "/", port).header("X-Amz-Target", "AmazonSQS.ListQueues");
    let (_, queues) = list.signed(credentials, "sqs").body("application/x-amz-json-1.0", "{}").send(port);
    assert_eq!(queues.matches("http://").count(), 6, "{queues}");
    let s3 = aws_sdk_s3::Client::new(stack.sdk_config());
    s3.head_object().bucket(&stack.outputs().stack.bucket).key("photo.png").send().await.unwrap();
}

#[tokio::test]
async fn page_in_a_browser_reads_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let stack = stack_with_photo(directory.path()).await;
    let id = stack.stack().credentials().access_key_id();
    let page = PAGE
        .replace("ADDRESS", &format!("127.0.0.1:{}", stack.emulator().port()))
        .replace("BUCKET", &stack.outputs().stack.bucket)
        .replace("AUTHORIZATION", &support::authorization(id, "s3"))
        .replace("CREDENTIAL", &format!("{id}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let Some(_browser) = chromium(&directory.path().join("profile"), &[&address]) else { return };
    let report = tokio::task::spawn_blocking(move || serve(&listener, &page)).await.unwrap();

    for (attempt, got) in [
        ("read", "failed: TypeError"),
        ("read-with-key", "failed: TypeError"),
        // Any page can learn this much about any server.
        ("read-blindly", "opaque"),
        ("delete", "failed: TypeError"),
        ("make-function", "opaque"),
        ("reset", "opaque"),
        ("beacon", "true"),
        ("image", "error"),
        ("image-with-key", "error"),
        ("script", "error"),
        ("websocket", "error"),
        ("form", "load"),
    ] {
        assert_eq!(report[attempt], got, "{attempt}: {report:#}");
    }
    let log = fs::read_to_string(stack.emulator().log_file()).unwrap();
    let bucket = &stack.outputs().stack.bucket;
    for refused in [
        "refused 403 GET '/2015-03-31/functions': web pages",
        "refused 403 OPTIONS",
        &format!("refused 403 GET '/{bucket}/photo.png': web pages"),
        "refused 403 POST '/2015-03-31/functions': web pages",
        "refused 403 POST '/_ministack/reset': web pages",
        "refused 403 POST '/beacon': web pages",
        "refused 403 POST '/': web pages",
        "refused 403 GET '/': websocket",
    ] {
        assert!(log.contains(refused), "`{refused}` is not in {log}");
    }
    assert_untouched(&stack).await;
}

#[tokio::test]
async fn page_with_a_rebound_host_name_is_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let stack = stack_with_photo(directory.path()).await;
    let address = format!("http://evil.example:{}/{}/photo.png", stack.emulator().port(), stack.outputs().stack.bucket);
    let rebound = "--host-resolver-rules=MAP evil.example 127.0.0.1";
    let arguments = [rebound, "--dump-dom", &address];
    let Some(mut browser) = chromium(&directory.path().join("profile"), &arguments) else { return };
    let mut seen = String::new();
    browser.0.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    assert!(seen.contains("the host must be an address of this machine"), "{seen}");
    let log = fs::read_to_string(stack.emulator().log_file()).unwrap();
    assert!(log.contains(&format!("refused 421 GET '/{}/photo.png'", stack.outputs().stack.bucket)), "{log}");
    assert_untouched(&stack).await;
}
