//! The form of a request. Not every server that speaks OpenAI's chat completions accepts every part of it: once a
//! server refuses a part, later requests omit it or use the older form.

use std::collections::BTreeSet;

/// A part of a request that a server may refuse.
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
const REFUSALS: [&str; 12] = [
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
    refused: BTreeSet<Part>,
    /// The number of images that one request may contain; `None` if no limit is known.
    most_images: Option<usize>,
}

impl Form {
    /// Whether the server accepts this part, as far as is known.
    pub(super) fn has(&self, part: Part) -> bool {
        !self.refused.contains(&part)
    }

    /// The number of images that one request may contain; `None` if no limit is known.
    pub(super) fn most_images(&self) -> Option<usize> {
        self.most_images
    }

    /// The reasoning effort to request, if the server accepts one.
    pub(super) fn effort<'a>(&self, configured: Option<&'a str>) -> Option<&'a str> {
        configured.filter(|_| self.has(Part::ReasoningEffort))
    }

    /// The form without the part that this error message concerns; `None` if it concerns none of the remaining parts.
    pub(super) fn without_what_is_refused(&self, said: &str) -> Option<Self> {
        let part = parts_refused(&said.to_lowercase()).into_iter().find(|&part| self.has(part))?;
        let mut simpler = self.clone();
        simpler.refused.insert(part);
        Some(simpler)
    }

    /// Adds the limits that `other` has learnt.
    pub(super) fn learn(&mut self, other: Self) {
        self.refused.extend(other.refused);
        self.limit_images(other.most_images);
    }

    /// Records that one request may contain at most this many images.
    pub(super) fn limit_images(&mut self, most: Option<usize>) {
        self.most_images = self.most_images.into_iter().chain(most).min();
    }
}

/// The parts that an error may concern, the likeliest first.
fn parts_refused(said: &str) -> Vec<Part> {
    if said.contains("enum") {
        return vec![Part::IntegerEnums, Part::Schema];
    }
    if !REFUSALS.iter().any(|words| said.contains(words)) {
        return Vec::new();
    }
    // If the server refuses only the value of a field, the operator must set another value.
    let is_about_value = said.contains("unsupported value") || said.contains("unsupported_value");
    let field = |name: &str| said.contains(name) && !is_about_value;
    if field("max_completion_tokens") {
        vec![Part::MaxCompletionTokens]
    } else if field("reasoning_effort") {
        vec![Part::ReasoningEffort]
    } else if said.contains("response_format") || said.contains("json_schema") {
        vec![Part::Schema]
    } else {
        Vec::new()
    }
}

/// The number of images in a request that this error message allows.
pub(super) fn most_images_in(said: &str) -> Option<usize> {
    let said = said.to_lowercase();
    let is_limit = ["at most", "up to", "maximum", "only", "limit"].iter().any(|words| said.contains(words));
    let number = |word: &str| if word == "one" { Some(1) } else { word.parse().ok() };
    let (before, _) = said.split_once(" image").filter(|_| is_limit)?;
    number(before.rsplit(' ').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(said: &str) -> Option<Part> {
        Form::default().without_what_is_refused(said)?.refused.first().copied()
    }

    #[test]
    fn an_unsupported_part_is_known_by_its_name() {
        for (said, part) in [
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
            assert_eq!(refused(said), Some(part), "{said}");
        }
    }

    #[test]
    fn an_error_that_names_no_part_changes_nothing() {
        for said in [
            "Invalid schema for response_format",
            "max_completion_tokens is too large: 9000. This model supports at most 4096 completion tokens",
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model.",
            "Unsupported image format",
            "",
        ] {
            assert_eq!(refused(said), None, "{said}");
        }
    }

    #[test]
    fn a_part_is_left_out_once_and_then_the_next_one() {
        let said = "enum is not supported in response_format";
        let without_enums = Form::default().without_what_is_refused(said).unwrap();
        let without_schema = without_enums.without_what_is_refused(said).unwrap();
        assert!(!without_enums.has(Part::IntegerEnums) && without_enums.has(Part::Schema));
        assert!(!without_schema.has(Part::Schema));
        assert_eq!(without_schema.without_what_is_refused(said), None);
        assert_eq!(without_schema.effort(Some("low")), Some("low"));
    }

    #[test]
    fn the_number_of_images_is_read_from_the_error() {
        for (said, most) in [
            ("At most 1 image(s) may be provided in one prompt.", Some(1)),
            ("400 Bad Request You can provide at most 5 images per request", Some(5)),
            ("This model only supports one image", Some(1)),
            ("At most 0 image(s) may be provided in one prompt.", Some(0)),
            ("Could not decode 1 image", None),
            ("At most 4096 tokens", None),
        ] {
            assert_eq!(most_images_in(said), most, "{said}");
        }
    }

    #[test]
    fn the_smallest_known_number_of_images_holds() {
        let mut form = Form::default();
        for (learnt, most) in
            [(None, None), (Some(5), Some(5)), (Some(8), Some(5)), (Some(1), Some(1)), (None, Some(1))]
        {
            form.limit_images(learnt);
            assert_eq!(form.most_images(), most);
        }
    }
}
