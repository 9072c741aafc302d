//! Only programs that know the run's access key reach the emulator.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use aws_sdk_s3::error::ProvideErrorMetadata;
use local_stack::{Account, Credentials, Emulator, EmulatorOptions, LocalStack, sdk_config};
use support::{Request, authorization, options};

const UNSIGNED: &str = "not signed with this stack's access key";
const WEB_PAGE: &str = "web pages have no access";
const HOST: &str = "the host must be an address of this machine";
const SEALED: &str = "the stack is complete";

async fn emulator() -> (Emulator, u16, Credentials) {
    let emulator = Emulator::start(EmulatorOptions::default()).await.unwrap();
    let (port, credentials) = (emulator.port(), emulator.credentials(&Account::default()));
    (emulator, port, credentials)
}

#[tokio::test]
async fn request_without_the_access_key_is_rejected() {
    let (_emulator, port, credentials) = emulator().await;
    let get = || Request::new("GET", "/", port);
    assert_eq!(get().signed(&credentials, "s3").send(port).0, 200);
    let id = credentials.access_key_id();
    let mut wrong = id.to_owned();
    wrong.replace_range(59.., if id.ends_with('0') { "1" } else { "0" });
    for presented in
        ["000000000000", "test", "AKIAIOSFODNN7EXAMPLE", "", &wrong, &id[..59], &format!("{id}0"), &id[12..]]
    {
        get().header("Authorization", &authorization(presented, "s3")).refused(port, 403, UNSIGNED);
    }
    get().refused(port, 403, UNSIGNED);
    for header in [
        &format!("AWS {id}:c2lnbmF0dXJl"),
        &format!("Basic {id}"),
        &format!("Bearer {id}"),
        &authorization(id, "s3").replace("HMAC-SHA256", "ECDSA-P256-SHA256"),
        &format!("{} Credential={id}", authorization("000000000000", "s3")),
        &authorization(id, "s3/../lambda"),
    ] {
        get().header("Authorization", header).refused(port, 403, UNSIGNED);
    }
    get().signed(&credentials, "s3").signed(&credentials, "s3").refused(port, 403, "more than one authorization");
}

#[tokio::test]
async fn rejections_are_errors_that_sdks_can_read() {
    let (emulator, port, _credentials) = emulator().await;
    let json = Request::new("POST", "/", port).header("X-Amz-Target", "DynamoDB_20120810.GetItem").send(port);
    assert_eq!(json.0, 403);
    assert!(json.1.contains("\"__type\": \"AccessDeniedException\"") && json.1.contains(UNSIGNED), "{}", json.1);

    let wrong = Credentials::new("000000000000".to_owned(), "x".to_owned());
    let client = aws_sdk_s3::Client::new(&sdk_config(emulator.endpoint(), &wrong));
    let error = client.list_buckets().send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    assert!(error.message().is_some_and(|message| message.contains(UNSIGNED)), "{error:?}");
}

#[tokio::test]
async fn presigned_address_is_rejected() {
    let (_emulator, port, credentials) = emulator().await;
    let id = credentials.access_key_id();
    for query in [
        &format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={id}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"),
        &format!("x-amz-credential={id}"),
        &format!("X%2DAmz-Credential={id}"),
        &format!("AWSAccessKeyId={id}&Signature=x"),
    ] {
        let get = Request::new("GET", &format!("/bucket/key?{query}"), port);
        get.refused(port, 403, "presigned");
        get.signed(&credentials, "s3").refused(port, 403, "presigned");
    }
}

#[tokio::test]
async fn a_web_page_is_rejected_even_with_the_key() {
    let (_emulator, port, credentials) = emulator().await;
    let signed = |method: &str| Request::new(method, "/", port).signed(&credentials, "s3");
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("origin", "null"),
        ("ORIGIN", ""),
        ("Sec-Fetch-Site", "cross-site"),
        ("sec-fetch-mode", "no-cors"),
        ("Access-Control-Request-Method", "PUT"),
    ] {
        for method in ["GET", "POST"] {
            signed(method).header(name, value).refused(port, 403, WEB_PAGE);
        }
    }
    signed("OPTIONS").refused(port, 403, "this kind of request");
    let form = Request::new("POST", "/", port).body("application/x-www-form-urlencoded", "Action=CreateQueue");
    form.header("Expect", "100-continue").refused(port, 403, UNSIGNED);
    let websocket = signed("GET").header("Upgrade", "websocket").header("Sec-WebSocket-Version", "13");
    let (status, _) = websocket.header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==").send(port);
    assert!(status == 403 || status == 400, "{status}");
    let (_, answer) = signed("GET").send(port);
    assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
}

