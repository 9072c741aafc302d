use aws::secrets::Secret;
use domain::format::{Format, Megapixels};
use domain::limits::Fault;
use domain::limits::frontal::FrontalImages;
use domain::settings::Settings;
use providers::generator::GeneratorConfig;
use providers::vision::{OpenAiConfig, VisionConfig};

use super::*;

fn variables(extra: &[(&str, &str)]) -> BTreeMap<String, String> {
    let required = [
        ("BUCKET", "b"),
        ("TABLE", "t"),
        ("EVALUATION_QUEUE_URL", "e"),
        ("DELETION_QUEUE_URL", "d"),
        ("GENERATION_QUEUE_URL", "g"),
        ("VISION_PROVIDER", "embedded"),
        ("GENERATOR", "embedded"),
    ];
    required.iter().chain(extra).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn problem<T: Section + std::fmt::Debug>(variables: BTreeMap<String, String>) -> String {
    from_variables::<T>(variables).unwrap_err().to_string()
}

#[test]
fn unset_variables_have_defaults() {
    let config: EvaluationConfig = from_variables(variables(&[("LOCAL_DATA_DIR", "")])).unwrap();
    assert_eq!(config.settings, Settings::default());
    assert_eq!((config.settings.rules.quality_floor, config.max_rounds, config.quiet.as_secs()), (5, 3, 20));
    assert_eq!(config.common.local_data_dir, None);
    assert_eq!(config.budget.daily.to_string(), "$10.00");
}

#[test]
fn every_invalid_variable_is_named() {
    let mut wrong = variables(&[
        ("TARGET_SHARES", "65/20"),
        ("FRAMING_SHARES", "65/20/15"),
        ("ANGLE_SHARES", "1/1/1/1"),
        ("QUALITY_FLOOR", "11"),
        ("QUALITY_LIMITS", "text=3,txt=3"),
        ("FRONTAL_PERCENT", "101"),
        ("FRONTAL_IMAGES", "some"),
        ("VISION_PROVIDER", "eyes"),
    ]);
    wrong.remove("TABLE");
    let message = problem::<EvaluationConfig>(wrong);
    for name in [
        "TABLE is not set",
        "TARGET_SHARES",
        "FRAMING_SHARES",
        "ANGLE_SHARES",
        "QUALITY_FLOOR is `11`",
        "QUALITY_LIMITS: `txt=3` is no quality limit",
        "FRONTAL_PERCENT is `101`",
        "FRONTAL_IMAGES is `some` but must be keep or replace",
        "VISION_PROVIDER is `eyes`",
    ] {
        assert!(message.contains(name), "{message}");
    }
    let message = problem::<GenerationConfig>(variables(&[("GENERATOR", "dall-e"), ("DAILY_BUDGET_USD", "-1")]));
    assert!(message.contains("GENERATOR is `dall-e`") && message.contains("DAILY_BUDGET_USD is `-1`"), "{message}");
}

#[test]
fn quality_limits_are_read_from_their_variable() {
    let given = variables(&[("QUALITY_LIMITS", "text=10"), ("FRONTAL_PERCENT", "0"), ("FRONTAL_IMAGES", "replace")]);
    let rules = from_variables::<EvaluationConfig>(given).unwrap().settings.rules;
    assert_eq!((rules.limits.of(Fault::Text), rules.frontal.percent), (10, 0));
    assert_eq!(rules.frontal.own, FrontalImages::Replace);
}

#[test]
fn key_alone_selects_no_paid_provider() {
    let mut without = variables(&[("OPENAI_API_KEY", "k"), ("REPLICATE_API_TOKEN", "t")]);
    without.remove("VISION_PROVIDER");
    let message = problem::<EvaluationConfig>(without.clone());
    assert!(message.contains("VISION_PROVIDER is not set"), "{message}");
    assert!(matches!(from_variables::<GenerationConfig>(without).unwrap().generator, GeneratorConfig::Embedded));
}

#[test]
fn paid_provider_needs_exactly_one_key() {
    let message = problem::<EvaluationConfig>(variables(&[("VISION_PROVIDER", "openai")]));
    assert!(message.contains("OPENAI_API_KEY, OPENAI_API_KEY_SECRET_ARN or OPENAI_API_KEY_FILE"), "{message}");
    let each =
        [("REPLICATE_API_TOKEN", "t"), ("REPLICATE_API_TOKEN_SECRET_ARN", "arn:x"), ("REPLICATE_API_TOKEN_FILE", "/x")];
    for left_out in 0..each.len() {
        let mut twice = vec![("GENERATOR", "replicate")];
        twice.extend(each.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, pair)| *pair));
        let message = problem::<GenerationConfig>(variables(&twice));
        assert!(message.contains("more than one of REPLICATE_API_TOKEN"), "{message}");
    }
}

