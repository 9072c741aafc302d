//! Reads the values of fields, and reports those that a field can't have.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use toml::de::DeValue;

use super::fields::{Field, Fields};
use super::{FoundParts, MAX_ID_CHARS, MAX_OUTFIT_CHARS, MAX_TEXT_CHARS, Reader};
use crate::format::OwnFormat;
use crate::kind::Kind;
use crate::prompts::colors::color_word;
use crate::prompts::{OUTFIT, PLACEHOLDER};

/// The parts of a text, in the order in which they are joined.
const PARTS: [&str; 7] = ["medium", "scene", "lighting", "finish", "camera", "position", "expression"];

impl Reader<'_> {
    pub(super) fn report_unknown(&mut self, fields: Fields<'_>) {
        for field in fields.left() {
            self.report(field.line, format!("unknown field `{}`", field.value));
        }
    }

    /// The value of a field that accepts certain names only.
    pub(super) fn choice<T>(&mut self, fields: &mut Fields<'_>, name: &str) -> Option<Field<T>>
    where
        T: for<'de> Deserialize<'de>,
    {
        let Field { value, line } = self.string(&fields.take(name)?, name)?;
        let chosen: StrDeserializer<'_, Error> = value.as_str().into_deserializer();
        match T::deserialize(chosen) {
            Ok(value) => Some(Field { value, line }),
            Err(problem) => {
                self.report(line, format!("`{name}`: {problem}"));
                None
            }
        }
    }

    pub(super) fn required_choice<T>(&mut self, fields: &mut Fields<'_>, name: &str) -> Option<T>
    where
        T: for<'de> Deserialize<'de>,
    {
        self.report_missing(fields, name);
        self.choice(fields, name).map(|field| field.value)
    }

    /// What the prompt changes of the format of its image.
    pub(super) fn format(&mut self, fields: &mut Fields<'_>) -> OwnFormat {
        OwnFormat { aspect_ratio: self.parsed(fields, "aspect_ratio"), megapixels: self.parsed(fields, "megapixels") }
    }

    /// A text or a number whose own error says what is accepted.
    fn parsed<T: FromStr<Err: Display>>(&mut self, fields: &mut Fields<'_>, name: &str) -> Option<T> {
        let field = fields.take(name)?;
        let written = match field.value {
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            _ => self.string(&field, name)?.value,
        };
        written.parse().inspect_err(|problem| self.report(field.line, format!("`{name}`: {problem}"))).ok()
    }

    /// The id of a prompt. Records and messages contain it, so it has no spaces.
    pub(super) fn id(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        self.report_missing(fields, "id");
        let Field { value, line } = self.string(&fields.take("id")?, "id")?;
        let is_usable = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if value.is_empty() || value.chars().count() > MAX_ID_CHARS || !value.chars().all(is_usable) {
            let text =
                format!("`id` must have 1 to {MAX_ID_CHARS} letters, digits, hyphens, underscores and full stops");
            self.report(line, text);
            return None;
        }
        Some(value)
    }

    /// The parts of a text that the table has. Braces have a meaning in complete texts only.
    pub(super) fn parts(&mut self, fields: &mut Fields<'_>, kind: Option<Kind>) -> FoundParts {
        let mut found = FoundParts::new();
        for name in PARTS {
            let Some(part) = self.prose(fields, name, kind) else { continue };
            if part.value.contains(['{', '}']) {
                self.report(part.line, format!("`{name}` can't contain braces; placeholders are for `text`"));
            }
            found.insert(name, part);
        }
        found
    }

    /// A text in one line, checked for its length and for what a prompt of this kind can't contain.
    pub(super) fn prose(&mut self, fields: &mut Fields<'_>, name: &str, kind: Option<Kind>) -> Option<Field<String>> {
        let field = self.string(&fields.take(name)?, name)?;
        let field = Field { value: field.value.split_whitespace().collect::<Vec<_>>().join(" "), ..field };
        let (text, line) = (field.value.as_str(), field.line);
        self.check_prose(name, text, line, MAX_TEXT_CHARS);
        let placeholders = text.replace(PLACEHOLDER, "").replace(OUTFIT, "");
        if name == "text" && placeholders.contains(['{', '}']) {
            self.report(line, format!("the only placeholders in `text` are {PLACEHOLDER} and {OUTFIT}"));
        }
        if let Some(color) = color_word(text).filter(|_| kind == Some(Kind::BwStylized)) {
            self.report(line, format!("`{name}` names a colour, `{color}`, in a black-and-white prompt"));
        }
        Some(field)
    }

    /// The list of outfits.
    pub(super) fn outfits(&mut self, field: &Field<&DeValue<'_>>) -> Vec<String> {
        let DeValue::Array(array) = field.value else {
            self.report(field.line, "`outfits` must be a list of texts");
            return Vec::new();
        };
        let mut outfits = Vec::new();
        for item in array {
            let line = self.lines.at(item.span().start);
            let Some(outfit) = self.string(&Field { value: item.get_ref(), line }, "outfits") else { continue };
            let text = outfit.value.split_whitespace().collect::<Vec<_>>().join(" ");
            self.check_prose("outfits", &text, line, MAX_OUTFIT_CHARS);
            if text.contains(['{', '}']) {
                self.report(line, "`outfits` can't contain braces");
            }
            outfits.push(text);
        }
        outfits
    }

    fn check_prose(&mut self, name: &str, text: &str, line: usize, most: usize) {
        let length = text.chars().count();
        if text.is_empty() {
            self.report(line, format!("`{name}` is empty"));
        } else if length > most {
            self.report(line, format!("`{name}` has {length} characters, but can have at most {most}"));
        } else if text.contains(char::is_control) {
            self.report(line, format!("`{name}` contains control characters"));
        }
    }

    fn report_missing(&mut self, fields: &Fields<'_>, name: &str) {
        if !fields.has(name) {
            self.report(fields.line, format!("`{name}` is missing"));
        }
    }

    fn string(&mut self, field: &Field<&DeValue<'_>>, name: &str) -> Option<Field<String>> {
        match field.value {
            DeValue::String(text) => Some(Field { value: text.to_string(), line: field.line }),
            _ => {
                self.report(field.line, format!("`{name}` must be a text in quotation marks"));
                None
            }
        }
    }
}