#[tokio::test]
async fn foreign_host_is_rejected() {
    let (_emulator, port, credentials) = emulator().await;
    let signed = || Request::new("GET", "/", port).signed(&credentials, "s3");
    for name in ["127.0.0.1", "localhost", "LocalHost", "[::1]", "host.docker.internal"] {
        assert_eq!(signed().host(Some(&format!("{name}:{port}"))).send(port).0, 200, "{name}");
    }
    for name in
        ["evil.example", "EVIL.EXAMPLE", "127.0.0.1.", "localhost.", "a@127.0.0.1", "bucket.localhost", "2130706433"]
    {
        signed().host(Some(&format!("{name}:{port}"))).refused(port, 421, HOST);
    }
    for host in ["127.0.0.1", "localhost", "evil.example", "127.0.0.1:80", &format!("127.0.0.1:0{port}"), ""] {
        signed().host(Some(host)).refused(port, 421, HOST);
    }
    signed().version("HTTP/1.0").host(None).refused(port, 421, HOST);
    assert_eq!(signed().host(None).send(port).0, 400);
    assert_eq!(signed().header("Host", "evil.example").send(port).0, 400, "two hosts");
    for target in ["http://evil.example/", &format!("http://127.0.0.1:{port}/"), "*", "evil.example:443"] {
        Request::new("GET", target, port).signed(&credentials, "s3").refused(port, 421, "names another server");
    }
}

#[tokio::test]
async fn emulators_own_endpoints_are_closed() {
    let (_emulator, port, credentials) = emulator().await;
    for (method, path) in [
        ("POST", "/_ministack/reset"),
        ("POST", "/%5Fministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/health"),
        ("GET", "/_ministack/ready"),
        ("GET", "/_localstack/health"),
        ("GET", "/_ministack/lambda-code/000000000000/us-east-1/f"),
        ("POST", "/_ministack/rds/iam-auth"),
        ("GET", "/_aws/execute-api/a/b"),
        ("POST", "/_balancer/state"),
    ] {
        Request::new(method, path, port).refused(port, 403, UNSIGNED);
        Request::new(method, path, port).signed(&credentials, "s3").refused(port, 403, "own endpoints are closed");
    }
    for path in ["/health", "/_balancer/state"] {
        Request::new("GET", path, port).refused(port, 403, UNSIGNED);
    }
}

#[tokio::test]
async fn connection_never_changes_to_another_http() {
    let (_emulator, port, credentials) = emulator().await;
    let upgrade =
        Request::new("GET", "/", port).header("Upgrade", "h2c").header("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA");
    upgrade.refused(port, 403, UNSIGNED);
    let (status, answer) = upgrade.signed(&credentials, "s3").send(port);
    assert!(status == 200 && answer.starts_with("HTTP/1.1 200"), "{answer}");
    let preface = Request::new("PRI", "*", port).version("HTTP/2.0");
    let (status, answer) = preface.send(port);
    assert!(status >= 400 && answer.starts_with("HTTP/1.1"), "{answer}");
}

#[tokio::test]
async fn rejections_are_logged_without_the_credentials() {
    let (emulator, port, credentials) = emulator().await;
    let id = credentials.access_key_id();
    Request::new("GET", &format!("/images?X-Amz-Credential={id}"), port).refused(port, 403, "presigned");
    let (guessed, origin) = ("000000000000abcdef", "https://evil.example");
    Request::new("GET", "/guess", port)
        .header("Authorization", &authorization(guessed, "s3"))
        .refused(port, 403, UNSIGNED);
    Request::new("GET", "/page", port).signed(&credentials, "s3").header("Origin", origin).refused(port, 403, WEB_PAGE);
    let log = fs::read_to_string(emulator.log_file()).unwrap();
    for line in [
        "[guard] refused 403 GET '/images': ",
        "[guard] refused 403 GET '/guess': ",
        "[guard] refused 403 GET '/page': ",
    ] {
        assert!(log.contains(line), "{log}");
    }
    assert!(![id, guessed, &id[12..]].iter().any(|presented| log.contains(presented)), "{log}");
}

