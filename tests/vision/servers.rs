//! Servers that speak OpenAI's chat completions and refuse some parts of a request.

use balancer_tests::openai::{Answer, Asked, Quirk, Vendor, VisionService, assess_correctly, problem};
use domain::disposition::Disposition;
use domain::money::MicroUsd;

use crate::support::{assert_seen_except, codes, model, observe, observe_within, pictures};

async fn service(quirk: Quirk) -> VisionService {
    VisionService::of(Vendor { quirk: Some(quirk), ..Vendor::default() }, assess_correctly).await
}

#[tokio::test]
async fn a_refused_part_is_left_out_and_that_is_remembered() {
    let vendors = [
        Vendor { quirk: Some(Quirk::OlderTokenLimit), ..Vendor::default() },
        Vendor { quirk: Some(Quirk::EnumsOfTextsOnly), ..Vendor::default() },
        Vendor { quirk: Some(Quirk::NoSchema), ..Vendor::default() },
        Vendor { effort: None, ..Vendor::default() },
    ];
    for vendor in vendors {
        let service = VisionService::of(vendor, assess_correctly).await;
        let model = model(&service, &[]).await;
        let (seen, granted) = observe_within(MicroUsd(u64::MAX), &model, pictures(&codes(4)), "plan").await;
        assert_seen_except(&seen, 4, &[]);
        assert_eq!((service.turns(), service.asked().len()), (2, 1), "{vendor:?}: one more request");
        assert!(seen.cost > MicroUsd::ZERO && seen.cost <= granted.into_iter().sum(), "{vendor:?}");
        assert_seen_except(&observe(&model, 4, "another").await, 4, &[]);
        assert_eq!((service.turns(), service.violations()), (3, vec![]), "{vendor:?}: it is remembered");
    }
}

#[tokio::test]
async fn a_request_in_another_form_is_reserved_like_any_other() {
    let vendor = Vendor { effort: None, ..Vendor::default() };
    let service = VisionService::of(vendor, assess_correctly).await;
    let first = model(&service, &[]).await;
    let (seen, granted) = observe_within(MicroUsd(u64::MAX), &first, pictures(&codes(4)), "plan").await;
    assert!(seen.interrupted.is_none());
    // Without an effort the model may reason, which costs more than was reserved for the first form.
    assert!(granted.len() == 2 && granted.iter().all(|&amount| amount > MicroUsd::ZERO), "{granted:?}");
    let (seen, again) = observe_within(granted[0], &model(&service, &[]).await, pictures(&codes(4)), "plan").await;
    assert_eq!((again, service.turns()), (vec![granted[0]], 3), "what is not reserved is not asked");
    assert!(seen.interrupted.is_some() && seen.cost == MicroUsd::ZERO, "a refusal costs nothing");
}

#[tokio::test]
async fn a_server_of_one_image_a_request_gets_one_each_time() {
    let service = service(Quirk::OnePicture).await;
    let model = model(&service, &[("VISION_MODE", "individual")]).await;
    assert_seen_except(&observe(&model, 5, "plan").await, 5, &[]);
    assert_eq!(service.turns(), 1 + 5);
    assert_seen_except(&observe(&model, 5, "another").await, 5, &[]);
    assert_eq!((service.turns(), service.violations()), (1 + 5 + 5, vec![]), "it is remembered");
}

#[tokio::test]
async fn a_server_of_a_few_images_gets_as_many_each_time() {
    let few = |asked: &Asked| match asked.shown.len() {
        0..=3 => assess_correctly(asked),
        _ => Answer::Reply(problem(400, "bad_request", "You can provide at most 3 images per request.")),
    };
    let service = VisionService::start(few).await;
    let model = model(&service, &[("VISION_MODE", "individual")]).await;
    assert_seen_except(&observe(&model, 7, "plan").await, 7, &[]);
    assert_eq!(service.turns(), 1 + 3);
}

#[tokio::test]
async fn a_server_without_images_needs_another_model() {
    let none = problem(400, "bad_request", "At most 0 image(s) may be provided in one prompt.");
    let service = VisionService::start(move |_| Answer::Reply(none.clone())).await;
    let error = observe(&model(&service, &[]).await, 4, "plan").await.interrupted.unwrap();
    assert!(error.disposition() == Disposition::NeedsOperator && error.to_string().contains("VISION_MODEL"), "{error}");
    assert_eq!(service.turns(), 1);
}
