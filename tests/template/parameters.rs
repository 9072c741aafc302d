//! Invalid parameters are rejected before the stack creates any resource.

use std::collections::BTreeMap;

use balancer_tests::stack::{TEMPLATE, binaries, emulator};
use domain::limits::{Fault, QualityLimits};
use handlers::config::{EvaluationConfig, from_variables};
use local_stack::{Account, Stack, StackOptions};
use providers::generator::ReplicateModel;
use regex::Regex;
use yaml_serde::Value;

use crate::template::document::{at, fields, number};

/// The error of a deployment with these parameters; `None` if it succeeds.
async fn deployment_error(parameters: &[(&str, &str)]) -> Option<String> {
    let options = StackOptions {
        template: TEMPLATE.to_owned(),
        binaries: binaries().await.clone(),
        parameters: parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        key_files: BTreeMap::new(),
        account: Account::unique(),
        name: "parameters".to_owned(),
    };
    Stack::create(emulator().await, options).await.err().map(|error| error.to_string())
}

#[tokio::test]
async fn paid_service_needs_exactly_one_key() {
    for (parameters, sentence) in [
        (vec![("Generator", "embedded")], "VisionProvider=openai needs OpenAiApiKeySecretArn or OpenAiApiKey"),
        (
            vec![("Generator", "embedded"), ("OpenAiApiKey", "k"), ("OpenAiApiKeySecretArn", "arn")],
            "More than one of OpenAiApiKey, OpenAiApiKeySecretArn and OpenAiApiKeyFile is set",
        ),
        (
            vec![("VisionProvider", "embedded")],
            "Generator=replicate needs ReplicateApiTokenSecretArn or ReplicateApiToken",
        ),
        (
            vec![("VisionProvider", "embedded"), ("ReplicateApiToken", "t"), ("ReplicateApiTokenSecretArn", "arn")],
            "More than one of ReplicateApiToken, ReplicateApiTokenSecretArn and ReplicateApiTokenFile is set",
        ),
        (
            vec![("VisionProvider", "embedded"), ("Generator", "openai"), ("GeneratorUsdPerImage", "0")],
            "Generator=openai needs OpenAiImagesApiKeySecretArn or OpenAiImagesApiKey",
        ),
        (
            vec![
                ("VisionProvider", "embedded"),
                ("Generator", "openai"),
                ("GeneratorUsdPerImage", "0"),
                ("OpenAiImagesApiKey", "k"),
                ("OpenAiImagesApiKeyFile", "/run/key"),
            ],
            "More than one of OpenAiImagesApiKey, OpenAiImagesApiKeySecretArn and OpenAiImagesApiKeyFile is set",
        ),
    ] {
        let error = deployment_error(&parameters).await.unwrap_or_else(|| panic!("{parameters:?} is deployed"));
        assert!(error.contains(sentence), "{error}");
    }
}

#[tokio::test]
async fn paid_services_with_keys_and_embedded_ones_deploy() {
    let paid = [
        ("OpenAiApiKey", "k"),
        ("ReplicateApiTokenSecretArn", "arn:aws:secretsmanager:us-east-1:000000000000:secret:r"),
    ];
    assert_eq!(deployment_error(&paid).await, None);
    let in_files = [("OpenAiApiKeyFile", "/run/openai"), ("ReplicateApiTokenFile", "/run/replicate")];
    assert_eq!(deployment_error(&in_files).await, None);
    assert_eq!(deployment_error(&[("VisionProvider", "embedded"), ("Generator", "embedded")]).await, None);
    let images = [
        ("VisionProvider", "embedded"),
        ("Generator", "openai"),
        ("OpenAiImagesApiKey", "k"),
        ("GeneratorUsdPerImage", "0"),
    ];
    assert_eq!(deployment_error(&images).await, None);
}

#[tokio::test]
async fn comfyui_needs_a_workflow() {
    let parameters =
        [("VisionProvider", "embedded"), ("Generator", "comfyui"), ("ComfyUiWorkflow", "s3:system_actors/comfyui/w")];
    let error = deployment_error(&parameters[..2]).await.unwrap();
    assert!(error.contains("Generator=comfyui needs ComfyUiWorkflow"), "{error}");
    assert_eq!(deployment_error(&parameters).await, None);
}

