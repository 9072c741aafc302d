//! Reads a file with prompts, and reports every problem in it with its line.

mod fields;
mod values;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::entry::{Body, Entry, Outfit, Parts};
use super::outfits::suitable;
use super::{OUTFIT, PLACEHOLDER};
use crate::json;
use crate::kind::Kind;
use fields::{Field, Fields, Lines};

/// The largest file. A plan keeps its prompts, and an item of the table has 400 KB at most.
pub const MAX_FILE_BYTES: u64 = 96 * 1024;

/// The longest text of a prompt, in characters.
const MAX_TEXT_CHARS: usize = 2000;

/// The longest id of a prompt, in characters.
const MAX_ID_CHARS: usize = 64;

/// The longest outfit, in characters.
const MAX_OUTFIT_CHARS: usize = 200;

/// The problems that a sentence for the operator names.
const NAMED_PROBLEMS: usize = 3;

/// What becomes of the built-in prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// They stay, apart from those whose ids the file contains.
    #[default]
    Extend,
    /// The file replaces them all.
    Replace,
}

/// A usable file.
pub(super) struct PromptsFile {
    pub(super) mode: Mode,
    pub(super) outfit: Outfit,
    pub(super) outfits: Vec<String>,
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<Problem>,
}

/// A place in a file, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// A clause without a full stop.
    pub text: String,
}

/// A file that can't be used, with at least one problem, in the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidLibrary {
    /// Every problem that was found.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problem {
    /// Such as ``line 12: unknown field `sceen` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl fmt::Display for InvalidLibrary {
    /// The first problems, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self.problems.iter().take(NAMED_PROBLEMS).map(Problem::to_string).collect();
        f.write_str(&named.join("; "))?;
        match self.problems.len() - named.len() {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Result<PromptsFile, InvalidLibrary> {
    let whole = |text: String| InvalidLibrary { problems: vec![Problem { line: 1, text }] };
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(whole(format!("the file has {} bytes, but can have at most {MAX_FILE_BYTES}", bytes.len())));
    }
    let text = json::text(bytes).map_err(|error| whole(error.to_string()))?;
    let text = json::without_mark(&text);
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // The rest of a damaged document would give problems that it doesn't have.
        let at = |error: &toml::de::Error| lines.at(error.span().unwrap_or_default().start);
        let problem = |error| Problem { line: at(error), text: error.message().to_owned() };
        return Err(InvalidLibrary { problems: errors.iter().map(problem).collect() });
    }
    let mut reader = Reader { lines: &lines, problems: Vec::new(), warnings: Vec::new() };
    let file = reader.file(document.get_ref());
    let Reader { mut problems, warnings, .. } = reader;
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(PromptsFile { warnings, ..file }) } else { Err(InvalidLibrary { problems }) }
}

