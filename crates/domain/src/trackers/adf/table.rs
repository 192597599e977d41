//! Tables, whose cells may hold anything and in Markdown hold a line.

use serde_json::Value;

use super::{Walk, children, kind};

/// More columns than a table may have.
const MOST_COLUMNS: usize = 100;

impl Walk {
    /// A table. Without a row of headings the headings are empty.
    pub(super) fn table(&mut self, node: &Value, depth: usize) -> String {
        let mut rows = Vec::new();
        for row in children(node) {
            if !self.enters(depth + 1) {
                break;
            }
            rows.push(self.row(row, depth + 2));
        }
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        if columns == 0 {
            return String::new();
        }
        let first = children(node).first().map_or(&[][..], children);
        if !first.iter().all(|cell| kind(cell) == "tableHeader") {
            rows.insert(0, Vec::new());
        }
        let mut lines: Vec<String> = rows.into_iter().map(|row| line(row, columns)).collect();
        lines.insert(1, format!("|{}", " --- |".repeat(columns)));
        lines.join("\n")
    }

    fn row(&mut self, row: &Value, depth: usize) -> Vec<String> {
        let mut cells = Vec::new();
        for cell in children(row) {
            if cells.len() >= MOST_COLUMNS || !self.enters(depth) {
                break;
            }
            let body = self.inside(cell, depth).replace('|', "\\|");
            let lines = body
                .lines()
                .map(str::trim_end)
                .filter(|line| !line.is_empty());
            cells.push(lines.collect::<Vec<_>>().join("<br>"));
            // A wide cell is followed by empty ones.
            let width = cell["attrs"]["colspan"].as_u64().unwrap_or(1).clamp(1, 100);
            let width = usize::try_from(width).unwrap_or(1);
            let end = (cells.len() + width - 1).min(MOST_COLUMNS);
            cells.resize(end, String::new());
        }
        cells
    }
}

fn line(mut cells: Vec<String>, columns: usize) -> String {
    cells.resize(columns, String::new());
    format!("| {} |", cells.join(" | "))
}
