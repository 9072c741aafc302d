//! Plain-text tables.

/// The most characters of a name in a table.
const LONGEST_NAME: usize = 32;

/// A name, shortened with an ellipsis if it is too long for a table.
pub fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

/// The title of a column, and the alignment of its cells. Names may consist of digits, so the content does not decide.
#[derive(Debug, Clone, Copy)]
pub enum Heading {
    /// Aligned to the left.
    Words(&'static str),
    /// Aligned to the right.
    Numbers(&'static str),
}

impl Heading {
    fn text(self) -> &'static str {
        match self {
            Self::Words(text) | Self::Numbers(text) => text,
        }
    }

    fn align(self, cell: &str, width: usize) -> String {
        match self {
            Self::Words(_) => format!("{cell:<width$}"),
            Self::Numbers(_) => format!("{cell:>width$}"),
        }
    }
}

/// A table whose columns are as wide as their longest cell.
pub fn render(headings: &[Heading], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..)
        .zip(headings)
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([heading.text().chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let titles = headings.iter().map(|heading| heading.text().to_owned()).collect();
    let rule = widths.iter().map(|&width| "─".repeat(width)).collect();
    [titles, rule]
        .iter()
        .chain(rows)
        .map(|row: &Vec<String>| {
            let cells = row.iter().zip(headings).zip(&widths);
            let cells = cells.map(|((cell, heading), &width)| heading.align(cell, width));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The width of a terminal that everything should fit into.
const WIDTH: usize = 80;

/// The same with a note below each row, wrapped; an empty note takes no line.
pub fn with_notes(headings: &[Heading], rows: &[(Vec<String>, String)]) -> String {
    let cells: Vec<_> = rows.iter().map(|(row, _)| row.clone()).collect();
    let table = render(headings, &cells);
    let (head, body) = table.split_at(table.match_indices('\n').nth(1).map_or(table.len(), |(at, _)| at));
    let lines = body.lines().skip(1).zip(rows).map(|(line, (_, note))| match note.as_str() {
        "" => line.to_owned(),
        note => format!("{line}\n{}", wrapped(note)),
    });
    std::iter::once(head.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// A text in lines that fit into a terminal, indented.
fn wrapped(text: &str) -> String {
    textwrap::fill(text, textwrap::Options::new(WIDTH).initial_indent("  ").subsequent_indent("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_align_left_and_numbers_right() {
        let rows = [["7", "3"], ["the hero", "–"], ["0001", "12"]].map(|row| row.map(str::to_owned).to_vec());
        let table = render(&[Heading::Words("actor"), Heading::Numbers("generated")], &rows);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "actor     generated",
                "────────  ─────────",
                "7                 3",
                "the hero          –",
                "0001             12"
            ]
        );
    }

    #[test]
    fn note_stands_below_its_row() {
        let rows = [(vec!["a".to_owned()], "why so".to_owned()), (vec!["b".to_owned()], String::new())];
        let table = with_notes(&[Heading::Words("actor")], &rows);
        assert_eq!(table.lines().collect::<Vec<_>>(), ["actor", "─────", "a", "  why so", "b"]);
        assert_eq!(with_notes(&[Heading::Words("actor")], &[]).lines().count(), 2);
    }
}
