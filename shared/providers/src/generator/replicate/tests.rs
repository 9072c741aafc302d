use std::sync::Arc;

use aws::secrets::Secret;
use domain::kind::Kind;
use image::RgbImage;

use super::*;

#[tokio::test]
async fn each_model_receives_only_inputs_that_it_has() {
    let request = Request {
        base: Arc::new(RgbImage::new(64, 64)),
        kind: Kind::Photorealistic,
        prompt: "a man".to_owned(),
        seed: 7,
    };
    let common = ["aspect_ratio", "input_image", "output_format", "prompt", "seed"];
    for model in ReplicateModel::ALL {
        let config = ReplicateConfig {
            base_url: "https://api.replicate.com".to_owned(),
            token: Secret::Given("t".into()),
            model,
            usd_per_image: MicroUsd(40_000),
        };
        let replicate = Replicate::new(config, &SdkConfig::builder().build()).await.unwrap();
        let creation = replicate.prepare(&request).await.unwrap().0;
        let mut fields: Vec<&str> = creation["input"].as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        let mut expected = common.to_vec();
        if model != ReplicateModel::KontextDev {
            expected.extend(["prompt_upsampling", "safety_tolerance"]);
            expected.sort_unstable();
        }
        assert_eq!(fields, expected, "{model}");
    }
}
