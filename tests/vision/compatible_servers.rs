//! Servers with OpenAI's chat completions that reject some parts of a request.

use balancer_tests::openai::{Answer, Quirk, Vendor, VisionRequest, VisionService, assess_correctly, problem};
use domain::disposition::Disposition;
use domain::money::MicroUsd;

use crate::vision::support::{assert_assessed_except, assess, assess_with_budget, codes, model, pictures};

async fn service(quirk: Quirk) -> VisionService {
    VisionService::of(Vendor { quirk: Some(quirk), ..Vendor::default() }, assess_correctly).await
}

#[tokio::test]
async fn rejected_request_part_is_omitted_from_then_on() {
    let vendors = [
        Vendor { quirk: Some(Quirk::OlderTokenLimit), ..Vendor::default() },
        Vendor { quirk: Some(Quirk::EnumsOfTextsOnly), ..Vendor::default() },
        Vendor { quirk: Some(Quirk::NoSchema), ..Vendor::default() },
        Vendor { effort: None, ..Vendor::default() },
    ];
    for vendor in vendors {
        let service = VisionService::of(vendor, assess_correctly).await;
        let model = model(&service, &[]).await;
        let (batch, granted) = assess_with_budget(MicroUsd(u64::MAX), &model, pictures(&codes(4)), "plan").await;
        assert_assessed_except(&batch, 4, &[]);
        assert_eq!(
            (service.request_count(), service.requested_numbers().len()),
            (2, 1),
            "{vendor:?}: one more request"
        );
        assert!(batch.cost > MicroUsd::ZERO && batch.cost <= granted.into_iter().sum(), "{vendor:?}");
        assert_assessed_except(&assess(&model, 4, "another").await, 4, &[]);
        assert_eq!((service.request_count(), service.violations()), (3, vec![]), "{vendor:?}: the form is remembered");
    }
}

#[tokio::test]
async fn request_in_another_form_is_reserved_too() {
    let vendor = Vendor { effort: None, ..Vendor::default() };
    let service = VisionService::of(vendor, assess_correctly).await;
    let first = model(&service, &[]).await;
    let (batch, granted) = assess_with_budget(MicroUsd(u64::MAX), &first, pictures(&codes(4)), "plan").await;
    assert!(batch.interrupted.is_none());
    // Without an effort the model may reason, which costs more than the reservation for the first form.
    assert!(granted.len() == 2 && granted.iter().all(|&amount| amount > MicroUsd::ZERO), "{granted:?}");
    let (batch, again) = assess_with_budget(granted[0], &model(&service, &[]).await, pictures(&codes(4)), "plan").await;
    assert_eq!((again, service.request_count()), (vec![granted[0]], 3), "nothing is sent without a reservation");
    assert!(batch.interrupted.is_some() && batch.cost == MicroUsd::ZERO, "a rejection costs nothing");
}

#[tokio::test]
async fn single_image_server_gets_single_images() {
    let service = service(Quirk::OnePicture).await;
    let model = model(&service, &[("VISION_MODE", "individual")]).await;
    assert_assessed_except(&assess(&model, 5, "plan").await, 5, &[]);
    assert_eq!(service.request_count(), 1 + 5);
    assert_assessed_except(&assess(&model, 5, "another").await, 5, &[]);
    assert_eq!((service.request_count(), service.violations()), (1 + 5 + 5, vec![]), "the limit is remembered");
}

#[tokio::test]
async fn image_limit_of_the_server_is_used_fully() {
    let few = |request: &VisionRequest| match request.images.len() {
        0..=3 => assess_correctly(request),
        _ => Answer::Reply(problem(400, "bad_request", "You can provide at most 3 images per request.")),
    };
    let service = VisionService::start(few).await;
    let model = model(&service, &[("VISION_MODE", "individual")]).await;
    assert_assessed_except(&assess(&model, 7, "plan").await, 7, &[]);
    assert_eq!(service.request_count(), 1 + 3);
}

#[tokio::test]
async fn server_without_image_support_needs_the_operator() {
    let none = problem(400, "bad_request", "At most 0 image(s) may be provided in one prompt.");
    let service = VisionService::start(move |_| Answer::Reply(none.clone())).await;
    let error = assess(&model(&service, &[]).await, 4, "plan").await.interrupted.unwrap();
    assert!(error.disposition() == Disposition::NeedsOperator && error.to_string().contains("VISION_MODEL"), "{error}");
    assert_eq!(service.request_count(), 1);
}
