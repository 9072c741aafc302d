//! Access to the parsed template.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use balancer_tests::stack::TEMPLATE;
use yaml_serde::Value;

/// The template with its intrinsic functions in the long form: `!Ref X` as `{Ref: X}`, `!GetAtt X.Y` as
/// `{Fn::GetAtt: X.Y}`.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| long_form(yaml_serde::from_str(TEMPLATE).unwrap()));

fn long_form(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let name = if ["Ref", "Condition"].contains(&name) { name.to_owned() } else { format!("Fn::{name}") };
            Value::Mapping([(Value::from(name), long_form(tagged.value))].into_iter().collect())
        }
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(long_form).collect()),
        Value::Mapping(fields) => {
            Value::Mapping(fields.into_iter().map(|(name, value)| (name, long_form(value))).collect())
        }
        plain => plain,
    }
}

/// The value at a path such as `Resources.Bucket.Condition`.
pub(crate) fn at(path: &str) -> &'static Value {
    path.split('.').fold(&*DOCUMENT, |value, name| {
        let found = match name.parse::<usize>() {
            Ok(index) => value.get(index),
            Err(_) => value.get(name),
        };
        found.unwrap_or_else(|| panic!("the template has no {path}"))
    })
}

pub(crate) fn text(path: &str) -> &'static str {
    at(path).as_str().unwrap_or_else(|| panic!("{path} is not a string"))
}

pub(crate) fn number(path: &str) -> u64 {
    at(path).as_u64().unwrap_or_else(|| panic!("{path} is not a number"))
}

pub(crate) fn yaml(text: &str) -> Value {
    yaml_serde::from_str(text).unwrap()
}

pub(crate) fn fields(path: &str) -> BTreeMap<&'static str, &'static Value> {
    at(path).as_mapping().unwrap().iter().map(|(name, value)| (name.as_str().unwrap(), value)).collect()
}

pub(crate) fn resources_of_type(kind: &str) -> BTreeSet<&'static str> {
    fields("Resources").into_iter().filter(|(_, resource)| resource["Type"] == kind).map(|(name, _)| name).collect()
}