#[test]
fn template_accepts_the_limits_that_the_function_accepts() {
    let pattern = at("Parameters.QualityLimits.AllowedPattern").as_str().unwrap();
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    let named = Fault::ALL.map(|fault| format!("{fault}=10"));
    let all = named.join(",");
    let wrong = ["text", "text=0", "text=11", "txt=3", "text=3,", "text=3;blocky=3"];
    for text in named.iter().map(String::as_str).chain(["", all.as_str()]).chain(wrong) {
        let is_wrong = wrong.contains(&text);
        assert_eq!(pattern.is_match(text), !is_wrong, "{text}");
        assert!(is_wrong || text.parse::<QualityLimits>().is_ok(), "{text}");
    }
}

#[test]
fn template_and_functions_accept_the_same_models() {
    let pattern = at("Parameters.ReplicateModel.AllowedPattern").as_str().unwrap();
    // CloudFormation compares the whole value.
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    let others =
        ["acme/a_b-c.1", "acme/painter:0f1178f5", "flux", "a/b/c", "a/b:", "a/b:c:d", "../b", "a/..", "a b/c", ""];
    for text in ReplicateModel::known().chain(others) {
        assert_eq!(pattern.is_match(text), text.parse::<ReplicateModel>().is_ok(), "{text}");
    }
}

#[tokio::test]
async fn price_is_needed_unless_it_is_known() {
    let rule = format!("{:?}", at("Rules.PriceOfImagesIsKnown"));
    for model in ReplicateModel::known() {
        let is_priced = ReplicateModel::priced().any(|priced| priced == model);
        assert_eq!(rule.contains(&format!("{model:?}")), is_priced, "{model}");
    }
    let unpriced = [
        ("VisionProvider", "embedded"),
        ("ReplicateApiToken", "t"),
        ("ReplicateModel", "google/nano-banana"),
        ("GeneratorUsdPerImage", "0.039"),
    ];
    let error = deployment_error(&unpriced[..3]).await.unwrap();
    assert!(error.contains("set GeneratorUsdPerImage to the price of one image"), "{error}");
    assert_eq!(deployment_error(&unpriced).await, None);
    let images = [("VisionProvider", "embedded"), ("Generator", "openai"), ("OpenAiImagesApiKey", "k")];
    let error = deployment_error(&images).await.unwrap();
    assert!(error.contains("The price of OpenAiImagesModel is not known"), "{error}");
}

/// The numeric variables of the evaluation function, by their parameters.
fn numeric_variables() -> BTreeMap<&'static str, &'static str> {
    let variables = fields("Resources.EvaluationFunction.Properties.Environment.Variables");
    let parameters = fields("Parameters");
    let is_number = |name: &str| parameters.get(name).is_some_and(|parameter| parameter["Type"] == "Number");
    variables
        .into_iter()
        .filter_map(|(variable, value)| Some((value.get("Ref")?.as_str()?, variable)))
        .filter(|(parameter, _)| is_number(parameter))
        .collect()
}

/// Whether the evaluation function starts with this value.
fn is_accepted(variable: &str, value: i64) -> bool {
    let required = ["BUCKET", "TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
    let mut variables: BTreeMap<String, String> = required.map(|name| (name.to_owned(), "x".to_owned())).into();
    for (name, value) in [("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY", "k"), (variable, &value.to_string())] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    from_variables::<EvaluationConfig>(variables).is_ok()
}

#[test]
fn template_and_functions_accept_the_same_numbers() {
    let numbers = numeric_variables();
    assert!(numbers.len() >= 7, "{numbers:?}");
    for (parameter, variable) in numbers {
        let (least, most) =
            match at("Parameters").get(parameter).unwrap().get("AllowedValues").and_then(Value::as_sequence) {
                Some(allowed) => (allowed[0].as_u64().unwrap(), allowed[allowed.len() - 1].as_u64().unwrap()),
                None => (
                    number(&format!("Parameters.{parameter}.MinValue")),
                    number(&format!("Parameters.{parameter}.MaxValue")),
                ),
            };
        let (least, most) = (i64::try_from(least).unwrap(), i64::try_from(most).unwrap());
        assert!(is_accepted(variable, least) && is_accepted(variable, most), "{parameter}: {least} to {most}");
        assert!(
            !is_accepted(variable, least - 1) && !is_accepted(variable, most + 1),
            "{parameter}: beyond {least} to {most}"
        );
    }
}
