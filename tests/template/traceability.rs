//! docs/TRACEABILITY.md names tests for each guarantee and failure of the documents, and all of these tests exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const SEMANTICS: &str = include_str!("../../docs/SEMANTICS.md");
const FAILURES: &str = include_str!("../../docs/FAILURES.md");
const TRACEABILITY: &str = include_str!("../../docs/TRACEABILITY.md");

/// The id that a paragraph or a table row begins with, such as `S-01`.
fn id(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("- **").or_else(|| line.strip_prefix("| "))?;
    let (id, _) = rest.split_once(|after: char| !after.is_ascii_alphanumeric() && after != '-')?;
    let number = id.strip_prefix("S-").or_else(|| id.strip_prefix("F-"))?;
    (!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())).then_some(id)
}

fn ids(document: &'static str) -> Vec<&'static str> {
    document.lines().filter_map(id).collect()
}

/// A file of Rust source.
struct Source {
    /// Its path from the root of the repository, as a module path.
    module: Vec<String>,
    text: String,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let relative = path.strip_prefix(root).unwrap().with_extension("");
        let parts = relative.iter().map(|part| part.to_string_lossy().into_owned());
        let mut module: Vec<String> = parts.filter(|part| !["main", "mod", "src"].contains(&part.as_str())).collect();
        if text.contains("mod tests {") {
            module.push("tests".to_owned());
        }
        Self { module, text }
    }

    /// Whether the file belongs to a module such as `careful_deletion::pins`.
    fn is_in(&self, module: &[&str]) -> bool {
        self.module.windows(module.len()).any(|window| window == module)
    }

    /// Whether the file has a test of this name; `*` matches any test.
    fn has(&self, test: &str) -> bool {
        match test {
            "*" => self.text.contains("#[test]") || self.text.contains("#[tokio::test"),
            name => self.text.contains(&format!("fn {name}(")),
        }
    }
}

fn read_sources(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            read_sources(root, &path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            sources.push(Source::read(root, &path));
        }
    }
}

#[test]
fn guarantees_and_rows_correspond() {
    let guarantees = [ids(SEMANTICS), ids(FAILURES)].concat();
    let rows = ids(TRACEABILITY);
    let (unique_guarantees, unique_rows) = (BTreeSet::from_iter(&guarantees), BTreeSet::from_iter(&rows));
    assert!(guarantees.len() > 100, "only {} guarantees were found", guarantees.len());
    assert_eq!(guarantees.len(), unique_guarantees.len(), "an id is used twice");
    assert_eq!(rows.len(), unique_rows.len(), "a guarantee has two rows");
    assert_eq!(unique_guarantees, unique_rows);
}

#[test]
fn every_named_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    for folder in ["cli", "functions", "infra", "shared", "tests"] {
        read_sources(root, &root.join(folder), &mut sources);
    }
    for row in TRACEABILITY.lines().filter(|line| id(line).is_some()) {
        let cell = row.rsplit(" | ").next().unwrap();
        let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty() || cell.starts_with("none: "), "no test in {row}");
        for test in tests {
            let (module, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("{test} has no module"));
            let module: Vec<&str> = module.split("::").collect();
            let exists = sources.iter().any(|source| source.is_in(&module) && source.has(name));
            assert!(exists, "there is no test {test}");
        }
    }
}
