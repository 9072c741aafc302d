//! The settings of the SAM CLI.

use yaml_serde::Value;

use crate::template::document::fields;

const SAMCONFIG: &str = include_str!("../../samconfig.toml");

#[test]
fn samconfig_overrides_only_existing_parameters() {
    let samconfig: toml::Table = SAMCONFIG.parse().unwrap();
    let parameters = fields("Parameters");
    for environment in ["default", "dev", "prod"] {
        let commands = &samconfig[environment];
        assert!(commands["global"]["parameters"]["stack_name"].is_str(), "{environment}");
        let deploy = commands["deploy"]["parameters"].as_table().unwrap();
        let overrides = deploy.get("parameter_overrides").map_or("", |overrides| overrides.as_str().unwrap());
        for pair in overrides.split_whitespace() {
            let (name, value) = pair.split_once('=').unwrap();
            let parameter = parameters.get(name).unwrap_or_else(|| panic!("{environment}: {name}"));
            if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_sequence) {
                let allowed: Vec<_> = allowed
                    .iter()
                    .map(|value| value.as_str().map_or_else(|| value.as_u64().unwrap().to_string(), str::to_owned))
                    .collect();
                assert!(allowed.contains(&value.to_owned()), "{environment}: {pair}");
            }
            let is_secret = parameter.get("NoEcho").is_some_and(|no_echo| *no_echo == Value::Bool(true));
            assert!(!is_secret, "{environment}: {name} is a secret");
        }
    }
}

#[test]
fn sam_local_uses_its_build_and_the_emulator() {
    let samconfig: toml::Table = SAMCONFIG.parse().unwrap();
    let of = |command: &str| samconfig["local"][command]["parameters"].as_table().unwrap();
    let (built, invoked) = (of("build")["parameter_overrides"].as_str(), of("local_invoke"));
    let overrides: Vec<_> = invoked["parameter_overrides"].as_str().unwrap().split_whitespace().collect();
    assert_eq!(built, Some(overrides[0]));
    assert!(overrides[1].starts_with("AwsEndpointUrl=http://"), "SAM passes the variable only if the parameter is set");
    assert_eq!(invoked["env_vars"].as_str(), Some("env.json"));
}