#[test]
fn key_is_read_from_the_file_that_is_named() {
    use secrecy::ExposeSecret;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let with_file = || {
        let given = [("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY_FILE", path.to_str().unwrap())];
        from_variables::<EvaluationConfig>(variables(&given))
    };
    let message = with_file().unwrap_err().to_string();
    assert!(message.contains("OPENAI_API_KEY_FILE names") && message.contains("can't be read"), "{message}");
    std::fs::write(&path, " \n").unwrap();
    assert!(with_file().unwrap_err().to_string().contains("which is empty"));
    std::fs::write(&path, "sk_test\n").unwrap();
    let VisionConfig::OpenAi(OpenAiConfig { key: Secret::Given(key), .. }) = with_file().unwrap().vision else {
        panic!("no key")
    };
    assert_eq!(key.expose_secret(), "sk_test");
}

/// What the reader itself shows.
struct Shown(String);

impl Section for Shown {
    fn read(reader: &mut Reader) -> Self {
        Self(format!("{reader:?}"))
    }
}

#[test]
fn key_is_never_printed() {
    let given = variables(&[
        ("GENERATOR", "replicate"),
        ("REPLICATE_API_TOKEN", "r8_very_secret"),
        ("VISION_PROVIDER", "openai"),
        ("OPENAI_API_KEY", "sk_very_secret"),
    ]);
    let Shown(reader) = from_variables(given.clone()).unwrap();
    assert!(reader.contains("REPLICATE_API_TOKEN"), "{reader}");
    let evaluation: EvaluationConfig = from_variables(given.clone()).unwrap();
    let generation: GenerationConfig = from_variables(given.clone()).unwrap();
    let twice: BTreeMap<String, String> =
        given.into_iter().chain([("OPENAI_API_KEY_SECRET_ARN".to_owned(), "arn".to_owned())]).collect();
    let error = from_variables::<EvaluationConfig>(twice).unwrap_err();
    for shown in [reader, format!("{evaluation:?}"), format!("{generation:?}"), format!("{error:?} {error}")] {
        assert!(!shown.contains("very_secret"), "{shown}");
    }
}

