//! The emulator and the real template. A short Python program replaces the functions.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use local_stack::{Account, Emulator, EmulatorOptions, Error, LocalStack, Stack};
use support::options;

async fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "timed out while waiting for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn nothing_listens_on(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

#[tokio::test]
async fn an_upload_reaches_the_evaluation_function() {
    let directory = tempfile::tempdir().unwrap();
    let account = Account::unique();
    let emulator = EmulatorOptions { log_dir: Some(directory.path().join("logs")), ..EmulatorOptions::default() };
    let stack = LocalStack::start(emulator, options(directory.path(), account.clone()).await).await.unwrap();
    let s3 = aws_sdk_s3::Client::new(stack.sdk_config());
    let bucket = &stack.outputs().stack.bucket;
    for key in ["base_images/example_actor_base.png", "training_data/example_actor/grün & blau+1 (2).Jpg"] {
        let key = format!("system_actors/{key}");
        s3.put_object().bucket(bucket).key(key).body(b"image".to_vec().into()).send().await.unwrap();
    }

    let log = stack.emulator().function_log_file().to_owned();
    let read = || fs::read_to_string(&log).unwrap();
    wait_for("the event", || read().contains("event {")).await;
    let log = read();
    let key = stack.stack().credentials().access_key_id();
    assert!(key.starts_with(account.id()));
    let started = format!("started {} {key} {bucket}", stack.endpoint());
    assert!(log.contains(&format!("{}: {started}", stack.outputs().evaluation_function)), "{log}");
    assert!(log.contains("example_actor/gr") && !log.contains("base_images"), "{log}");
    let port = stack.emulator().port();
    stack.stop().await.unwrap();
    assert!(nothing_listens_on(port));
}

#[tokio::test]
async fn stacks_in_two_accounts_are_separate() {
    let directory = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(EmulatorOptions::default()).await.unwrap();
    let one = Stack::create(&emulator, options(directory.path(), Account::unique()).await).await.unwrap();
    let two = Stack::create(&emulator, options(directory.path(), Account::unique()).await).await.unwrap();
    assert_ne!(one.outputs().stack.bucket, two.outputs().stack.bucket);
    assert_ne!(one.outputs().stack.evaluation_queue_url, two.outputs().stack.evaluation_queue_url);
    assert!(one.outputs().stack.generation_dlq_url.contains(one.account().id()));
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(EmulatorOptions::default()).await.unwrap();
    let mut options = options(directory.path(), Account::default()).await;
    options.parameters.insert("VisionProvider".to_owned(), "oracle".to_owned());
    let error = Stack::create(&emulator, options).await.unwrap_err();
    assert!(error.to_string().contains("VisionProvider"), "{error}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = Emulator::start(EmulatorOptions { port: Some(port), ..EmulatorOptions::default() }).await.unwrap_err();
    assert!(matches!(error, Error::PortInUse { port: named, .. } if named == port), "{error}");
}

#[tokio::test]
async fn another_address_works_and_a_used_port_is_named() {
    let host = Some(Ipv4Addr::new(127, 0, 0, 2));
    let emulator = Emulator::start(EmulatorOptions { host, ..EmulatorOptions::default() }).await.unwrap();
    let port = emulator.port();
    assert_eq!(emulator.endpoint(), format!("http://127.0.0.2:{port}"));
    let error = Emulator::start(EmulatorOptions { host, port: Some(port), ..EmulatorOptions::default() }).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("port {port} on 127.0.0.2 is in use")), "{error}");
}

#[tokio::test]
async fn foreign_address_is_reported_with_the_remedy() {
    // RFC 5737 reserves this address for documentation, so no machine has it.
    let host = Some(Ipv4Addr::new(192, 0, 2, 1));
    let error = Emulator::start(EmulatorOptions { host, ..EmulatorOptions::default() }).await.unwrap_err();
    let error = error.to_string();
    assert!(error.starts_with("192.0.2.1 can't be listened on") && error.contains("ip address"), "{error}");
}

/// Not a test: the process that [`the_emulator_ends_with_its_killed_parent`] kills.
#[tokio::test]
#[ignore = "another test runs it in a separate process"]
async fn parent() {
    let directory = PathBuf::from(std::env::var_os("STACK_DIRECTORY").unwrap());
    let emulator = EmulatorOptions { log_dir: Some(directory.clone()), ..EmulatorOptions::default() };
    let stack = LocalStack::start(emulator, options(&directory, Account::default()).await).await.unwrap();
    let s3 = aws_sdk_s3::Client::new(stack.sdk_config());
    let put = s3.put_object().bucket(&stack.outputs().stack.bucket);
    let key = "system_actors/training_data/example_actor/a.png";
    put.key(key).body(b"image".to_vec().into()).send().await.unwrap();
    let log = stack.emulator().function_log_file();
    wait_for("the function", || fs::read_to_string(log).unwrap().contains("event {")).await;
    println!("port {}", stack.emulator().port());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_emulator_ends_with_its_killed_parent() {
    let directory = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap());
    parent.args(["--ignored", "--exact", "parent", "--nocapture"]).env("STACK_DIRECTORY", directory.path());
    let mut parent = parent.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.unwrap().strip_prefix("port ")?.parse().ok()).unwrap();

    assert!(!nothing_listens_on(port));
    assert_eq!(running_functions(directory.path()), 1);
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_for("the end of the emulator", || nothing_listens_on(port)).await;
    wait_for("the end of the function", || running_functions(directory.path()) == 0).await;
}

/// The number of running processes of this test's function. The stack keeps the executable under a name that ends with its
/// size and time of modification.
fn running_functions(directory: &Path) -> usize {
    let metadata = fs::metadata(directory.join("bootstrap")).unwrap();
    let modified = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    let name = format!("/functions/bootstrap-{}-{}", metadata.len(), modified.as_nanos());
    let processes = Command::new("ps").args(["-ww", "-eo", "args"]).output().unwrap();
    let processes = String::from_utf8(processes.stdout).unwrap();
    processes.lines().filter(|line| line.contains(&name)).count()
}
