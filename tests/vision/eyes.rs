//! With perfect eyes on the other side, no image is ever mistaken for another.

use balancer_tests::coded::{Code, VARIANTS, coded_image, coded_picture, read_code};
use balancer_tests::openai::{MODEL, VisionService, assess_correctly};
use domain::kind::Kind;
use domain::money::MicroUsd;
use imaging::{decode, encode_jpeg, measure, resize};
use providers::vision::PROMPT_VERSION;

use crate::support::{assert_seen_except, codes, model, observe, observe_within, pictures};

#[tokio::test]
async fn no_image_is_mistaken_for_another() {
    for (mode, passes) in [("grid", "1"), ("grid", "2"), ("individual", "1"), ("individual", "2")] {
        for count in [1, 2, 5, 6, 19, 20, 21, 45] {
            let service = VisionService::start(assess_correctly).await;
            let model = model(&service, &[("VISION_MODE", mode), ("VISION_PASSES", passes)]).await;
            let (pictures, plan) = (pictures(&codes(count)), format!("plan-{count}"));
            let (seen, granted) = observe_within(MicroUsd(u64::MAX), &model, pictures, &plan).await;
            assert_eq!(service.violations(), [""; 0], "{mode} {passes} {count}");
            assert!(seen.interrupted.is_none());
            assert_seen_except(&seen, count, &[]);
            let pages = count.div_ceil(20) * passes.parse::<usize>().unwrap();
            assert_eq!(service.turns(), pages, "nothing is asked twice");
            assert_eq!(granted.len(), 1, "all the money that it takes is asked for once, before it begins");
            assert!(MicroUsd::ZERO < seen.cost && seen.cost <= granted[0], "{} of at most {}", seen.cost, granted[0]);
        }
    }
}

#[tokio::test]
async fn an_empty_set_is_not_asked_about() {
    let service = VisionService::start(assess_correctly).await;
    let seen = observe(&model(&service, &[]).await, 0, "plan").await;
    assert_eq!((seen.images.len(), seen.cost, service.turns()), (0, MicroUsd::ZERO, 0));
}

#[tokio::test]
async fn an_assessment_belongs_to_the_model_and_the_version_of_the_prompt() {
    let service = VisionService::start(assess_correctly).await;
    let model = model(&service, &[]).await;
    assert_eq!(model.name(), format!("openai/{MODEL}/prompt-{PROMPT_VERSION}"));
}

#[tokio::test]
async fn the_cost_is_the_tokens_times_their_prices() {
    let service = VisionService::start(assess_correctly).await;
    let prices = |input, output| {
        [("VISION_USD_PER_MILLION_INPUT_TOKENS", input), ("VISION_USD_PER_MILLION_OUTPUT_TOKENS", output)]
    };
    let cost = async |input, output| observe(&model(&service, &prices(input, output)).await, 20, "plan").await.cost;
    let (input, output) = (cost("1", "0").await, cost("0", "1").await);
    // At a dollar for a million, a token costs a millionth of a dollar: a page has 2,000 patches.
    assert!((2000..5000).contains(&input.0) && (500..3000).contains(&output.0), "{input} {output}");
    assert_eq!(cost("1", "1").await, input + output);
    assert_eq!(cost("0.25", "2").await, MicroUsd((input.0 * 25 + output.0 * 200).div_ceil(100)));
}

#[test]
fn a_coded_picture_is_read_back_at_every_size_and_compression() {
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
        assert!(facts[..index].iter().all(|other| !one.looks_like(other)), "picture {index}");
    }
}
