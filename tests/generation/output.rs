//! The outputs of predictions, and truncated objects of the bucket.

use aws::bucket::Bucket;
use aws::stack::s3_client;
use balancer_tests::pictures::base_jpeg;
use balancer_tests::replicate::{Outcome, Resource};
use imaging::{decode, is_jpeg};
use jiff::SignedDuration;
use local_stack::{Credentials, sdk_config};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::generation::support::{Scenario, always, first};

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(96, 64, |x, y| image::Rgb([x as u8 * 2, y as u8 * 3, 90]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn one(outcome: Outcome) -> Scenario {
    let scenario = Scenario::image(move |index, _| if index == 0 { outcome.clone() } else { Outcome::Succeeds }).await;
    scenario.run().await;
    scenario
}

#[tokio::test]
async fn unusable_output_is_paid_and_generated_again() {
    let too_large = vec![0xFF; imaging::MAX_BYTES as usize + 1];
    for outcome in [
        Outcome::Output(b"<html>Not today</html>".to_vec()),
        Outcome::Output(Vec::new()),
        Outcome::Output(base_jpeg()[..2_000].to_vec()),
        Outcome::Output(too_large),
        Outcome::OutputAt("https://example.com/out.jpg".to_owned()),
        Outcome::OutputAt("file:///etc/passwd".to_owned()),
        Outcome::OutputAt("https://evilreplicate.delivery/out.jpg".to_owned()),
        Outcome::OutputAt("https://replicate.delivery.example.com/out.jpg".to_owned()),
        Outcome::OutputAt("http://replicate.delivery/out.jpg".to_owned()),
        Outcome::OutputRemoved,
    ] {
        let scenario = one(outcome.clone()).await;
        let plan = scenario.plan().await;
        let outcome = format!("{outcome:?}").chars().take(60).collect::<String>();
        assert_eq!((plan.generated, scenario.files().await.len()), (1, 1), "{outcome}");
        assert_eq!(scenario.world.replicate.charged(), 2, "{outcome}");
        assert_eq!((plan.spent.0, plan.committed.0), (80_000, 80_000), "{outcome}");
        let manifest = scenario.world.manifest(&scenario.actor).await;
        assert_eq!(manifest.images.values().next().unwrap().cost_micro_usd.unwrap().0, 80_000, "{outcome}");
    }
}

#[tokio::test]
async fn always_unusable_output_abandons_the_slot() {
    let scenario = Scenario::image(|_, _| Outcome::Output(b"nothing".to_vec())).await;
    scenario.run().await;
    scenario.assert_abandoned("the content is not PNG, JPEG or WebP", 3).await;
}

#[tokio::test]
async fn output_in_another_format_becomes_a_jpeg() {
    let scenario = one(Outcome::Output(png())).await;
    scenario.assert_all_generated().await;
    let key = scenario.world.keys.image(&scenario.actor, &scenario.files().await[0]);
    let kept = scenario.world.bucket.get(&key).await.unwrap().unwrap().bytes;
    assert!(is_jpeg(&kept));
    assert_eq!(decode(&kept).unwrap().dimensions(), (96, 64));
}

/// Responses that replace an intact output.
fn damaged() -> Vec<ResponseTemplate> {
    let body = |bytes: &[u8]| ResponseTemplate::new(200).set_body_raw(bytes.to_vec(), "image/jpeg");
    let statuses = [404, 403, 410, 401, 302].map(ResponseTemplate::new);
    [body(b"<html>Just a moment</html>"), body(b""), body(&base_jpeg()[..2_000])].into_iter().chain(statuses).collect()
}

#[tokio::test]
async fn damaged_output_is_fetched_again_not_paid_again() {
    for damaged in damaged() {
        let scenario = Scenario::image(always(Outcome::Succeeds)).await;
        for _ in 0..3 {
            scenario.world.replicate.override_next(Resource::Output, damaged.clone());
        }
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides());
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1, "{damaged:?}");
    }
}

