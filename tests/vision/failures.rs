//! Failures of the service, and the response to each.

use std::time::{Duration, Instant};

use balancer_tests::openai::{Answer, KEY, Vendor, VisionService, assess_correctly, problem};
use domain::disposition::Disposition;
use providers::vision::VisionConfig;
use providers::vision::{AssessmentBatch, VisionError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::vision::support::{assert_assessed_except, assess, model, model_of};

/// The error of an assessment of four images if the service always responds like this, and the number of requests.
async fn always(reply: ResponseTemplate) -> (VisionError, usize) {
    let service = VisionService::start(move |_| Answer::Reply(reply.clone())).await;
    let batch = assess(&model(&service, &[]).await, 4, "plan").await;
    assert_eq!(service.violations(), [""; 0]);
    (failure(batch, 4), service.request_count())
}

fn failure(batch: AssessmentBatch, count: usize) -> VisionError {
    assert!(batch.images.len() == count && batch.images.iter().all(Result::is_err));
    batch.interrupted.expect("an error")
}

/// Asserts that the error needs the operator after one request, and that its message contains `words`.
fn assert_needs_operator((error, requests): (VisionError, usize), words: &[&str]) {
    let message = error.to_string();
    assert!(error.disposition() == Disposition::NeedsOperator && requests <= 1, "{requests} {message}");
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
    assert!(!message.contains(KEY), "{message}");
}

/// Asserts that the handler backs off.
fn assert_backs_off(error: &VisionError) {
    assert!(matches!(error.disposition(), Disposition::Outage { retry_after: None } | Disposition::Timeout), "{error}");
}

#[tokio::test]
async fn rejected_key_needs_the_operator() {
    let echo = format!("Incorrect API key provided: {KEY}.");
    for status in [401, 403] {
        let answered = always(problem(status, "invalid_api_key", &echo)).await;
        assert_needs_operator(answered, &["OPENAI_API_KEY", "set a valid one", "ask for an evaluation"]);
    }
}

#[tokio::test]
async fn stand_in_accepts_only_its_own_key() {
    let service = VisionService::start(assess_correctly).await;
    let model = model(&service, &[("OPENAI_API_KEY", "sk-wrong")]).await;
    let error = failure(assess(&model, 2, "plan").await, 2);
    assert!(error.disposition() == Disposition::NeedsOperator && !error.to_string().contains("sk-wrong"), "{error}");
}

#[tokio::test]
async fn account_without_credit_needs_the_operator() {
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let answered = always(problem(429, "insufficient_quota", message).insert_header("Retry-After", "1")).await;
    assert_needs_operator(answered, &["OPENAI_API_KEY", "no credit", "add some", message]);
    assert_needs_operator(always(problem(402, "billing", "Pay.")).await, &["no credit"]);
    for (status, code) in [
        (400, "billing_hard_limit_reached"),
        (429, "billing_not_active"),
        (429, "credit_balance_exhausted"),
        (429, "project_spend_limit_exceeded"),
    ] {
        assert_needs_operator(always(problem(status, code, code)).await, &["no credit", code]);
    }
}

#[tokio::test]
async fn other_reasoning_effort_needs_the_operator() {
    let service = VisionService::of(Vendor { effort: Some("low"), ..Vendor::default() }, assess_correctly).await;
    let error = failure(assess(&model(&service, &[]).await, 4, "plan").await, 4);
    assert!(
        error.disposition() == Disposition::NeedsOperator && error.to_string().contains("VISION_REASONING_EFFORT"),
        "{error}"
    );
    assert_eq!(service.request_count(), 1);
    let configured = model(&service, &[("VISION_REASONING_EFFORT", "low")]).await;
    assert_assessed_except(&assess(&configured, 4, "plan").await, 4, &[]);
}

#[tokio::test]
async fn retry_after_of_a_failing_service_is_respected() {
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Reply(problem(503, "server_error", "Restarting").insert_header("Retry-After", "1")),
        _ => assess_correctly(request),
    })
    .await;
    let began = Instant::now();
    assert_assessed_except(&assess(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let (error, requests) = always(problem(503, "server_error", "Down").insert_header("Retry-After", "37")).await;
    assert_eq!(
        (error.disposition(), requests),
        (Disposition::Outage { retry_after: Some(Duration::from_secs(37)) }, 1)
    );
}

#[tokio::test]
async fn unread_answer_counts_the_highest_price() {
    let nonsense = VisionService::start(|_| Answer::Reply(ResponseTemplate::new(200).set_body_string("hello"))).await;
    let four_times = assess(&model(&nonsense, &[]).await, 4, "plan").await.cost;
    assert_eq!(nonsense.request_count(), 4);

    let hung = VisionService::start_slow(Duration::from_secs(30), assess_correctly).await;
    let once = model(&hung, &[("VISION_TIMEOUT_SECONDS", "1")]).await;
    assert_eq!(assess(&once, 4, "plan").await.cost * 4, four_times);

    let refused = model_of(hung.config(&[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")])).await;
    assert_eq!(assess(&refused, 4, "plan").await.cost.0, 0, "an unsent request costs nothing");
}

#[tokio::test]
async fn unknown_model_needs_the_operator() {
    let answered = always(problem(404, "model_not_found", "The model `vision-1` does not exist")).await;
    assert_needs_operator(answered, &["VISION_MODEL", "OPENAI_BASE_URL", "vision-1"]);
}

#[tokio::test]
async fn invalid_request_needs_the_operator() {
    let answered = always(problem(400, "invalid_request_error", "Invalid schema for response_format")).await;
    assert_needs_operator(answered, &["VISION_MODEL", "Invalid schema"]);
    let elsewhere = ResponseTemplate::new(302).insert_header("Location", "http://127.0.0.1:1/");
    assert_needs_operator(always(elsewhere).await, &["302"]);
}

#[tokio::test]
async fn short_retry_after_is_waited_in_the_session() {
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Reply(problem(429, "rate_limit_exceeded", "Slow down").insert_header("Retry-After", "1")),
        1 => Answer::Reply(problem(429, "rate_limit_exceeded", "Slow down").insert_header("retry-after-ms", "20")),
        _ => assess_correctly(request),
    })
    .await;
    let began = Instant::now();
    assert_assessed_except(&assess(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(service.request_count(), 3);
}

#[tokio::test]
async fn long_retry_after_defers_at_once() {
    let (error, requests) =
        always(problem(429, "rate_limit_exceeded", "Slow").insert_header("Retry-After", "37")).await;
    assert_eq!((error.disposition(), requests), (Disposition::RetryAfter(Duration::from_secs(37)), 1));
}

#[tokio::test]
async fn throttling_without_delay_is_retried_then_deferred() {
    let (error, requests) = always(problem(429, "rate_limit_exceeded", "Slow down")).await;
    assert_eq!((error.disposition(), requests), (Disposition::RetryAfter(Duration::from_secs(30)), 4));
}

#[tokio::test]
async fn assessments_before_a_failure_are_kept() {
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Reply(problem(429, "rate_limit_exceeded", "Slow").insert_header("Retry-After", "60")),
        _ => assess_correctly(request),
    })
    .await;
    let batch = assess(&model(&service, &[]).await, 45, "plan").await;
    assert_eq!(batch.interrupted.unwrap().disposition(), Disposition::RetryAfter(Duration::from_secs(60)));
    let assessed = batch.images.iter().filter(|image| image.is_ok()).count();
    assert!((20..45).contains(&assessed) && batch.cost.0 > 0, "{assessed} assessed");
}

#[tokio::test]
async fn server_error_is_retried_then_backed_off() {
    for status in [500, 502, 503, 529, 408, 409] {
        let service = VisionService::start(move |request| match request.index {
            0 => Answer::Reply(problem(status, "server_error", "The server had an error")),
            _ => assess_correctly(request),
        })
        .await;
        assert_assessed_except(&assess(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    }
    let (error, requests) = always(ResponseTemplate::new(503).set_body_string("<html>upstream</html>")).await;
    assert_backs_off(&error);
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn unreadable_answer_is_retried() {
    let service = VisionService::start(|request| match request.index {
        0 => Answer::Reply(ResponseTemplate::new(200).set_body_string("<html>Just a moment</html>")),
        _ => assess_correctly(request),
    })
    .await;
    assert_assessed_except(&assess(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    let (error, requests) = always(ResponseTemplate::new(200).set_body_string(r#"{"choices":[]}"#)).await;
    assert_backs_off(&error);
    assert_eq!(requests, 4);
}

#[tokio::test]
async fn hanging_connection_is_tried_once() {
    let service = VisionService::start_slow(Duration::from_secs(30), assess_correctly).await;
    let error = failure(assess(&model(&service, &[("VISION_TIMEOUT_SECONDS", "1")]).await, 4, "plan").await, 4);
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    assert_backs_off(&error);
    assert_eq!(service.request_count(), 1);
}

#[tokio::test]
async fn unreachable_service_backs_off() {
    let service = VisionService::start(assess_correctly).await;
    let config = service.config(&[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")]);
    let began = Instant::now();
    let error = failure(assess(&model_of(config).await, 2, "plan").await, 2);
    assert!(error.to_string().contains("can't be reached"), "{error}");
    assert_backs_off(&error);
    assert!(began.elapsed() > Duration::from_secs(3), "retries after 0.5, 1 and 2 s");
}

#[tokio::test]
async fn huge_answer_is_not_read_to_its_end() {
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let address = flood(std::sync::Arc::clone(&sent)).await;
    let service = VisionService::start(assess_correctly).await;
    let config: VisionConfig = service.config(&[("OPENAI_BASE_URL", &address)]);
    let error = failure(assess(&model_of(config).await, 2, "plan").await, 2);
    assert_needs_operator((error, 1), &["more than 4 MB", "OPENAI_BASE_URL"]);
    let sent = sent.load(std::sync::atomic::Ordering::SeqCst);
    assert!(sent < 16 * 1024 * 1024, "{sent} bytes sent");
}

/// A server that answers every request with 50 MB, and counts the sent bytes.
async fn flood(sent: std::sync::Arc<std::sync::atomic::AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 1 << 20];
        let _ = connection.read(&mut request).await;
        let (mut reader, mut writer) = connection.split();
        let drain = async { while reader.read(&mut request).await.is_ok_and(|read| read > 0) {} };
        let pour = async {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 52428800\r\n\r\n";
            let mut is_open = writer.write_all(head).await.is_ok();
            while is_open {
                is_open = writer.write_all(&[b' '; 65_536]).await.is_ok();
                sent.fetch_add(65_536, std::sync::atomic::Ordering::SeqCst);
            }
        };
        tokio::join!(drain, pour);
    });
    address
}