/// Reads the tables of a document. A table with problems gives an incomplete result, which is not used.
struct Reader<'a> {
    lines: &'a Lines<'a>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reader<'_> {
    fn report(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem { line, text: text.into() });
    }

    fn file(&mut self, document: &DeTable<'_>) -> PromptsFile {
        let mut fields = Fields::of(&Field { value: document, line: 1 }, self.lines);
        let mode = self.choice(&mut fields, "mode").map(|field| field.value).unwrap_or_default();
        let outfit: Option<Field<Outfit>> = self.choice(&mut fields, "outfit");
        let list = fields.take("outfits").map(|field| self.outfits(&field)).unwrap_or_default();
        let tables = fields.take("prompt").map(|field| self.tables(&field)).unwrap_or_default();
        self.report_unknown(fields);
        let varies = outfit.as_ref().is_some_and(|outfit| outfit.value == Outfit::Vary);
        if let Some(outfit) = outfit.filter(|_| varies) {
            // The built-in prompts vary too, also the black-and-white ones.
            self.check_outfits(outfit.line, (mode == Mode::Extend).then_some(Kind::BwStylized), &list);
        }
        let all = FileOutfits { varies, list };
        let entries: Vec<(usize, Entry)> =
            tables.iter().filter_map(|table| Some((table.line, self.entry(table, &all)?))).collect();
        self.check_ids(&entries);
        PromptsFile {
            mode,
            outfit: if varies { Outfit::Vary } else { Outfit::Keep },
            outfits: all.list,
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
            warnings: Vec::new(),
        }
    }

    fn entry(&mut self, table: &Field<&DeTable<'_>>, all: &FileOutfits) -> Option<Entry> {
        let mut fields = Fields::of(table, self.lines);
        let id = self.id(&mut fields);
        let kind = self.required_choice(&mut fields, "kind");
        let framing = self.required_choice(&mut fields, "framing");
        let angle = self.required_choice(&mut fields, "angle");
        let outfit: Option<Field<Outfit>> = self.choice(&mut fields, "outfit");
        let text = self.prose(&mut fields, "text", kind);
        let parts = self.parts(&mut fields, kind);
        let format = self.format(&mut fields);
        self.report_unknown(fields);
        let varies = match &text {
            Some(text) => self.check_text(text, outfit.as_ref(), all),
            None => match &outfit {
                Some(outfit) => outfit.value == Outfit::Vary,
                // A missing list is a problem of the whole file.
                None => all.varies && !all.list.is_empty(),
            },
        };
        if varies {
            let place = outfit.as_ref().map(|outfit| outfit.line).or(text.as_ref().map(|text| text.line));
            self.check_outfits(place.unwrap_or(table.line), kind, &all.list);
        }
        let body = self.body(table.line, text, parts)?;
        let outfit = outfit.map(|outfit| outfit.value);
        Some(Entry { id: id?, kind: kind?, framing: framing?, angle: angle?, outfit, format, body })
    }

    fn body(&mut self, line: usize, text: Option<Field<String>>, mut parts: FoundParts) -> Option<Body> {
        if let Some(text) = text {
            for (name, part) in &parts {
                self.report(part.line, format!("`{name}` and `text` exclude each other: `text` is complete"));
            }
            return Some(Body::Text(text.value));
        }
        if !parts.contains_key("medium") && !parts.contains_key("scene") {
            self.report(line, "the prompt needs `medium` and `scene`, or `text`");
            return None;
        }
        for name in ["medium", "scene"].into_iter().filter(|name| !parts.contains_key(name)) {
            self.report(line, format!("`{name}` is missing"));
        }
        let length: usize = parts.values().map(|part| part.value.chars().count()).sum();
        if length > MAX_TEXT_CHARS {
            let text = format!("the prompt has {length} characters, but can have at most {MAX_TEXT_CHARS}");
            self.report(line, text);
        }
        let mut part = |name| {
            let text = parts.remove(name).map(|part: Field<String>| part.value).unwrap_or_default();
            text.trim_end_matches(['.', ',']).to_owned()
        };
        Some(Body::Parts(Parts {
            medium: part("medium"),
            scene: part("scene"),
            lighting: part("lighting"),
            finish: part("finish"),
            camera: part("camera"),
            position: part("position"),
            expression: part("expression"),
        }))
    }

    fn check_ids(&mut self, entries: &[(usize, Entry)]) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (line, entry) in entries {
            match first.get(entry.id.as_str()) {
                Some(earlier) => {
                    self.report(
                        *line,
                        format!("the id `{}` is used twice, first by the prompt of line {earlier}", entry.id),
                    );
                }
                None => drop(first.insert(&entry.id, *line)),
            }
        }
    }

    fn check_outfits(&mut self, line: usize, kind: Option<Kind>, list: &[String]) {
        if list.is_empty() {
            self.report(line, "an outfit that varies needs a list `outfits` at the beginning of the file");
        } else if kind.is_some_and(|kind| suitable(list, kind).is_empty()) {
            self.report(line, "every one of the `outfits` names a colour, and a black-and-white image can't show any");
        }
    }

    /// Checks the placeholders of a user's text. Returns whether its outfit varies.
    fn check_text(&mut self, text: &Field<String>, outfit: Option<&Field<Outfit>>, all: &FileOutfits) -> bool {
        if !text.value.is_empty() && !text.value.contains(PLACEHOLDER) {
            self.report(text.line, format!("`text` lacks {PLACEHOLDER}, which stands for the character"));
        }
        let has_outfit = text.value.contains(OUTFIT);
        match outfit {
            Some(outfit) if outfit.value == Outfit::Vary && !has_outfit => {
                self.report(outfit.line, format!("`outfit = \"vary\"` needs {OUTFIT} in `text`"));
            }
            Some(outfit) if outfit.value == Outfit::Keep && has_outfit => {
                self.report(outfit.line, format!("`outfit = \"keep\"` contradicts {OUTFIT} in `text`"));
            }
            None if all.varies && !has_outfit => self.warnings.push(Problem {
                line: text.line,
                text: format!("`text` lacks {OUTFIT}, so the outfit of this prompt doesn't vary"),
            }),
            _ => {}
        }
        has_outfit
    }

    /// The tables of `[[prompt]]`.
    fn tables<'v>(&mut self, field: &Field<&'v DeValue<'v>>) -> Vec<Field<&'v DeTable<'v>>> {
        const REMEDY: &str = "write each prompt as a table, below a line `[[prompt]]`";
        let DeValue::Array(array) = field.value else {
            self.report(field.line, REMEDY);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array {
            let line = self.lines.at(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Field { value: table, line }),
                _ => self.report(line, REMEDY),
            }
        }
        tables
    }
}

/// What a file says about the outfits of all its prompts.
struct FileOutfits {
    varies: bool,
    list: Vec<String>,
}

/// The parts of a text, by name.
type FoundParts = BTreeMap<&'static str, Field<String>>;

#[cfg(test)]
mod tests;
