//! A model that reports each image correctly: no observation reaches another image.

use balancer_tests::coded::{Code, VARIANTS, coded_image, coded_picture, read_code};
use balancer_tests::openai::{MODEL, VisionService, assess_correctly};
use domain::kind::Kind;
use domain::money::MicroUsd;
use imaging::{decode, encode_jpeg, measure, resize};
use providers::vision::PROMPT_VERSION;

use crate::vision::support::{assert_assessed_except, assess, assess_with_budget, codes, model, pictures};

#[tokio::test]
async fn no_image_is_mistaken_for_another() {
    for (mode, passes) in [("grid", "1"), ("grid", "2"), ("individual", "1"), ("individual", "2")] {
        for count in [1, 2, 5, 6, 19, 20, 21, 45] {
            let service = VisionService::start(assess_correctly).await;
            let model = model(&service, &[("VISION_MODE", mode), ("VISION_PASSES", passes)]).await;
            let (pictures, plan) = (pictures(&codes(count)), format!("plan-{count}"));
            let (batch, granted) = assess_with_budget(MicroUsd(u64::MAX), &model, pictures, &plan).await;
            assert_eq!(service.violations(), [""; 0], "{mode} {passes} {count}");
            assert!(batch.interrupted.is_none());
            assert_assessed_except(&batch, count, &[]);
            let pages = count.div_ceil(20) * passes.parse::<usize>().unwrap();
            assert_eq!(service.request_count(), pages, "no request is repeated");
            assert_eq!(granted.len(), 1, "the whole cost is reserved once, before the first request");
            assert!(
                MicroUsd::ZERO < batch.cost && batch.cost <= granted[0],
                "{} of at most {}",
                batch.cost,
                granted[0]
            );
        }
    }
}

#[tokio::test]
async fn empty_set_sends_no_request() {
    let service = VisionService::start(assess_correctly).await;
    let batch = assess(&model(&service, &[]).await, 0, "plan").await;
    assert_eq!((batch.images.len(), batch.cost, service.request_count()), (0, MicroUsd::ZERO, 0));
}

#[tokio::test]
async fn model_name_includes_the_prompt_version() {
    let service = VisionService::start(assess_correctly).await;
    let model = model(&service, &[]).await;
    assert_eq!(model.name(), format!("openai/{MODEL}/prompt-{PROMPT_VERSION}"));
}

#[tokio::test]
async fn cost_is_tokens_times_prices() {
    let service = VisionService::start(assess_correctly).await;
    let prices = |input, output| {
        [("VISION_USD_PER_MILLION_INPUT_TOKENS", input), ("VISION_USD_PER_MILLION_OUTPUT_TOKENS", output)]
    };
    let cost = async |input, output| assess(&model(&service, &prices(input, output)).await, 20, "plan").await.cost;
    let (input, output) = (cost("1", "0").await, cost("0", "1").await);
    // At a dollar per million, a token costs a millionth of a dollar. A page has 2,000 patches.
    assert!((2000..5000).contains(&input.0) && (500..3000).contains(&output.0), "{input} {output}");
    assert_eq!(cost("1", "1").await, input + output);
    assert_eq!(cost("0.25", "2").await, MicroUsd((input.0 * 25 + output.0 * 200).div_ceil(100)));
}

#[test]
fn coded_picture_is_readable_at_every_size() {
    for (index, kind) in Kind::ALL.into_iter().cycle().take(60).enumerate() {
        let quality = u8::try_from(index % 10).unwrap() + 1;
        let code = Code { kind, quality, variant: u32::try_from(index).unwrap() * 34 };
        assert!(code.variant < VARIANTS);
        assert_eq!(read_code(&decode(&coded_picture(kind, quality, code.variant)).unwrap()), Some(code));
        for side in [64, 100, 312] {
            let small = encode_jpeg(&resize(&coded_image(code), side, side)).unwrap();
            assert_eq!(read_code(&decode(&small).unwrap()), Some(code), "{side} pixels");
        }
    }
}

#[test]
fn coded_pictures_are_never_near_duplicates() {
    let facts: Vec<_> = (0..150)
        .map(|index| {
            let code = Code { kind: Kind::ALL[index % 3], quality: 8, variant: u32::try_from(index / 3).unwrap() };
            measure(b"", &coded_image(code))
        })
        .collect();
    for (index, one) in facts.iter().enumerate() {
        let distances = facts[..index].iter().map(|other| one.hash_distance(other).unwrap());
        assert!(distances.min().is_none_or(|bits| bits > 26), "picture {index}");
    }
}
