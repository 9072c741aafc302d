//! A stand-in for Lambda's runtime interface: passes one event to a function and receives the response.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::mpsc::{Sender, channel};

/// Far longer than any function needs for one event.
const PATIENCE: Duration = Duration::from_secs(240);

/// The end of the request path, such as `response`, and the body.
type Answer = (String, String);

/// The result of an invocation.
pub struct Invoked {
    pub answer: Value,
    /// The peak memory in bytes; 0 if the system doesn't report it.
    pub memory: u64,
    /// Standard output and standard error.
    pub log: String,
}

/// Starts the function `binary`, passes `event` to it and returns its response.
///
/// # Panics
/// If it sends no response, or reports an error.
pub async fn invoke(binary: &Path, variables: BTreeMap<String, String>, event: &str) -> Value {
    invoke_watched(binary, variables, event).await.answer
}

/// Invokes the function and returns its response, peak memory and output.
///
/// # Panics
/// If it sends no response, or reports an error.
pub async fn invoke_watched(binary: &Path, variables: BTreeMap<String, String>, event: &str) -> Invoked {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (answers, mut answered) = channel(1);
    let serving = tokio::spawn(serve(listener, event.to_owned(), answers));
    let mut function = function(binary, variables, &address).spawn().unwrap();
    let answer = tokio::time::timeout(PATIENCE, answered.recv()).await;
    let memory = function.id().map_or(0, peak_memory);
    function.kill().await.unwrap();
    let log = log_of(&function.wait_with_output().await.unwrap());
    serving.abort();
    match answer {
        Ok(Some((path, body))) if path == "response" => {
            Invoked { answer: serde_json::from_str(&body).unwrap(), memory, log }
        }
        other => panic!("{} answered {other:?}\n{log}", binary.display()),
    }
}

/// The peak memory of a process, as Linux reports it.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// Starts the function `binary`, which must fail to start, and returns its output.
///
/// # Panics
/// If it doesn't end, or succeeds.
pub async fn fail_to_start(binary: &Path, variables: BTreeMap<String, String>) -> String {
    let ended = function(binary, variables, "127.0.0.1:9").output();
    let output = tokio::time::timeout(PATIENCE, ended).await.expect("the function should end").unwrap();
    assert!(!output.status.success());
    log_of(&output)
}

fn log_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn function(binary: &Path, variables: BTreeMap<String, String>, runtime_api: &str) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().envs(variables).env("AWS_LAMBDA_RUNTIME_API", runtime_api).envs([
        ("AWS_LAMBDA_FUNCTION_NAME", "test"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn serve(listener: TcpListener, event: String, answers: Sender<Answer>) {
    let is_handed_out = Arc::new(AtomicBool::new(false));
    while let Ok((connection, _)) = listener.accept().await {
        tokio::spawn(converse(connection, event.clone(), Arc::clone(&is_handed_out), answers.clone()));
    }
}

/// Answers requests on one connection. A request for a second event never gets a response, as in Lambda.
async fn converse(connection: TcpStream, event: String, is_handed_out: Arc<AtomicBool>, answers: Sender<Answer>) {
    let mut connection = BufReader::new(connection);
    while let Some((path, body)) = request(&mut connection).await {
        let reply = if path.ends_with("/invocation/next") {
            if is_handed_out.swap(true, Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:test\r\n\r\n{event}",
                event.len()
            )
        } else {
            let end = path.rsplit('/').next().unwrap_or_default().to_owned();
            let _ = answers.send((end, body)).await;
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        connection.get_mut().write_all(reply.as_bytes()).await.unwrap();
    }
}

/// The path and the body of the next request; `None` at the end of the connection.
async fn request(connection: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut line = String::new();
    connection.read_line(&mut line).await.ok().filter(|&bytes| bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    Some((path, String::from_utf8(body).ok()?))
}
