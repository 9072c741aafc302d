//! The form of a request. Not every server that speaks OpenAI's chat completions accepts every part of it: once a
//! server rejects a part, later requests omit it or use the older form.

use std::collections::BTreeSet;

/// A part of a request that a server may reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// `max_completion_tokens`; the older name of the field is `max_tokens`.
    MaxCompletionTokens,
    /// `reasoning_effort`.
    ReasoningEffort,
    /// Lists of the integers that a property of the schema may have.
    IntegerEnums,
    /// `response_format` with a schema; without it, the prompt describes the schema.
    Schema,
}

/// Phrases with which a server reports an unknown field.
const REJECTIONS: [&str; 12] = [
    "not support",
    "unsupported",
    "unrecognized",
    "unrecognised",
    "unknown",
    "unexpected",
    "not permitted",
    "not allowed",
    "not implemented",
    "unavailable",
    "extra_forbidden",
    "type must be",
];

/// The request form that a server is known to accept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    rejected: BTreeSet<Part>,
    /// The number of images that one request may contain; `None` if no limit is known.
    max_images: Option<usize>,
}

impl Form {
    /// Whether the server accepts this part, as far as is known.
    pub(super) fn has(&self, part: Part) -> bool {
        !self.rejected.contains(&part)
    }

    /// The number of images that one request may contain; `None` if no limit is known.
    pub(super) fn max_images(&self) -> Option<usize> {
        self.max_images
    }

    /// The reasoning effort to request, if the server accepts one.
    pub(super) fn effort<'a>(&self, configured: Option<&'a str>) -> Option<&'a str> {
        configured.filter(|_| self.has(Part::ReasoningEffort))
    }

    /// The form without the part that this error message concerns; `None` if it concerns none of the remaining parts.
    pub(super) fn without_rejected_part(&self, message: &str) -> Option<Self> {
        let part = rejected_parts(&message.to_lowercase()).into_iter().find(|&part| self.has(part))?;
        let mut simpler = self.clone();
        simpler.rejected.insert(part);
        Some(simpler)
    }

    /// Adds the limits that `other` has learnt.
    pub(super) fn learn(&mut self, other: Self) {
        self.rejected.extend(other.rejected);
        self.limit_images(other.max_images);
    }

    /// Records that one request may contain at most this many images.
    pub(super) fn limit_images(&mut self, max: Option<usize>) {
        self.max_images = self.max_images.into_iter().chain(max).min();
    }
}

/// The parts that an error may concern, the likeliest first.
fn rejected_parts(message: &str) -> Vec<Part> {
    if message.contains("enum") {
        return vec![Part::IntegerEnums, Part::Schema];
    }
    if !REJECTIONS.iter().any(|words| message.contains(words)) {
        return Vec::new();
    }
    // If the server rejects only the value of a field, the operator must set another value.
    let is_about_value = message.contains("unsupported value") || message.contains("unsupported_value");
    let field = |name: &str| message.contains(name) && !is_about_value;
    if field("max_completion_tokens") {
        vec![Part::MaxCompletionTokens]
    } else if field("reasoning_effort") {
        vec![Part::ReasoningEffort]
    } else if message.contains("response_format") || message.contains("json_schema") {
        vec![Part::Schema]
    } else {
        Vec::new()
    }
}

/// The number of images in a request that this error message allows.
pub(super) fn max_images_in(message: &str) -> Option<usize> {
    let message = message.to_lowercase();
    let is_limit = ["at most", "up to", "maximum", "only", "limit"].iter().any(|words| message.contains(words));
    let number = |word: &str| if word == "one" { Some(1) } else { word.parse().ok() };
    let (before, _) = message.split_once(" image").filter(|_| is_limit)?;
    number(before.rsplit(' ').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(message: &str) -> Option<Part> {
        Form::default().without_rejected_part(message)?.rejected.first().copied()
    }

    #[test]
    fn unsupported_part_is_identified_by_its_name() {
        for (message, part) in [
            ("Unsupported parameter: 'max_completion_tokens' is not supported.", Part::MaxCompletionTokens),
            ("Unrecognized request argument supplied: max_completion_tokens", Part::MaxCompletionTokens),
            (
                r#"[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted"}]"#,
                Part::MaxCompletionTokens,
            ),
            ("Unrecognized request argument supplied: reasoning_effort", Part::ReasoningEffort),
            ("Invalid JSON schema: enum values must be strings, got integer 1", Part::IntegerEnums),
            ("properties.cell.enum[0] (TYPE_STRING), 1", Part::IntegerEnums),
            ("This model does not support response_format json_schema", Part::Schema),
            ("Unsupported value: 'response_format.type' is json_schema", Part::Schema),
            ("response_format.type must be 'text' or 'json_object'", Part::Schema),
            ("This response_format type is unavailable now", Part::Schema),
        ] {
            assert_eq!(rejected(message), Some(part), "{message}");
        }
    }

    #[test]
    fn error_without_a_part_changes_nothing() {
        for message in [
            "Invalid schema for response_format",
            "max_completion_tokens is too large: 9000. This model supports at most 4096 completion tokens",
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
            "Unsupported image format",
            "",
        ] {
            assert_eq!(rejected(message), None, "{message}");
        }
    }

    #[test]
    fn repeated_error_removes_the_next_part() {
        let message = "enum is not supported in response_format";
        let without_enums = Form::default().without_rejected_part(message).unwrap();
        let without_schema = without_enums.without_rejected_part(message).unwrap();
        assert!(!without_enums.has(Part::IntegerEnums) && without_enums.has(Part::Schema));
        assert!(!without_schema.has(Part::Schema));
        assert_eq!(without_schema.without_rejected_part(message), None);
        assert_eq!(without_schema.effort(Some("low")), Some("low"));
    }

    #[test]
    fn image_limit_is_read_from_the_error() {
        for (message, max) in [
            ("At most 1 image(s) may be provided in one prompt.", Some(1)),
            ("400 Bad Request You can provide at most 5 images per request", Some(5)),
            ("This model only supports one image", Some(1)),
            ("At most 0 image(s) may be provided in one prompt.", Some(0)),
            ("Could not decode 1 image", None),
            ("At most 4096 tokens", None),
        ] {
            assert_eq!(max_images_in(message), max, "{message}");
        }
    }

    #[test]
    fn smallest_known_image_limit_holds() {
        let mut form = Form::default();
        for (learnt, max) in [(None, None), (Some(5), Some(5)), (Some(8), Some(5)), (Some(1), Some(1)), (None, Some(1))]
        {
            form.limit_images(learnt);
            assert_eq!(form.max_images(), max);
        }
    }
}
