//! What goes wrong with the service: what is tried again, when, and when a person is asked.

use std::time::{Duration, Instant};

use balancer_tests::openai::{Answer, KEY, Vendor, VisionService, assess_correctly, problem};
use domain::disposition::Disposition;
use providers::vision::VisionConfig;
use providers::vision::{AssessmentBatch, VisionError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::support::{assert_seen_except, model, model_of, observe};

/// What a service that always answers so makes of four images, and how often it was asked.
async fn always(reply: ResponseTemplate) -> (VisionError, usize) {
    let service = VisionService::start(move |_| Answer::Reply(reply.clone())).await;
    let seen = observe(&model(&service, &[]).await, 4, "plan").await;
    assert_eq!(service.violations(), [""; 0]);
    (failure(seen, 4), service.turns())
}

fn failure(seen: AssessmentBatch, count: usize) -> VisionError {
    assert!(seen.images.len() == count && seen.images.iter().all(Result::is_err));
    seen.interrupted.expect("a reason")
}

/// Asserts that a person is asked, at once, in a sentence that names `words`.
fn assert_needs_person((error, turns): (VisionError, usize), words: &[&str]) {
    let said = error.to_string();
    assert!(error.disposition() == Disposition::NeedsOperator && turns <= 1, "{turns} {said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    assert!(!said.contains(KEY), "{said}");
}

/// Asserts that it is waited out: ever longer, and for an hour.
fn assert_waited_out(error: &VisionError) {
    assert!(matches!(error.disposition(), Disposition::Outage { retry_after: None } | Disposition::Timeout), "{error}");
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_a_persons_business() {
    let echo = format!("Incorrect API key provided: {KEY}.");
    for status in [401, 403] {
        let answered = always(problem(status, "invalid_api_key", &echo)).await;
        assert_needs_person(answered, &["OPENAI_API_KEY", "set a valid one", "ask for an evaluation"]);
    }
}

#[tokio::test]
async fn the_stand_in_itself_accepts_its_own_key_alone() {
    let service = VisionService::start(assess_correctly).await;
    let model = model(&service, &[("OPENAI_API_KEY", "sk-wrong")]).await;
    let error = failure(observe(&model, 2, "plan").await, 2);
    assert!(error.disposition() == Disposition::NeedsOperator && !error.to_string().contains("sk-wrong"), "{error}");
}

#[tokio::test]
async fn an_account_without_credit_is_a_persons_business() {
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let answered = always(problem(429, "insufficient_quota", message).insert_header("Retry-After", "1")).await;
    assert_needs_person(answered, &["OPENAI_API_KEY", "no credit", "add some", message]);
    assert_needs_person(always(problem(402, "billing", "Pay.")).await, &["no credit"]);
    for (status, code) in [
        (400, "billing_hard_limit_reached"),
        (429, "billing_not_active"),
        (429, "credit_balance_exhausted"),
        (429, "project_spend_limit_exceeded"),
    ] {
        assert_needs_person(always(problem(status, code, code)).await, &["no credit", code]);
    }
}

#[tokio::test]
async fn a_model_that_knows_another_effort_must_be_told_it() {
    let service = VisionService::of(Vendor { effort: Some("low"), ..Vendor::default() }, assess_correctly).await;
    let error = failure(observe(&model(&service, &[]).await, 4, "plan").await, 4);
    assert!(
        error.disposition() == Disposition::NeedsOperator && error.to_string().contains("VISION_REASONING_EFFORT"),
        "{error}"
    );
    assert_eq!(service.turns(), 1);
    let told = model(&service, &[("VISION_REASONING_EFFORT", "low")]).await;
    assert_seen_except(&observe(&told, 4, "plan").await, 4, &[]);
}

#[tokio::test]
async fn a_service_that_says_when_it_is_back_is_believed() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => Answer::Reply(problem(503, "server_error", "Restarting").insert_header("Retry-After", "1")),
        _ => assess_correctly(asked),
    })
    .await;
    let began = Instant::now();
    assert_seen_except(&observe(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let (error, turns) = always(problem(503, "server_error", "Down").insert_header("Retry-After", "37")).await;
    assert_eq!((error.disposition(), turns), (Disposition::Outage { retry_after: Some(Duration::from_secs(37)) }, 1));
}

#[tokio::test]
async fn an_answer_that_nobody_has_read_counts_as_much_as_it_may_have_cost() {
    let nonsense = VisionService::start(|_| Answer::Reply(ResponseTemplate::new(200).set_body_string("hello"))).await;
    let four_times = observe(&model(&nonsense, &[]).await, 4, "plan").await.cost;
    assert_eq!(nonsense.turns(), 4);

    let hung = VisionService::start_slow(Duration::from_secs(30), assess_correctly).await;
    let once = model(&hung, &[("VISION_TIMEOUT_SECONDS", "1")]).await;
    assert_eq!(observe(&once, 4, "plan").await.cost * 4, four_times);

    let refused = model_of(hung.config(&[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")])).await;
    assert_eq!(observe(&refused, 4, "plan").await.cost.0, 0, "what was never sent costs nothing");
}

#[tokio::test]
async fn a_model_that_is_unknown_is_a_persons_business() {
    let answered = always(problem(404, "model_not_found", "The model `eyes-1` does not exist")).await;
    assert_needs_person(answered, &["VISION_MODEL", "OPENAI_BASE_URL", "eyes-1"]);
}

#[tokio::test]
async fn a_request_found_wrong_is_a_persons_business() {
    let answered = always(problem(400, "invalid_request_error", "Invalid schema for response_format")).await;
    assert_needs_person(answered, &["VISION_MODEL", "Invalid schema"]);
    let elsewhere = ResponseTemplate::new(302).insert_header("Location", "http://127.0.0.1:1/");
    assert_needs_person(always(elsewhere).await, &["302"]);
}

#[tokio::test]
async fn a_short_retry_after_is_slept_through() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => Answer::Reply(problem(429, "rate_limit_exceeded", "Slow down").insert_header("Retry-After", "1")),
        1 => Answer::Reply(problem(429, "rate_limit_exceeded", "Slow down").insert_header("retry-after-ms", "20")),
        _ => assess_correctly(asked),
    })
    .await;
    let began = Instant::now();
    assert_seen_except(&observe(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    assert!((Duration::from_secs(1)..Duration::from_secs(3)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_long_retry_after_is_handed_on_at_once() {
    let (error, turns) = always(problem(429, "rate_limit_exceeded", "Slow").insert_header("Retry-After", "37")).await;
    assert_eq!((error.disposition(), turns), (Disposition::RetryAfter(Duration::from_secs(37)), 1));
}

#[tokio::test]
async fn without_retry_after_it_is_tried_in_a_moment_and_then_put_off() {
    let (error, turns) = always(problem(429, "rate_limit_exceeded", "Slow down")).await;
    assert_eq!((error.disposition(), turns), (Disposition::RetryAfter(Duration::from_secs(30)), 4));
}

#[tokio::test]
async fn what_was_judged_before_the_service_gave_up_is_kept() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => Answer::Reply(problem(429, "rate_limit_exceeded", "Slow").insert_header("Retry-After", "60")),
        _ => assess_correctly(asked),
    })
    .await;
    let seen = observe(&model(&service, &[]).await, 45, "plan").await;
    assert_eq!(seen.interrupted.unwrap().disposition(), Disposition::RetryAfter(Duration::from_secs(60)));
    let judged = seen.images.iter().filter(|seen| seen.is_ok()).count();
    assert!((20..45).contains(&judged) && seen.cost.0 > 0, "{judged} judged");
}

#[tokio::test]
async fn a_server_error_passes_or_is_waited_out() {
    for status in [500, 502, 503, 529, 408, 409] {
        let service = VisionService::start(move |asked| match asked.turn {
            0 => Answer::Reply(problem(status, "server_error", "The server had an error")),
            _ => assess_correctly(asked),
        })
        .await;
        assert_seen_except(&observe(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    }
    let (error, turns) = always(ResponseTemplate::new(503).set_body_string("<html>upstream</html>")).await;
    assert_waited_out(&error);
    assert_eq!(turns, 4);
}

#[tokio::test]
async fn an_answer_that_is_no_completion_is_tried_again() {
    let service = VisionService::start(|asked| match asked.turn {
        0 => Answer::Reply(ResponseTemplate::new(200).set_body_string("<html>Just a moment</html>")),
        _ => assess_correctly(asked),
    })
    .await;
    assert_seen_except(&observe(&model(&service, &[]).await, 4, "plan").await, 4, &[]);
    let (error, turns) = always(ResponseTemplate::new(200).set_body_string(r#"{"choices":[]}"#)).await;
    assert_waited_out(&error);
    assert_eq!(turns, 4);
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_once() {
    let service = VisionService::start_slow(Duration::from_secs(30), assess_correctly).await;
    let began = Instant::now();
    let error = failure(observe(&model(&service, &[("VISION_TIMEOUT_SECONDS", "1")]).await, 4, "plan").await, 4);
    assert!(error.to_string().contains("did not answer in time"), "{error}");
    assert_waited_out(&error);
    assert!(began.elapsed() < Duration::from_secs(3) && service.turns() == 1, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_service_that_is_not_there_is_waited_out() {
    let service = VisionService::start(assess_correctly).await;
    let config = service.config(&[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")]);
    let began = Instant::now();
    let error = failure(observe(&model_of(config).await, 2, "plan").await, 2);
    assert!(error.to_string().contains("can't be reached"), "{error}");
    assert_waited_out(&error);
    assert!(began.elapsed() > Duration::from_secs(3), "asked again after half a second, one, two");
}

#[tokio::test]
async fn an_answer_of_fifty_megabytes_is_not_read_to_its_end() {
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let address = flood(std::sync::Arc::clone(&sent)).await;
    let service = VisionService::start(assess_correctly).await;
    let config: VisionConfig = service.config(&[("OPENAI_BASE_URL", &address)]);
    let error = failure(observe(&model_of(config).await, 2, "plan").await, 2);
    assert_needs_person((error, 1), &["more than 4 MB", "OPENAI_BASE_URL"]);
    let sent = sent.load(std::sync::atomic::Ordering::SeqCst);
    assert!(sent < 16 * 1024 * 1024, "{sent} bytes sent");
}

/// A server that answers anything with 50 MB, and counts what it got rid of.
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
