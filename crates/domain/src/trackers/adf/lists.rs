//! Lists: with dots, with numbers, of tasks, of decisions, within each other.

use serde_json::Value;

use super::{Walk, attribute, behind, children, inline, kind};

/// Whether a node is a list.
pub(super) fn is(node: &Value) -> bool {
    matches!(
        kind(node),
        "bulletList" | "orderedList" | "taskList" | "decisionList"
    )
}

impl Walk {
    /// A list, an item a line or more.
    pub(super) fn list(&mut self, node: &Value, depth: usize) -> String {
        let mut lines = Vec::new();
        let first = node["attrs"]["order"].as_u64().unwrap_or(1);
        let mut number = first.min(1_000_000_000);
        for item in children(node) {
            // A list of tasks holds lists of tasks directly: they belong to the task before.
            let (mark, body) = if is(item) {
                (
                    "  ".to_owned(),
                    self.blocks(std::slice::from_ref(item), depth + 1, "\n"),
                )
            } else {
                let mark = mark(node, item, number);
                number += 1;
                (mark, self.item(item, depth + 1))
            };
            let indent = " ".repeat(mark.len().min(4));
            if body.is_empty() {
                lines.push(mark.trim_end().to_owned());
            } else {
                let indent = if mark.contains('[') { "  " } else { &indent };
                lines.push(behind(&mark, indent, &body));
            }
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    fn item(&mut self, item: &Value, depth: usize) -> String {
        if !self.enters(depth) {
            return String::new();
        }
        if inline::is(item) {
            return self.inline(std::slice::from_ref(item), depth);
        }
        self.blocks(children(item), depth + 1, "\n")
    }
}

fn mark(list: &Value, item: &Value, number: u64) -> String {
    match kind(list) {
        "orderedList" => format!("{number}. "),
        "taskList" if attribute(item, "state") == "DONE" => "- [x] ".into(),
        "taskList" => "- [ ] ".into(),
        "decisionList" => "- Decision: ".into(),
        _ => "- ".into(),
    }
}