#[tokio::test]
async fn a_sealed_stack_rejects_administrative_calls() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), Account::default()).await;
    let stack = LocalStack::start(EmulatorOptions::default(), options).await.unwrap();
    let (port, credentials) = (stack.emulator().port(), stack.stack().credentials());
    let (bucket, function) = (&stack.outputs().stack.bucket, &stack.outputs().evaluation_function);
    let code = "/balancer-code-000000000000";
    let functions = "/2015-03-31/functions";
    let refused = |request: Request, service: &str| request.signed(credentials, service).refused(port, 403, SEALED);
    let json = |method: &str, path: &str| Request::new(method, path, port).body("application/json", "{}");
    for (method, path) in [
        ("POST", functions.to_owned()),
        ("PUT", format!("{functions}/{function}/code")),
        ("PUT", format!("{functions}/{function}/configuration")),
        ("POST", format!("{functions}/{function}/policy")),
        ("POST", format!("{functions}/{function}/versions")),
        ("DELETE", format!("{functions}/{function}")),
        ("POST", format!("/2021-10-31/functions/{function}/url")),
        ("POST", "/2018-10-31/layers/l/versions".to_owned()),
        ("POST", "/2015-03-31/event-source-mappings/".to_owned()),
        ("POST", format!("{functions}/{function}/../x/invocations")),
    ] {
        for service in ["lambda", "s3", "dynamodb", "sqs"] {
            refused(json(method, &path), service);
        }
    }
    for (method, path) in [
        ("PUT", "/another-bucket".to_owned()),
        ("DELETE", format!("/{bucket}")),
        ("PUT", format!("/{bucket}?policy")),
        ("PUT", format!("/{bucket}/?cors")),
        ("PUT", format!("/{bucket}?notification")),
        ("PUT", format!("/{bucket}/key?acl")),
        ("POST", format!("/{bucket}/key")),
        ("PUT", format!("{code}/EvaluationFunction.zip")),
        ("GET", format!("{code}/EvaluationFunction.zip")),
        ("PUT", format!("/{bucket}%2Fkey")),
        ("PUT", "/v20180820/bucket/x".to_owned()),
        ("POST", "/Execute".to_owned()),
    ] {
        refused(Request::new(method, &path, port).body("text/plain", "x"), "s3");
    }
    let query = |action: &str| {
        Request::new("POST", "/", port).body("application/x-www-form-urlencoded", &format!("Action={action}"))
    };
    for (service, action) in [
        ("cloudformation", "UpdateStack&StackName=balancer"),
        ("cloudformation", "CreateStack&StackName=other"),
        ("cloudformation", "CreateChangeSet&StackName=balancer"),
        ("iam", "CreateRole&RoleName=r"),
        ("sqs", "CreateQueue&QueueName=q"),
        ("s3", "CreateQueue&QueueName=q"),
        ("sns", "CreateTopic&Name=t"),
    ] {
        refused(query(action), service);
    }
    for (service, target) in [
        ("events", "AWSEvents.PutRule"),
        ("events", "AWSEvents.PutTargets"),
        ("sqs", "AmazonSQS.CreateQueue"),
        ("sqs", "AmazonSQS.SetQueueAttributes"),
        ("dynamodb", "DynamoDB_20120810.CreateTable"),
        ("dynamodb", "DynamoDB_20120810.DeleteTable"),
        ("ssm", "AmazonSSM.PutParameter"),
        // The signature names one service, the header an operation of another one.
        ("dynamodb", "AWSEvents.PutRule"),
        ("s3", "AmazonSQS.CreateQueue"),
        ("lambda", "AWSEvents.PutTargets"),
        ("lambda", "AmazonSQS.SendMessage"),
    ] {
        refused(json("POST", "/").header("X-Amz-Target", target), service);
    }
    let allowed = ("X-Amz-Target", "AmazonSQS.SendMessage");
    refused(json("POST", "/?Action=CreateQueue").header(allowed.0, allowed.1), "sqs");
    refused(json("POST", functions).header(allowed.0, allowed.1), "sqs");
    let twice = json("POST", "/").header(allowed.0, allowed.1).header(allowed.0, "AWSEvents.PutRule");
    twice.signed(credentials, "sqs").refused(port, 403, "more than one x-amz-target");
}