#[test]
fn line_feed_after_a_key_is_ignored() {
    use secrecy::ExposeSecret;
    let key = |given: &str| {
        let given = variables(&[("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY", given)]);
        from_variables::<EvaluationConfig>(given).map(|config| match config.vision {
            VisionConfig::OpenAi(OpenAiConfig { key: Secret::Given(key), .. }) => key.expose_secret().to_owned(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(key(" sk_test\n").unwrap(), "sk_test");
    assert!(key("\n").unwrap_err().to_string().contains("OPENAI_API_KEY"), "nothing but a line feed is no key");
}

#[test]
fn empty_effort_is_unset() {
    let effort = |more: &[(&str, &str)]| {
        let mut given = variables(&[("VISION_PROVIDER", "openai"), ("OPENAI_API_KEY", "k")]);
        given.extend(variables(more).into_iter().filter(|(name, _)| name == "VISION_REASONING_EFFORT"));
        from_variables::<EvaluationConfig>(given).map(|config| match config.vision {
            VisionConfig::OpenAi(config) => config.reasoning_effort,
            VisionConfig::Embedded => panic!("openai was asked for"),
        })
    };
    assert_eq!(effort(&[]).unwrap().as_deref(), Some("none"));
    assert_eq!(effort(&[("VISION_REASONING_EFFORT", "low")]).unwrap().as_deref(), Some("low"));
    assert_eq!(effort(&[("VISION_REASONING_EFFORT", "")]).unwrap(), None);
    assert!(effort(&[("VISION_REASONING_EFFORT", "Very much")]).unwrap_err().to_string().contains("lower-case word"));
}

#[test]
fn deletion_function_needs_no_provider() {
    let mut least = variables(&[]);
    least.remove("VISION_PROVIDER");
    least.remove("GENERATOR");
    assert!(from_variables::<Config>(least).is_ok());
}

#[test]
fn invalid_model_name_is_rejected() {
    for model in ["nano-banana", "google/", "google/nano-banana:", "google/nano/banana"] {
        let given = [("GENERATOR", "replicate"), ("REPLICATE_API_TOKEN", "t"), ("REPLICATE_MODEL", model)];
        let message = problem::<GenerationConfig>(variables(&given));
        assert!(message.contains(&format!("REPLICATE_MODEL is `{model}` but must be owner/name")), "{message}");
    }
}

#[test]
fn model_without_a_known_price_needs_one() {
    let config = |more: &[(&str, &str)]| {
        let given = [("GENERATOR", "replicate"), ("REPLICATE_API_TOKEN", "t")];
        from_variables::<GenerationConfig>(variables(&[&given, more].concat()))
    };
    let price = |more: &[(&str, &str)]| config(more).unwrap().generator.price(Megapixels::default()).to_string();
    let (kontext, banana) = ("black-forest-labs/flux-kontext-max", "google/nano-banana");
    assert_eq!(price(&[]), "$0.04");
    assert_eq!(price(&[("REPLICATE_MODEL", kontext), ("GENERATOR_USD_PER_IMAGE", "")]), "$0.08");
    assert_eq!(price(&[("REPLICATE_MODEL", kontext), ("GENERATOR_USD_PER_IMAGE", "0.07")]), "$0.07");
    assert_eq!(price(&[("REPLICATE_MODEL", banana), ("GENERATOR_USD_PER_IMAGE", "0.039")]), "$0.039");
    assert_eq!(price(&[("REPLICATE_MODEL", banana), ("GENERATOR_USD_PER_MEGAPIXEL", "0.03")]), "$0.03");
    assert_eq!(price(&[("REPLICATE_MODEL", kontext), ("GENERATOR_USD_PER_MEGAPIXEL", "0.03")]), "$0.03");
    for model in [banana, "acme/unheard-of", "black-forest-labs/flux-kontext-max:0f1178f5"] {
        let message = config(&[("REPLICATE_MODEL", model)]).unwrap_err().to_string();
        let expected =
            format!("GENERATOR_USD_PER_MEGAPIXEL is set, and the price of REPLICATE_MODEL {model} is not known");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn image_service_needs_a_key_and_a_price() {
    let openai = [("GENERATOR", "openai"), ("OPENAI_IMAGES_API_KEY", "k")];
    let message = problem::<GenerationConfig>(variables(&openai[..1]));
    assert!(message.contains("GENERATOR=openai needs OPENAI_IMAGES_API_KEY"), "{message}");
    assert!(message.contains("the price of OPENAI_IMAGES_MODEL gpt-image-2 is not known"), "{message}");
    let free = variables(&[openai.as_slice(), &[("GENERATOR_USD_PER_IMAGE", "0")]].concat());
    let config: GenerationConfig = from_variables(free).unwrap();
    assert_eq!(config.generator.price(Megapixels::default()).to_string(), "$0.00");
    let GeneratorConfig::OpenAi(config) = config.generator else { panic!("{config:?}") };
    assert_eq!((config.model.as_str(), config.quality.as_deref()), ("gpt-image-2", Some("medium")));
}

#[test]
fn format_is_read_and_checked() {
    let format = |given: &[(&str, &str)]| from_variables::<GenerationConfig>(variables(given)).unwrap().format;
    assert_eq!(format(&[("ASPECT_RATIO", "")]), Format::default());
    assert_eq!(format(&[("ASPECT_RATIO", "1:1"), ("IMAGE_MEGAPIXELS", "4")]).pixels(), (2048, 2048));
    let message = problem::<GenerationConfig>(variables(&[("ASPECT_RATIO", "wide"), ("IMAGE_MEGAPIXELS", "0")]));
    assert!(message.contains("ASPECT_RATIO: `wide` must be width:height"), "{message}");
    assert!(message.contains("IMAGE_MEGAPIXELS: `0` must be a number of megapixels"), "{message}");
}

#[test]
fn comfyui_needs_a_workflow_and_no_price() {
    use providers::generator::{ComfyUiConfig, FileLocation, Price};
    let message = problem::<GenerationConfig>(variables(&[("GENERATOR", "comfyui")]));
    assert!(message.contains("needs COMFYUI_WORKFLOW"), "{message}");
    let config_of = |extra: &[(&str, &str)]| -> ComfyUiConfig {
        let given = [&[("GENERATOR", "comfyui"), ("COMFYUI_WORKFLOW", "s3:k/w.json")], extra].concat();
        match from_variables::<GenerationConfig>(variables(&given)).unwrap().generator {
            GeneratorConfig::ComfyUi(config) => config,
            other => panic!("{other:?}"),
        }
    };
    let config = config_of(&[]);
    assert_eq!((config.price, config.base_url.as_str()), (Price::default(), "http://127.0.0.1:8188"));
    assert_eq!((config.workflow, config.mapping), (FileLocation::Bucket("k/w.json".to_owned()), None));
    let config = config_of(&[("GENERATOR_USD_PER_IMAGE", "0.01"), ("COMFYUI_URL", "http://gpu:80/")]);
    assert_eq!((config.price.per_image, config.base_url.as_str()), (MicroUsd(10_000), "http://gpu:80"));
}
