use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::format::{Format, OwnFormat};

fn own(file: serde_json::Value) -> ActorSettings {
    serde_json::from_value(file).unwrap()
}

#[test]
fn own_settings_replace_those_of_the_stack() {
    let own = own(json!({
        "target_total": 30, "target_shares": "100/0/0", "framing_shares": "25/25/25/25", "angle_shares": "100/0/0/0",
        "quality_floor": 7, "quality_limits": { "text": 10 }, "frontal_images": "replace", "frontal_percent": 0,
        "trigger": "ohwx", "class": "woman", "sex": "female", "type": "human", "aspect_ratio": "1:1", "megapixels": 2,
    }));
    let stack = Settings::default();
    let settings = stack.of_actor(&own);
    assert_eq!(settings.target.counts().to_string(), "30/0/0");
    assert_eq!(settings.target.view_counts().angle, [30, 0, 0, 0]);
    assert_eq!((settings.rules.quality_floor, settings.rules.limits.of(Fault::Text)), (7, 10));
    assert_eq!(settings.rules.limits.of(Fault::Watermark), stack.rules.limits.of(Fault::Watermark));
    assert_eq!(settings.rules.frontal.own, FrontalImages::Replace);
    assert_eq!(settings.rules.frontal.exempt(30), 0);
    let format = Format::default().with(settings.format);
    assert_eq!((format.pixels(), stack.format), ((1456, 1456), OwnFormat::default()));
    assert_eq!(own.profile(Profile::default()).descriptor(), "woman");
}

#[test]
fn empty_file_keeps_the_settings_of_the_stack() {
    let file = own(json!({}));
    assert_eq!(Settings::default().of_actor(&file), Settings::default());
    assert_eq!(serde_json::to_value(file).unwrap(), json!({}));
}

#[test]
fn setting_out_of_its_range_is_named() {
    for (file, problem) in [
        (json!({ "target_total": 0 }), "`target_total` is 0 but must be a number from 1 to 500"),
        (json!({ "target_total": 501 }), "`target_total` is 501"),
        (json!({ "quality_floor": 11 }), "`quality_floor` is 11 but must be a number from 1 to 10"),
        (json!({ "quality_limits": { "text": 0 } }), "`quality_limits.text` is 0"),
        (json!({ "frontal_percent": 101 }), "`frontal_percent` is 101"),
        (json!({ "trigger": "" }), "`trigger` is \"\" but must be 1 to 64 characters"),
        (json!({ "trigger": "a,b" }), "without surrounding spaces, commas"),
        (json!({ "class": "wo/man" }), "`class` is \"wo/man\""),
    ] {
        let error = own(file).checked().unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn unusable_setting_is_named() {
    for (file, problem) in [
        (r#"{"qualty_floor":5}"#, "unknown field `qualty_floor`"),
        (r#"{"quality_limits":{"txt":3}}"#, "unknown variant `txt`"),
        (r#"{"quality_limits":{"text":300}}"#, "`quality_limits`: invalid value: integer `300`"),
        (r#"{"target_shares":"1"}"#, "`target_shares`: `1` is not a division into three shares"),
        (r#"{"aspect_ratio":"wide"}"#, "`aspect_ratio`: `wide` must be width:height such as 16:9"),
        (r#"{"megapixels":99}"#, "`megapixels`: `99` must be a number of megapixels from 0.25 to 8"),
        (r#"{"target_total":30.5}"#, "`target_total`: invalid type"),
        (r#"{"target_total":-1}"#, "`target_total`: invalid value"),
        (r#"{"target_total":0}"#, "`target_total` is 0 but must be a number from 1 to 500"),
        (r#"{"target_total":8} x"#, "trailing characters"),
        (r#"{"target_total""#, "EOF"),
    ] {
        let error = ActorSettings::read(file.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(problem), "{file}: {error}");
    }
}

proptest! {
    #[test]
    fn own_settings_applied_twice_change_nothing(
        target_total in proptest::option::of(1_u32..=500),
        quality_floor in proptest::option::of(1_u8..=10),
        frontal_percent in proptest::option::of(0_u8..=100),
    ) {
        let own = ActorSettings { target_total, quality_floor, frontal_percent, ..ActorSettings::default() };
        let once = Settings::default().of_actor(&own);
        prop_assert_eq!(once.of_actor(&own), once);
    }
}
