//! What the functions are told by their environment.

use std::collections::{BTreeMap, BTreeSet};

use handlers::config::{Config, EvaluationConfig, GenerationConfig, Section, from_variables, names_read};
use handlers::wiring::EMULATOR_ACCESS_KEY_ID;
use yaml_serde::Value;

use crate::document::{DOCUMENT, at, fields, yaml};

/// Where AWS is, for `sam local invoke`.
const READ_BY_THE_SDK: &str = "AWS_ENDPOINT_URL";

/// Variables that are empty in a deployment: only `sam local invoke` sets them.
const OF_AN_EMULATOR: [&str; 2] = [READ_BY_THE_SDK, EMULATOR_ACCESS_KEY_ID];

/// What the template sets for a function, for all of them or for it alone.
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
fn every_variable_that_a_function_reads_is_set_for_it_and_every_one_that_is_set_is_read() {
    let live = variables(&[("VISION_PROVIDER", "openai"), ("GENERATOR", "replicate")]);
    for (function, read) in [
        ("EvaluationFunction", names_read::<EvaluationConfig>(live.clone())),
        ("DeletionFunction", names_read::<Config>(live.clone())),
        ("GenerationFunction", names_read::<GenerationConfig>(live)),
    ] {
        let mut set: BTreeSet<String> = variables_set(function).into_keys().map(str::to_owned).collect();
        assert!(OF_AN_EMULATOR.iter().all(|name| set.remove(*name)));
        assert_eq!(set, read, "{function}");
    }
}

/// What a function is told by the template's defaults, each provider being the embedded one or the live one.
fn assert_defaults_are_those_of_the_code<T: Section + std::fmt::Debug>(function: &str, least: &[(&str, &str)]) {
    let required = ["BUCKET", "TABLE", "EVALUATION_QUEUE_URL", "DELETION_QUEUE_URL", "GENERATION_QUEUE_URL"];
    let mut least = variables(least);
    least.extend(required.map(|name| (name.to_owned(), "x".to_owned())));
    let mut with_defaults = least.clone();
    for (variable, value) in variables_set(function) {
        let parameter = value.get("Ref").and_then(Value::as_str).filter(|name| at("Parameters").get(name).is_some());
        if let Some(parameter) = parameter.filter(|_| !least.contains_key(variable)) {
            let default = at(&format!("Parameters.{parameter}.Default"));
            let default = default.as_str().map_or_else(|| default.as_u64().unwrap().to_string(), str::to_owned);
            with_defaults.insert(variable.to_owned(), default);
        }
    }
    assert!(with_defaults.len() > least.len(), "{function}");
    let config = |variables| format!("{:?}", from_variables::<T>(variables).unwrap());
    assert_eq!(config(with_defaults), config(least), "{function}");
}

#[test]
fn the_templates_defaults_are_those_of_the_code() {
    assert_defaults_are_those_of_the_code::<EvaluationConfig>(
        "EvaluationFunction",
        &[("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY", "k")],
    );
    assert_defaults_are_those_of_the_code::<Config>("DeletionFunction", &[]);
    assert_defaults_are_those_of_the_code::<GenerationConfig>(
        "GenerationFunction",
        &[("GENERATOR", "replicate"), ("REPLICATE_API_TOKEN", "t")],
    );
}

#[test]
fn endpoint_of_aws_is_the_sdks_unless_configured() {
    assert_eq!(*at("Parameters.AwsEndpointUrl.Default"), Value::from(""));
    let variable = at(&format!("Globals.Function.Environment.Variables.{READ_BY_THE_SDK}"));
    assert_eq!(variable["Fn::If"], yaml("[AwsIsEmulated, {Ref: AwsEndpointUrl}, {Ref: AWS::NoValue}]"));
    let variable = at(&format!("Globals.Function.Environment.Variables.{EMULATOR_ACCESS_KEY_ID}"));
    assert_eq!(variable["Fn::If"], yaml(r#"[AwsIsEmulated, "", {Ref: AWS::NoValue}]"#));
    assert_eq!(*at("Conditions.AwsIsEmulated"), yaml(r#"Fn::Not: [Fn::Equals: [{Ref: AwsEndpointUrl}, ""]]"#));
}
