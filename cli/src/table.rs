//! Plain tables for people.

/// As much of a name as a column may take; a longer one would push all others off the screen.
const LONGEST_NAME: usize = 40;

/// A name, cut off with an ellipsis where it is too long for a table.
pub fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

/// Rows under headings, columns as wide as they need to be; numbers to the right.
pub fn render(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let rule = widths.iter().map(|&width| "─".repeat(width)).collect();
    [headings, rule]
        .iter()
        .chain(rows)
        .map(|row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| {
                if cell.parse::<f64>().is_ok() { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}
