//! The transitions as the tables in `docs/ARCHITECTURE.md`.

use std::fmt::Write as _;

use super::ImpossibleEvent;

const ARCHITECTURE: &str = include_str!("../../../../docs/ARCHITECTURE.md");

/// Asserts that the document lists exactly the transitions of the code: one row for each event and resulting state, or
/// one row for the event if it leads from any state to the same one. `apply` returns the name of the state that follows
/// from the state and the event with these indices.
pub(super) fn assert_documented<'a>(
    record: &str,
    states: impl Iterator<Item = &'a str>,
    events: impl Iterator<Item = &'a str>,
    apply: impl Fn(usize, usize) -> Result<&'static str, ImpossibleEvent>,
) {
    let states: Vec<&str> = states.collect();
    let mut table = "| event | from | to |\n|---|---|---|\n".to_owned();
    for (index, event) in events.enumerate() {
        let results: Vec<_> = (0..states.len()).map(|at| apply(at, index)).collect();
        if let Some(Ok(to)) = results.first()
            && results.iter().all(|result| result.as_ref() == Ok(to))
        {
            writeln!(table, "| {event} | any | {to} |").unwrap();
            continue;
        }
        let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
        for (from, to) in states.iter().zip(results) {
            let Ok(to) = to else { continue };
            let to = if to == *from { "unchanged" } else { to };
            match rows.iter_mut().find(|(found, _)| *found == to) {
                Some((_, sources)) => sources.push(from),
                None => rows.push((to, vec![from])),
            }
        }
        for (to, sources) in rows {
            writeln!(table, "| {event} | {} | {to} |", sources.join(", ")).unwrap();
        }
    }
    let (begin, end) = (format!("<!-- lifecycle of {record} -->\n"), "<!-- end -->");
    let section = ARCHITECTURE.split_once(&begin).and_then(|(_, rest)| rest.split_once(end));
    assert!(
        section.is_some_and(|(found, _)| found == table),
        "docs/ARCHITECTURE.md must contain:\n{begin}{table}{end}"
    );
}
