//! The access key of a stack on this machine: where it is stored, which users can read it, and how clients use it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::actors::Actor;
use crate::support::background::Background;
use crate::support::run::Ran;
use crate::support::stack::Place;

/// The id of a system user that owns no files.
const OTHER_USER: u32 = 65534;

/// Requests of AWS's SDK for Python, which is configured by the environment alone.
const BOTO3: &str = r#"
import boto3, json, sys
from botocore.exceptions import ClientError
bucket, table, queue = sys.argv[1:]
s3 = boto3.client("s3")
s3.put_object(Bucket=bucket, Key="elsewhere/a b+1.txt", Body=b"hello")
print(s3.get_object(Bucket=bucket, Key="elsewhere/a b+1.txt")["Body"].read().decode())
print(len(boto3.client("dynamodb").scan(TableName=table)["Items"]) > 0)
sqs = boto3.client("sqs")
print(sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"actor_id": "hero"}))["ResponseMetadata"]["HTTPStatusCode"])
functions = boto3.client("lambda")
print(len(functions.list_functions()["Functions"]))
for rejected in (
    lambda: functions.create_function(FunctionName="f", Role="arn:aws:iam::0:role/r", Code={"ZipFile": b""}, Runtime="provided.al2023", Handler="h"),
    lambda: s3.create_bucket(Bucket="another"),
    lambda: sqs.create_queue(QueueName="another"),
    lambda: boto3.client("s3", aws_access_key_id="000000000000", aws_secret_access_key="x").list_buckets(),
):
    try:
        rejected()
        print("done")
    except ClientError as error:
        print(error.response["ResponseMetadata"]["HTTPStatusCode"])
"#;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn free_port() -> String {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string()
}

/// `local --serve` that writes its files to this folder.
fn serve(place: &Place, files: &Path) -> Background {
    let mut command = place.local_in_background();
    command.args(["--serve", "--port", &free_port(), "--env-vars"]).arg(files.join("env.json"));
    command.arg("--events").arg(files.join("events"));
    let mut serving = Background::start(command);
    serving.wait_for("Ctrl-C ends it");
    serving
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn boto3_works_with_what_env_prints() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let _serving = serve(&place, &place.tmp());
    let stack = read(&place.registered()[0]);
    let text = |name: &str| stack[name].as_str().unwrap().to_owned();
    let shell = format!("eval \"$('{}' env)\" && exec \"$@\"", env!("CARGO_BIN_EXE_balancer"));
    let mut command = assert_cmd::Command::new("sh");
    // The caller's own AWS settings do not interfere.
    command.env("BALANCER_CACHE_DIR", place.cache()).env("AWS_PROFILE", "theirs").env("AWS_SESSION_TOKEN", "theirs");
    command.args(["-c", &shell, "sh"]).arg(place.python()).args(["-I", "-c", BOTO3]);
    command.args([text("bucket"), text("table"), text("evaluation_queue_url")]);
    let ran = Ran::of(&mut command).done();
    assert_eq!(ran.answer, "hello\nTrue\n200\n3\n403\n403\n403\n403\n", "{ran:#?}");
}

#[test]
fn only_the_owner_can_read_files_with_the_key() {
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let files = place.tmp();
    let planted = files.join("planted");
    fs::write(&planted, "theirs").unwrap();
    symlink(&planted, files.join("env.json")).unwrap();
    fs::create_dir(files.join("events")).unwrap();
    let event = files.join("events/evaluation-manual.json");
    fs::write(&event, "old").unwrap();
    fs::set_permissions(&event, fs::Permissions::from_mode(0o666)).unwrap();
    let serving = serve(&place, &files);

    assert_eq!(fs::read(&planted).unwrap(), b"theirs", "the link is not followed");
    let registered = place.registered().remove(0);
    let key = read(&registered)["access_key_id"].as_str().unwrap().to_owned();
    assert_eq!(read(&files.join("env.json"))["EvaluationFunction"]["EMULATOR_ACCESS_KEY_ID"], key.as_str());
    for file in [&registered, &files.join("env.json"), &event] {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(registered.parent().unwrap()), 0o700);
    for line in command_lines() {
        assert!(!line.contains(&key[12..]), "{line}");
    }
    assert!(!serving.output().contains(&key[12..]), "{}", serving.output());
}

/// The command line of every process, which all users can read.
fn command_lines() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