#[tokio::test]
async fn repeatedly_damaged_outputs_cost_one_creation_each() {
    let scenario = Scenario::images(5, always(Outcome::Succeeds)).await;
    for damaged in damaged().into_iter().cycle().take(12) {
        scenario.world.replicate.override_next(Resource::Output, damaged);
    }
    scenario.run().await;
    assert!(scenario.world.replicate.has_used_overrides());
    scenario.assert_all_generated().await;
    assert_eq!(scenario.world.replicate.creations(), 5);
}

#[tokio::test]
async fn briefly_unknown_prediction_is_not_paid_again() {
    let unknown = ResponseTemplate::new(404).set_body_json(json!({ "detail": "Prediction not found" }));
    let without_output = json!({ "id": "prediction0", "status": "succeeded", "output": null, "data_removed": false });
    for answer in [unknown, ResponseTemplate::new(200).set_body_json(without_output)] {
        let scenario = Scenario::image(always(Outcome::Succeeds)).await;
        for _ in 0..3 {
            scenario.world.replicate.override_next(Resource::Prediction, answer.clone());
        }
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides());
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn missing_output_is_awaited_while_it_is_kept() {
    let scenario = Scenario::image(first(Outcome::OutputRemoved)).await;
    let began = scenario.world.clock.now();
    while scenario.world.replicate.creations() < 2 {
        assert!(scenario.world.generate_one().await);
    }
    let waited = scenario.world.clock.now().duration_since(began);
    assert!((SignedDuration::from_mins(60)..SignedDuration::from_mins(110)).contains(&waited), "{waited}");
    scenario.run().await;
    scenario.assert_all_generated_for(2).await;
}

#[tokio::test]
async fn missing_output_uses_up_no_fetch_of_a_damaged_one() {
    let missing = ResponseTemplate::new(404);
    let damaged = ResponseTemplate::new(200).set_body_raw(b"<html>Just a moment</html>".to_vec(), "image/jpeg");
    // A fifth damaged output would fail the attempt.
    for overrides in [[(&missing, 6), (&damaged, 4)], [(&damaged, 4), (&missing, 3)]] {
        let scenario = Scenario::image(always(Outcome::Succeeds)).await;
        for (answer, times) in overrides {
            (0..times).for_each(|_| scenario.world.replicate.override_next(Resource::Output, answer.clone()));
        }
        scenario.run().await;
        assert!(scenario.world.replicate.has_used_overrides());
        scenario.assert_all_generated().await;
        assert_eq!(scenario.world.replicate.creations(), 1, "{overrides:?}");
    }
}

#[tokio::test]
async fn truncated_object_is_read_again() {
    let whole = base_jpeg();
    let (address, sent) = (truncating_server(whole.clone(), 2).await, whole);
    let client = s3_client(&sdk_config(&address, &Credentials::new("id".to_owned(), "secret".to_owned())));
    let read = Bucket::new(client, "b").get("a.jpg").await.unwrap().unwrap();
    assert!(read.bytes == sent);
}

#[tokio::test]
async fn always_truncated_object_is_an_error() {
    let address = truncating_server(base_jpeg(), usize::MAX).await;
    let client = s3_client(&sdk_config(&address, &Credentials::new("id".to_owned(), "secret".to_owned())));
    let error = Bucket::new(client, "b").get("a.jpg").await.unwrap_err();
    assert!(error.to_string().contains("s3://b/a.jpg"), "{error}");
}

/// A stand-in for S3 that interrupts this many responses in the middle of the object.
async fn truncating_server(object: Vec<u8>, mut times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1 << 16];
            let _ = connection.read(&mut request).await;
            let end = if times > 0 { object.len() / 2 } else { object.len() };
            times = times.saturating_sub(1);
            let length = object.len();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\netag: \"e\"\r\nconnection: close\r\n\r\n");
            let _ = connection.write_all(head.as_bytes()).await;
            let _ = connection.write_all(&object[..end]).await;
            let _ = connection.shutdown().await;
        }
    });
    address
}
