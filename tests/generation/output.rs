//! What becomes of what was made.

use aws::bucket::Bucket;
use balancer_tests::pictures::base_jpeg;
use balancer_tests::replicate::{Outcome, Place};
use handlers::wiring::s3_client;
use imaging::{decode, is_jpeg};
use jiff::SignedDuration;
use local_stack::{Credentials, sdk_config};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::support::{Wanted, always, first};

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(96, 64, |x, y| image::Rgb([x as u8 * 2, y as u8 * 3, 90]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn one(fate: Outcome) -> Wanted {
    let wanted = Wanted::image(move |index, _| if index == 0 { fate.clone() } else { Outcome::Succeeds }).await;
    wanted.work().await;
    wanted
}

#[tokio::test]
async fn an_output_that_is_no_use_is_paid_and_asked_for_anew() {
    let too_large = vec![0xFF; imaging::MAX_BYTES as usize + 1];
    for fate in [
        Outcome::Gives(b"<html>Not today</html>".to_vec()),
        Outcome::Gives(Vec::new()),
        Outcome::Gives(base_jpeg()[..2_000].to_vec()),
        Outcome::Gives(too_large),
        Outcome::LiesAt("https://example.com/out.jpg".to_owned()),
        Outcome::LiesAt("file:///etc/passwd".to_owned()),
        Outcome::LiesAt("https://evilreplicate.delivery/out.jpg".to_owned()),
        Outcome::LiesAt("https://replicate.delivery.example.com/out.jpg".to_owned()),
        Outcome::LiesAt("http://replicate.delivery/out.jpg".to_owned()),
        Outcome::IsRemoved,
    ] {
        let wanted = one(fate.clone()).await;
        let plan = wanted.plan().await;
        let fate = format!("{fate:?}").chars().take(60).collect::<String>();
        assert_eq!((plan.generated, wanted.files().await.len()), (1, 1), "{fate}");
        assert_eq!(wanted.world.replicate.charged(), 2, "{fate}");
        assert_eq!((plan.spent.0, plan.committed.0), (80_000, 80_000), "{fate}");
        let manifest = wanted.world.manifest(&wanted.actor).await;
        assert_eq!(manifest.images.values().next().unwrap().cost_micro_usd.unwrap().0, 80_000, "{fate}");
    }
}

#[tokio::test]
async fn what_is_never_of_use_is_given_up() {
    let wanted = Wanted::image(|_, _| Outcome::Gives(b"nothing".to_vec())).await;
    wanted.work().await;
    wanted.assert_given_up("the content is not PNG, JPEG or WebP", 3).await;
}

#[tokio::test]
async fn an_output_in_another_format_is_kept_as_a_jpeg() {
    let wanted = one(Outcome::Gives(png())).await;
    wanted.assert_all_made().await;
    let key = wanted.world.keys.image(&wanted.actor, &wanted.files().await[0]);
    let kept = wanted.world.bucket.get(&key).await.unwrap().unwrap().bytes;
    assert!(is_jpeg(&kept));
    assert_eq!(decode(&kept).unwrap().dimensions(), (96, 64));
}

/// Responses in place of an output that is safe at its address.
fn damaged() -> Vec<ResponseTemplate> {
    let body = |bytes: &[u8]| ResponseTemplate::new(200).set_body_raw(bytes.to_vec(), "image/jpeg");
    let statuses = [404, 403, 410, 401, 302].map(ResponseTemplate::new);
    [body(b"<html>Just a moment</html>"), body(b""), body(&base_jpeg()[..2_000])].into_iter().chain(statuses).collect()
}

#[tokio::test]
async fn a_damaged_output_is_fetched_again_not_paid_again() {
    for damaged in damaged() {
        let wanted = Wanted::image(always(Outcome::Succeeds)).await;
        for _ in 0..3 {
            wanted.world.replicate.answer_next(Place::Output, damaged.clone());
        }
        wanted.work().await;
        assert!(wanted.world.replicate.has_answered_so());
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 1, "{damaged:?}");
    }
}

#[tokio::test]
async fn outputs_damaged_often_cost_one_creation_each() {
    let wanted = Wanted::images(5, always(Outcome::Succeeds)).await;
    for damaged in damaged().into_iter().cycle().take(12) {
        wanted.world.replicate.answer_next(Place::Output, damaged);
    }
    wanted.work().await;
    assert!(wanted.world.replicate.has_answered_so());
    wanted.assert_all_made().await;
    assert_eq!(wanted.world.replicate.creations(), 5);
}

#[tokio::test]
async fn a_prediction_unknown_for_a_moment_is_not_paid_again() {
    let unknown = ResponseTemplate::new(404).set_body_json(json!({ "detail": "Prediction not found" }));
    let nameless = json!({ "id": "prediction0", "status": "succeeded", "output": null, "data_removed": false });
    for answer in [unknown, ResponseTemplate::new(200).set_body_json(nameless)] {
        let wanted = Wanted::image(always(Outcome::Succeeds)).await;
        for _ in 0..3 {
            wanted.world.replicate.answer_next(Place::Look, answer.clone());
        }
        wanted.work().await;
        assert!(wanted.world.replicate.has_answered_so());
        wanted.assert_all_made().await;
        assert_eq!(wanted.world.replicate.creations(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_missing_output_is_awaited_while_it_is_kept() {
    let wanted = Wanted::image(first(Outcome::IsRemoved)).await;
    let began = wanted.world.clock.now();
    while wanted.world.replicate.creations() < 2 {
        assert!(wanted.world.generate_one().await);
    }
    let waited = wanted.world.clock.now().duration_since(began);
    assert!((SignedDuration::from_mins(60)..SignedDuration::from_mins(110)).contains(&waited), "{waited}");
    wanted.work().await;
    wanted.assert_all_made_for(2).await;
}

#[tokio::test]
async fn an_object_cut_off_on_its_way_is_read_again() {
    let whole = base_jpeg();
    let (address, sent) = (cutting_off(whole.clone(), 2).await, whole);
    let client = s3_client(&sdk_config(&address, &Credentials::new("id".to_owned(), "secret".to_owned())));
    let read = Bucket::new(client, "b").get("a.jpg").await.unwrap().unwrap();
    assert!(read.bytes == sent);
}

#[tokio::test]
async fn an_object_always_cut_off_is_an_error_not_half_an_image() {
    let address = cutting_off(base_jpeg(), usize::MAX).await;
    let client = s3_client(&sdk_config(&address, &Credentials::new("id".to_owned(), "secret".to_owned())));
    let error = Bucket::new(client, "b").get("a.jpg").await.unwrap_err();
    assert!(error.to_string().contains("s3://b/a.jpg"), "{error}");
}

/// An S3 that interrupts this many answers in the middle of the object.
async fn cutting_off(object: Vec<u8>, mut times: usize) -> String {
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
