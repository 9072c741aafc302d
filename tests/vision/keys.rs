//! Keys in Secrets Manager.

use balancer_tests::openai::{KEY, VisionService, assess_correctly};
use balancer_tests::server::Server;
use local_stack::{Credentials, sdk_config};
use providers::vision::{VisionError, VisionModel};
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method};
use wiremock::{Mock, ResponseTemplate};

use crate::vision::support::{assert_assessed_except, assess};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:openai";

/// A Secrets Manager with this response, which expects exactly one request.
async fn secrets_manager(status: u16, answer: Value) -> Server {
    let server = Server::start().await;
    let request = Mock::given(method("POST"))
        .and(header("x-amz-target", "secretsmanager.GetSecretValue"))
        .and(body_json(json!({ "SecretId": ARN })));
    request.respond_with(ResponseTemplate::new(status).set_body_json(answer)).expect(1).mount(&server).await;
    server
}

async fn model(service: &VisionService, secrets: &Server) -> Result<VisionModel, VisionError> {
    let config = service.config(&[("OPENAI_API_KEY", ""), ("OPENAI_API_KEY_SECRET_ARN", ARN)]);
    VisionModel::new(config, &sdk_config(&secrets.uri(), &Credentials::new("id".to_owned(), "secret".to_owned()))).await
}

#[tokio::test]
async fn stored_key_is_read_once_and_trimmed() {
    let service = VisionService::start(assess_correctly).await;
    let secrets = secrets_manager(200, json!({ "ARN": ARN, "SecretString": format!("{KEY}\n") })).await;
    let model = model(&service, &secrets).await.unwrap();
    for seed in ["one", "two"] {
        assert_assessed_except(&assess(&model, 2, seed).await, 2, &[]);
    }
}

#[tokio::test]
async fn unreadable_key_error_names_the_secret() {
    let service = VisionService::start(assess_correctly).await;
    let denied = json!({ "__type": "AccessDeniedException", "Message": "not authorized to perform GetSecretValue" });
    for (status, answer, reason) in [
        (200, json!({ "ARN": ARN, "SecretString": " \n" }), "the secret contains no text"),
        (200, json!({ "ARN": ARN, "SecretBinary": "a2V5" }), "the secret contains no text"),
        (400, denied, "AccessDeniedException"),
    ] {
        let secrets = secrets_manager(status, answer).await;
        let error = model(&service, &secrets).await.err().unwrap().to_string();
        for words in ["OPENAI_API_KEY can't be read", "GetSecretValue", ARN, reason] {
            assert!(error.contains(words), "{error}");
        }
    }
}
