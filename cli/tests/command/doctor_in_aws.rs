//! `doctor --stack`, and how commands report failures of AWS.

use aws::queues::Queue;
use balancer_tests::server::Server;
use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, ResponseTemplate};

use crate::support::deployed::Deployed;
use crate::support::run::{Ran, balancer};

/// A command with these credentials at an address that takes the place of AWS.
fn in_aws(arguments: &[&str], address: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = balancer();
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
        command.env_remove(name);
    }
    let home = tempfile::tempdir().unwrap();
    command.env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", address);
    Ran::of(command.args(arguments).envs(variables.iter().copied()))
}

const CREDENTIALS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "eu-west-1")];

/// An error as the query protocol writes it.
fn error(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    ResponseTemplate::new(status).set_body_raw(body, "text/xml")
}

#[test]
fn failures_of_aws_are_one_line_with_a_remedy() {
    let runtime = Runtime::new().unwrap();
    for (answer, words, remedy) in [
        (
            error(403, "ExpiredToken", "The security token included in the request is expired"),
            "have expired",
            "aws sso login",
        ),
        (
            error(403, "InvalidClientTokenId", "The security token is invalid"),
            "does not accept the credentials",
            "AWS_PROFILE",
        ),
        (
            error(403, "AccessDenied", "User: u is not authorized"),
            "not authorized",
            "permit cloudformation:DescribeStacks",
        ),
        (error(400, "ValidationError", "Stack with id s does not exist"), "no stack s in eu-west-1", "check its name"),
    ] {
        let server = runtime.block_on(async {
            let server = Server::start().await;
            Mock::given(any()).respond_with(answer).mount(&server).await;
            server
        });
        let ran = in_aws(&["status", "--stack", "s"], &server.uri(), &CREDENTIALS).failed(1, &[words, remedy]);
        assert_eq!(ran.remarks.lines().count(), 1, "{ran:#?}");
        assert!(!ran.remarks.contains("ServiceError") && !ran.remarks.contains("Extensions"), "{ran:#?}");
    }
}

#[test]
fn missing_credentials_and_connections_are_explained() {
    let closed = "http://127.0.0.1:1";
    let region = [("AWS_REGION", "eu-west-1")];
    let ran = in_aws(&["status", "--stack", "s"], closed, &region)
        .failed(1, &["no AWS credentials were found", "AWS_PROFILE"]);
    assert_eq!(ran.remarks.lines().count(), 1, "{ran:#?}");
    let ran = in_aws(&["status", "--stack", "s"], closed, &CREDENTIALS)
        .failed(1, &["AWS can't be reached", "AWS_ENDPOINT_URL"]);
    assert_eq!(ran.remarks.lines().count(), 1, "{ran:#?}");
    let ran = in_aws(&["doctor", "--stack", "s"], closed, &region);
    assert_eq!(ran.code, Some(1));
    assert!(ran.answer.starts_with("problem  credentials    no AWS credentials were found"), "{ran:#?}");
    assert_eq!(ran.answer.lines().count(), 1, "{ran:#?}");
}

#[test]
fn doctor_stops_at_expired_credentials() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(async {
        let server = Server::start().await;
        let expired = error(403, "ExpiredToken", "The security token included in the request is expired");
        Mock::given(any()).respond_with(expired).mount(&server).await;
        server
    });
    let report = in_aws(&["doctor", "--stack", "s", "--json"], &server.uri(), &CREDENTIALS).failed(1, &[]).json();
    let checks = report["checks"].as_array().unwrap();
    assert_eq!((checks.len(), &checks[0]["check"], &checks[0]["level"]), (1, &"credentials".into(), &"problem".into()));
    assert!(checks[0]["remedy"].as_str().unwrap().contains("aws sso login"), "{report}");
}

/// The levels of the checks with this name.
fn levels(report: &Value, name: &str) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["check"] == name).map(|check| check["level"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn doctor_finds_a_stack_and_what_waits_in_it() {
    let deployed = Deployed::start();
    let report = deployed.balancer(&["doctor", "--json"]).done().json();
    for name in ["credentials", "stack", "event_sources", "dead_letters", "permissions"] {
        let levels = levels(&report, name);
        assert!(!levels.is_empty() && levels.iter().all(|level| level == "ok"), "{name}: {report:#}");
    }
    deployed.balancer(&["pause"]).done();
    let urls = deployed.stack.outputs().stack.dead_letter_urls();
    let letters = aws::queues::Queues::new(aws_sdk_sqs::Client::new(deployed.stack.sdk_config()), urls);
    deployed.runtime.block_on(letters.send_body(Queue::Deletion, "{}".to_owned(), std::time::Duration::ZERO)).unwrap();
    let ran = deployed.balancer(&["doctor"]).done();
    assert!(ran.answer.contains("warning  event_sources  messages wait"), "{ran:#?}");
    assert!(ran.answer.contains("1 message to deletion failed five times"), "{ran:#?}");
    assert!(
        ran.answer.contains("balancer resume --stack") && ran.answer.contains("balancer redrive deletion"),
        "{ran:#?}"
    );
}