#[tokio::test]
async fn a_sealed_stack_accepts_calls_on_its_data() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), Account::default()).await;
    let stack = LocalStack::start(EmulatorOptions::default(), options).await.unwrap();
    let s3 = aws_sdk_s3::Client::new(stack.sdk_config());
    let bucket = &stack.outputs().stack.bucket;
    s3.put_object().bucket(bucket).key("a b/ü+1.png").body(b"image".to_vec().into()).send().await.unwrap();
    s3.copy_object()
        .bucket(bucket)
        .key("copy")
        .copy_source(format!("{bucket}/a%20b/%C3%BC%2B1.png"))
        .send()
        .await
        .unwrap();
    assert_eq!(s3.list_objects_v2().bucket(bucket).send().await.unwrap().key_count(), Some(2));
    s3.head_object().bucket(bucket).key("copy").send().await.unwrap();
    s3.delete_object().bucket(bucket).key("copy").send().await.unwrap();
    let (port, credentials) = (stack.emulator().port(), stack.stack().credentials());
    let function = &stack.outputs().deletion_function;
    let lambda = |method: &str, path: &str| Request::new(method, path, port).signed(credentials, "lambda");
    let (status, configuration) = lambda("GET", &format!("/2015-03-31/functions/{function}/configuration")).send(port);
    assert!(status == 200 && configuration.contains("provided.al2023"), "{configuration}");
    let invoke = format!("/2015-03-31/functions/{function}/invocations");
    let (status, answer) = lambda("POST", &invoke).body("application/json", "{}").send(port);
    assert!(status == 200 && answer.contains("batchItemFailures"), "{answer}");
}

#[tokio::test]
async fn clients_cannot_reach_the_functions_events() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path(), Account::default()).await;
    let stack = LocalStack::start(EmulatorOptions::default(), options).await.unwrap();
    let (port, credentials) = (stack.emulator().port(), stack.stack().credentials());
    let invoke = format!("/2015-03-31/functions/{}/invocations", stack.outputs().deletion_function);
    let invoke = Request::new("POST", &invoke, port).signed(credentials, "lambda").body("application/json", "{}");
    assert_eq!(invoke.send(port).0, 200);
    let log = fs::read_to_string(stack.emulator().function_log_file()).unwrap();
    let (_, address) = log.split_once("takes events from http://127.0.0.1:").unwrap();
    let server: u16 = address.split('/').next().unwrap().parse().unwrap();
    for (method, path) in [
        ("GET", "/2018-06-01/runtime/invocation/next"),
        ("GET", "/x/2018-06-01/runtime/invocation/next"),
        ("POST", "/2018-06-01/runtime/init/error"),
    ] {
        let request = Request::new(method, path, server).body("application/json", "{}");
        assert_eq!(request.send(server).0, 403, "{method} {path}");
    }
    assert_eq!(invoke.send(port).0, 200, "the function still works");
}

#[tokio::test]
async fn key_files_are_private_and_end_with_the_emulator() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path(), Account::default()).await;
    options.parameters.insert("VisionProvider".to_owned(), "openai".to_owned());
    options.key_files.insert("OpenAiApiKeyFile".to_owned(), "sk-very-secret".to_owned());
    let stack = LocalStack::start(EmulatorOptions::default(), options).await.unwrap();
    let (port, credentials) = (stack.emulator().port(), stack.stack().credentials());
    let path = format!("/2015-03-31/functions/{}/configuration", stack.outputs().evaluation_function);
    let (_, configuration) = Request::new("GET", &path, port).signed(credentials, "lambda").send(port);
    assert!(!configuration.contains("sk-very-secret"), "{configuration}");
    let (_, file) = configuration.split_once(r#""OPENAI_API_KEY_FILE": ""#).unwrap();
    let file = std::path::PathBuf::from(file.split('"').next().unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), "sk-very-secret");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    for log in [stack.emulator().log_file(), stack.emulator().function_log_file()] {
        assert!(!fs::read_to_string(log).unwrap().contains("sk-very-secret"));
    }
    stack.stop().await.unwrap();
    assert!(!file.exists());
}
