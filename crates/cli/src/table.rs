//! Tables of text.

/// The rows under their headings, each column as wide as its widest text; all but the first are
/// set to the right.
pub fn render(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let texts = rows.iter().filter_map(|row| row.get(column));
        let longest = texts.map(|text| text.chars().count()).max().unwrap_or(0);
        longest.max(headings[column].chars().count())
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let headings: Vec<String> = headings.iter().map(|text| (*text).to_owned()).collect();
    let lines = std::iter::once(&headings).chain(rows);
    lines.map(|row| line(row, &widths) + "\n").collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let padded = cells.map(|(column, (text, width))| match column {
        0 => format!("{text:<width$}"),
        _ => format!("{text:>width$}"),
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let rows = [
            vec!["Zürich".into(), "1".into()],
            vec!["Y".into(), "1000".into()],
        ];
        let expected = "place   cells\nZürich      1\nY        1000\n";
        assert_eq!(render(&["place", "cells"], &rows), expected);
    }
}