/// The environments of the processes that were started in this folder.
fn environments(place: &Place) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let is_here = |path: &PathBuf| {
        let line = fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(place.tmp().to_str().unwrap())
    };
    entries.filter(is_here).map(|path| path.join("environ")).collect()
}

#[test]
fn another_user_can_neither_read_nor_use_the_key() {
    // Only root can become another user. The test checks the files' permissions for every user.
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let mut serving = serve(&place, &place.tmp());
    // All users can access the parent folders here, so only the permissions of the files protect the key.
    for folder in place.tmp().ancestors().take(2) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let environments = environments(&place);
    assert!(environments.len() >= 2, "at least two processes: {environments:?}");
    for file in [place.registered().remove(0), place.tmp().join("env.json")].iter().chain(&environments) {
        let read = Command::new("cat").arg(file).uid(OTHER_USER).gid(OTHER_USER).output().unwrap();
        assert!(!read.status.success() && read.stdout.is_empty(), "{}", file.display());
    }
    let endpoint = read(&place.registered()[0])["endpoint"].as_str().unwrap().to_owned();
    let (_, port) = endpoint.rsplit_once(':').unwrap();
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET / HTTP/1.0\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n' >&3; cat <&3"
    );
    let response =
        Command::new("bash").args(["-c", &script]).current_dir("/").uid(OTHER_USER).gid(OTHER_USER).output().unwrap();
    let answer = String::from_utf8_lossy(&response.stdout);
    assert!(answer.contains(" 403 ") && answer.contains("not signed"), "{response:?}");
    serving.signal("INT");
    serving.end();
}

#[test]
fn no_configuration_contains_keys_of_paid_services() {
    const KEYS: [(&str, &str); 2] =
        [("OPENAI_API_KEY", "sk-kept-to-itself"), ("REPLICATE_API_TOKEN", "r8-kept-to-itself")];
    let place = Place::new();
    Actor::balanced(&place.data(), "hero");
    let logs = place.tmp().join("logs");
    let mut command = place.local_in_background();
    command.args(["--watch", "--vision", "openai", "--generator", "replicate", "--logs"]).arg(&logs).envs(KEYS);
    command.env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1").env("REPLICATE_BASE_URL", "http://127.0.0.1:9");
    let mut watching = Background::start(command);
    crate::support::background::wait_until(
        || fs::read_to_string(logs.join("functions.log")).is_ok_and(|log| log.contains("EvaluationFunction")),
        || "the first evaluation".to_owned(),
    );
    let script = r#"
import boto3, json
functions = boto3.client("lambda")
for function in functions.list_functions()["Functions"]:
    print(json.dumps(functions.get_function(FunctionName=function["FunctionName"])["Configuration"]["Environment"]))
"#;
    let shell = format!("eval \"$('{}' env)\" && exec \"$@\"", env!("CARGO_BIN_EXE_balancer"));
    let mut boto3 = assert_cmd::Command::new("sh");
    boto3.env("BALANCER_CACHE_DIR", place.cache()).args(["-c", &shell, "sh"]).arg(place.python());
    let configured = Ran::of(boto3.args(["-I", "-c", script])).done().answer;
    assert!(
        configured.contains("OPENAI_API_KEY_FILE") && configured.contains("REPLICATE_API_TOKEN_FILE"),
        "{configured}"
    );
    let logged = ["functions.log", "emulator.log"].map(|name| fs::read_to_string(logs.join(name)).unwrap());
    let mut readable = vec![configured, watching.output()];
    readable.extend(logged);
    readable.extend(command_lines());
    readable.push(fs::read_to_string(&place.registered()[0]).unwrap());
    for text in readable {
        assert!(!text.contains("kept-to-itself"), "{text}");
    }
    assert_eq!(key_files(&place.tmp()).len(), 2);
    assert!(key_files(&place.tmp()).iter().all(|file| mode(file) == 0o600));
    watching.signal("INT");
    watching.end();
    assert_eq!(key_files(&place.tmp()), Vec::<PathBuf>::new());
}

/// The files below a folder that contain one of the keys.
fn key_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(key_files(&path));
        } else if fs::metadata(&path).is_ok_and(|file| file.len() < 100)
            && fs::read_to_string(&path).is_ok_and(|text| text.contains("kept-to-itself"))
        {
            found.push(path);
        }
    }
    found
}
