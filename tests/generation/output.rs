//! What becomes of what was made.

use balancer::imaging::{decode, is_jpeg};
use balancer_tests::replicate::Fate;

use crate::support::Wanted;

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_fn(96, 64, |x, y| image::Rgb([x as u8 * 2, y as u8 * 3, 90]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn one(fate: Fate) -> Wanted {
    let wanted = Wanted::image(move |index, _| if index == 0 { fate.clone() } else { Fate::Succeeds }).await;
    wanted.work().await;
    wanted
}

#[tokio::test]
async fn an_output_that_is_no_use_is_paid_and_asked_for_anew() {
    let too_large = vec![0xFF; balancer::imaging::MAX_BYTES as usize + 1];
    for fate in [
        Fate::Gives(b"<html>Not today</html>".to_vec()),
        Fate::Gives(Vec::new()),
        Fate::Gives(balancer_tests::pictures::base_jpeg()[..2_000].to_vec()),
        Fate::Gives(too_large),
        Fate::LiesAt("https://example.com/out.jpg".to_owned()),
        Fate::LiesAt("file:///etc/passwd".to_owned()),
        Fate::LiesAt("https://evilreplicate.delivery/out.jpg".to_owned()),
        Fate::LiesAt("https://replicate.delivery.example.com/out.jpg".to_owned()),
        Fate::LiesAt("http://replicate.delivery/out.jpg".to_owned()),
        Fate::IsRemoved,
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
    let wanted = Wanted::image(|_, _| Fate::Gives(b"nothing".to_vec())).await;
    wanted.work().await;
    wanted.assert_given_up("the content is not PNG, JPEG or WebP", 3).await;
}

#[tokio::test]
async fn an_output_in_another_format_is_kept_as_a_jpeg() {
    let wanted = one(Fate::Gives(png())).await;
    wanted.assert_all_made().await;
    let key = wanted.world.keys.image(&wanted.actor, &wanted.files().await[0]);
    let kept = wanted.world.bucket.get(&key).await.unwrap().unwrap().bytes;
    assert!(is_jpeg(&kept));
    assert_eq!(decode(&kept).unwrap().dimensions(), (96, 64));
}
