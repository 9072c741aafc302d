//! Reads variables and collects the problems of all of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use aws::secrets::Secret;
use secrecy::SecretString;

use super::{InvalidConfig, InvalidVariable, Section};

pub struct Reader {
    variables: BTreeMap<String, String>,
    names_read: RefCell<BTreeSet<String>>,
    problems: Vec<InvalidVariable>,
}

/// Shows only names, because some values are keys.
impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.keys();
        f.debug_struct("Reader").field("variables", &names).field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl Reader {
    fn new(variables: BTreeMap<String, String>) -> Self {
        Self { variables, names_read: RefCell::default(), problems: Vec::new() }
    }

    pub(super) fn read<T: Section>(variables: BTreeMap<String, String>) -> Result<T, InvalidConfig> {
        let mut reader = Self::new(variables);
        let config = T::read(&mut reader);
        if reader.problems.is_empty() { Ok(config) } else { Err(InvalidConfig(reader.problems)) }
    }

    pub(super) fn names_read<T: Section>(variables: BTreeMap<String, String>) -> BTreeSet<String> {
        let mut reader = Self::new(variables);
        T::read(&mut reader);
        reader.names_read.take()
    }

    /// An empty variable counts as unset, because a template can't omit one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.names_read.borrow_mut().insert(name.to_owned());
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.reject(format!("{name} is not set"), None);
            String::new()
        })
    }

    pub(super) fn optional<T: FromStr>(
        &mut self,
        name: &str,
        accepted: &str,
        default: T,
        is_valid: fn(&T) -> bool,
    ) -> T {
        let Some(text) = self.text(name) else { return default };
        match text.parse().ok().filter(is_valid) {
            Some(value) => value,
            None => {
                self.reject(format!("{name} is `{text}` but must be {accepted}"), None);
                default
            }
        }
    }

    /// A value whose own error says what is accepted.
    pub(super) fn explained<T: FromStr<Err: fmt::Display>>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.text(name) else { return default };
        text.parse().unwrap_or_else(|problem| {
            self.reject(format!("{name}: {problem}"), None);
            default
        })
    }

    /// A value without a default.
    pub(super) fn if_set<T: FromStr + Default>(&mut self, name: &str, accepted: &str) -> Option<T> {
        self.text(name)?;
        Some(self.optional(name, accepted, T::default(), |_| true))
    }

    /// Notes a problem that concerns several variables.
    pub(super) fn reject(&mut self, problem: String, remedy: Option<&'static str>) {
        self.problems.push(InvalidVariable { problem, remedy });
    }

    /// A lower-case word. An empty variable means none; an unset one means the default.
    pub(super) fn word_or_none(&mut self, name: &str, default: &str) -> Option<String> {
        self.names_read.borrow_mut().insert(name.to_owned());
        let word = self.variables.get(name).map_or(default, String::as_str).to_owned();
        if !word.chars().all(|c| c.is_ascii_lowercase()) {
            self.reject(format!("{name} is `{word}` but must be a lower-case word, or empty"), None);
        }
        (!word.is_empty()).then_some(word)
    }

    /// One of these words; required.
    pub(super) fn one_of<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(name);
        let found = words.iter().find(|(word, _)| text.as_deref() == Some(word));
        if found.is_none() {
            let accepted = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" or ");
            let problem = match text {
                Some(text) => format!("{name} is `{text}` but must be {accepted}"),
                None => format!("{name} is not set; it must be {accepted}"),
            };
            self.reject(problem, None);
        }
        found.map(|&(_, value)| value)
    }

    /// The address of a service, without a slash at its end.
    pub(super) fn base_url(&mut self, name: &str, default: &str) -> String {
        let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        let url = self.optional(name, "an address such as https://host/path", default.to_owned(), is_web);
        url.trim_end_matches('/').to_owned()
    }

    /// A key that is given directly, in a file, or by its location in Secrets Manager. Keys read from files end in a
    /// line feed.
    pub(super) fn secret(&mut self, name: &str, needed_by: &str) -> Secret {
        let (by_arn, by_file) = (format!("{name}_SECRET_ARN"), format!("{name}_FILE"));
        let given = self.text(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        match (given, self.text(&by_arn), self.text(&by_file)) {
            (Some(value), None, None) => Secret::Given(SecretString::from(value)),
            (None, Some(arn), None) => Secret::Stored { arn },
            (None, None, Some(path)) => match key_in(&path) {
                Ok(key) => Secret::Given(key),
                Err(problem) => self.without_secret(format!("{by_file} names {path}, {problem}"), None),
            },
            (None, None, None) => {
                self.without_secret(format!("{needed_by} needs {name}, {by_arn} or {by_file}, and none is set"), None)
            }
            _ => {
                let problem = format!("more than one of {name}, {by_arn} and {by_file} is set");
                self.without_secret(problem, Some("set one of them"))
            }
        }
    }

    fn without_secret(&mut self, problem: String, remedy: Option<&'static str>) -> Secret {
        self.reject(problem, remedy);
        Secret::Given(SecretString::default())
    }
}

/// The key in a file; otherwise the problem with the file.
fn key_in(path: &str) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("which can't be read: {error}"))?;
    match text.trim() {
        "" => Err("which is empty".to_owned()),
        key => Ok(SecretString::from(key)),
    }
}
