//! Atlassian's document format as Markdown. Any value can be given, as documents come from outside:
//! what is not known is shown by what is inside it, what goes too deep or too far is left out, and
//! nothing is an error. The document itself is kept elsewhere, so that this may lose its finery.

use serde_json::Value;

use super::text::{self, CUT, LONGEST_TEXT};

mod blocks;
mod inline;
mod lists;
mod table;

/// Deeper than any editor nests.
const DEEPEST: usize = 64;

/// More nodes than any document of a sensible length has.
const MOST_NODES: usize = 50_000;

/// The document as Markdown. A plain text is itself, `null` is nothing.
pub fn to_markdown(document: &Value) -> String {
    match document {
        Value::String(plain) => text::lines(plain, LONGEST_TEXT),
        Value::Object(_) => {
            let mut walk = Walk::default();
            let mut markdown = walk.blocks(std::slice::from_ref(document), 0, "\n\n");
            if walk.is_cut {
                markdown.push_str("\n\n");
                markdown.push_str(CUT);
            }
            markdown.retain(is_allowed);
            text::lines(&markdown, LONGEST_TEXT)
        }
        _ => String::new(),
    }
}

/// A way through a document, and how far it may still go.
struct Walk {
    nodes: usize,
    bytes: usize,
    is_cut: bool,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            nodes: MOST_NODES,
            bytes: LONGEST_TEXT,
            is_cut: false,
        }
    }
}

impl Walk {
    /// Whether one more node may be looked at, this deep.
    fn enters(&mut self, depth: usize) -> bool {
        if depth > DEEPEST || self.nodes == 0 {
            self.is_cut = true;
            return false;
        }
        self.nodes -= 1;
        true
    }

    /// As much of a text as is still taken.
    fn take(&mut self, text: &str) -> String {
        let end = (0..=text.len().min(self.bytes))
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or_default();
        self.is_cut |= end < text.len();
        self.bytes -= end;
        text[..end].replace("\r\n", "\n")
    }
}

/// Characters that belong into a text.
fn is_allowed(char: char) -> bool {
    !char.is_control() || matches!(char, '\n' | '\t')
}

fn kind(node: &Value) -> &str {
    node["type"].as_str().unwrap_or_default()
}

fn attribute<'a>(node: &'a Value, name: &str) -> &'a str {
    node["attrs"][name].as_str().unwrap_or_default()
}

fn children(node: &Value) -> &[Value] {
    node["content"].as_array().map_or(&[], Vec::as_slice)
}

/// Each line but blank ones behind these marks.
fn behind(first: &str, rest: &str, text: &str) -> String {
    let lines = text.lines().enumerate().map(|(number, line)| {
        let mark = if number == 0 { first } else { rest };
        format!("{mark}{line}").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
