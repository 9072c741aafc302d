//! The environment variables of the functions.

use std::collections::{BTreeMap, BTreeSet};

use handlers::config::{Config, EvaluationConfig, GenerationConfig, Section, from_variables, names_read};
use handlers::wiring::EMULATOR_ACCESS_KEY_ID;
use yaml_serde::Value;

use crate::template::document::{DOCUMENT, at, fields, yaml};

/// The endpoint of AWS, which the SDK reads. `sam local invoke` sets it.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Variables that a deployment leaves unset: only `sam local invoke` sets them.
const EMULATOR_VARIABLES: [&str; 2] = [ENDPOINT, EMULATOR_ACCESS_KEY_ID];

/// The generators that a service runs.
const SERVICES: [&str; 3] = ["replicate", "openai", "comfyui"];

/// The variables that the template sets for a function, globally or for this function alone.
fn variables_set(function: &str) -> BTreeMap<&'static str, &'static Value> {
    let mut set = fields("Globals.Function.Environment.Variables");
    let own = format!("Resources.{function}.Properties.Environment.Variables");
    if own.split('.').try_fold(&*DOCUMENT, |value, name| value.get(name)).is_some() {
        set.extend(fields(&own));
    }
    set
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn functions_get_exactly_the_variables_they_read() {
    let live = |generator| variables(&[("VISION_PROVIDER", "openai"), ("GENERATOR", generator)]);
    let of_generators = SERVICES.iter().flat_map(|generator| names_read::<GenerationConfig>(live(generator)));
    for (function, read) in [
        ("EvaluationFunction", names_read::<EvaluationConfig>(live("embedded"))),
        ("DeletionFunction", names_read::<Config>(live("embedded"))),
        ("GenerationFunction", of_generators.collect()),
    ] {
        let mut set: BTreeSet<String> = variables_set(function).into_keys().map(str::to_owned).collect();
        assert!(EMULATOR_VARIABLES.iter().all(|name| set.remove(*name)));
        assert_eq!(set, read, "{function}");
    }
}

/// Asserts that the template's defaults give the same configuration as the code's own. `required` contains the
/// variables without a default for the chosen provider.
fn assert_same_defaults<T: Section + std::fmt::Debug>(function: &str, required: &[(&str, &str)]) {
    let resources = ["BUCKET", "TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
    let mut required = variables(required);
    required.extend(resources.map(|name| (name.to_owned(), "x".to_owned())));
    let mut with_defaults = required.clone();
    for (variable, value) in variables_set(function) {
        let parameter = value.get("Ref").and_then(Value::as_str).filter(|name| at("Parameters").get(name).is_some());
        if let Some(parameter) = parameter.filter(|_| !required.contains_key(variable)) {
            let default = at(&format!("Parameters.{parameter}.Default"));
            let default = default.as_str().map_or_else(|| default.as_u64().unwrap().to_string(), str::to_owned);
            with_defaults.insert(variable.to_owned(), default);
        }
    }
    assert!(with_defaults.len() > required.len(), "{function}");
    let config = |variables| format!("{:?}", from_variables::<T>(variables).unwrap());
    assert_eq!(config(with_defaults), config(required), "{function}");
}

#[test]
fn defaults_in_template_and_code_are_equal() {
    assert_same_defaults::<EvaluationConfig>(
        "EvaluationFunction",
        &[("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY", "k")],
    );
    assert_same_defaults::<Config>("DeletionFunction", &[]);
    assert_same_defaults::<GenerationConfig>(
        "GenerationFunction",
        &[("GENERATOR", "replicate"), ("REPLICATE_API_TOKEN", "t")],
    );
    assert_same_defaults::<GenerationConfig>(
        "GenerationFunction",
        &[("GENERATOR", "openai"), ("OPENAI_IMAGES_API_KEY", "k"), ("GENERATOR_USD_PER_IMAGE", "0.05")],
    );
    assert_same_defaults::<GenerationConfig>(
        "GenerationFunction",
        &[("GENERATOR", "comfyui"), ("COMFYUI_WORKFLOW", "s3:k")],
    );
}

#[test]
fn aws_endpoint_is_set_only_for_an_emulator() {
    assert_eq!(*at("Parameters.AwsEndpointUrl.Default"), Value::from(""));
    let variable = at(&format!("Globals.Function.Environment.Variables.{ENDPOINT}"));
    assert_eq!(variable["Fn::If"], yaml("[AwsIsEmulated, {Ref: AwsEndpointUrl}, {Ref: AWS::NoValue}]"));
    let variable = at(&format!("Globals.Function.Environment.Variables.{EMULATOR_ACCESS_KEY_ID}"));
    assert_eq!(variable["Fn::If"], yaml(r#"[AwsIsEmulated, "", {Ref: AWS::NoValue}]"#));
    assert_eq!(*at("Conditions.AwsIsEmulated"), yaml(r#"Fn::Not: [Fn::Equals: [{Ref: AwsEndpointUrl}, ""]]"#));
}
