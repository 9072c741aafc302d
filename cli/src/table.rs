//! Plain tables for people.

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
