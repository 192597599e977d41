//! What stands in lines of its own.

use serde_json::Value;

use super::{Walk, attribute, behind, children, inline, kind, lists};

impl Walk {
    /// Nodes below each other; those of a line that stand among blocks make up a line. A list follows
    /// what introduces it at the distance of `tight`.
    pub(super) fn blocks(&mut self, nodes: &[Value], depth: usize, tight: &str) -> String {
        let mut text = String::new();
        let mut rest = nodes;
        while let Some(first) = rest.first() {
            let in_line = rest.iter().take_while(|node| inline::is(node)).count();
            let block = if in_line > 0 {
                self.inline(&rest[..in_line], depth)
            } else {
                self.block(first, depth)
            };
            if !block.trim().is_empty() {
                if !text.is_empty() {
                    text.push_str(if lists::is(first) { tight } else { "\n\n" });
                }
                text.push_str(block.trim_matches('\n').trim_end());
            }
            rest = &rest[in_line.max(1)..];
        }
        text
    }

    /// What is inside a node.
    pub(super) fn inside(&mut self, node: &Value, depth: usize) -> String {
        self.blocks(children(node), depth + 1, "\n\n")
    }

    fn block(&mut self, node: &Value, depth: usize) -> String {
        if !self.enters(depth) {
            return String::new();
        }
        match kind(node) {
            "paragraph" | "caption" => self.inline(children(node), depth),
            "heading" => self.heading(node, depth),
            "bulletList" | "orderedList" | "taskList" | "decisionList" => self.list(node, depth),
            "codeBlock" => self.code(node),
            "blockquote" => behind("> ", "> ", &self.inside(node, depth)),
            "panel" => self.panel(node, depth),
            "expand" | "nestedExpand" => self.expand(node, depth),
            "rule" => "---".into(),
            "table" => self.table(node, depth),
            "mediaSingle" | "mediaGroup" => self.media_group(node, depth),
            "blockCard" | "embedCard" => inline::card(node),
            // Its text lives elsewhere.
            "syncBlock" => String::new(),
            "extension" if children(node).is_empty() => self.take(attribute(node, "text")),
            // A document, a layout, an extension with a body, and whatever is not known.
            _ => self.inside(node, depth),
        }
    }

    fn heading(&mut self, node: &Value, depth: usize) -> String {
        let level = node["attrs"]["level"].as_u64().unwrap_or(1).clamp(1, 6);
        let words = self.inline(children(node), depth).replace('\n', " ");
        if words.trim().is_empty() {
            return String::new();
        }
        format!(
            "{} {}",
            "#".repeat(usize::try_from(level).unwrap_or(1)),
            words.trim()
        )
    }

    /// The fence is longer than any inside.
    fn code(&mut self, node: &Value) -> String {
        let pieces = children(node)
            .iter()
            .filter_map(|piece| piece["text"].as_str());
        let code = self.take(&pieces.collect::<String>());
        let longest = code
            .lines()
            .map(|line| {
                line.trim_start()
                    .bytes()
                    .take_while(|byte| *byte == b'`')
                    .count()
            })
            .max()
            .unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        let language = attribute(node, "language");
        let plain = |char: char| char.is_alphanumeric() || "+-#._".contains(char);
        let language = if language.chars().all(plain) {
            language
        } else {
            ""
        };
        format!(
            "{fence}{language}\n{}\n{fence}",
            code.trim_end_matches('\n')
        )
    }

    fn panel(&mut self, node: &Value, depth: usize) -> String {
        let says = self.inside(node, depth);
        let name = match attribute(node, "panelType") {
            "" | "custom" => "note",
            name => name,
        };
        behind("> ", "> ", &format!("**{name}:** {says}"))
    }

    fn expand(&mut self, node: &Value, depth: usize) -> String {
        let title = self.take(attribute(node, "title")).replace('\n', " ");
        let says = self.inside(node, depth);
        match title.trim() {
            "" => says,
            title => format!("**{title}**\n\n{says}"),
        }
    }

    fn media_group(&mut self, node: &Value, depth: usize) -> String {
        let shown = children(node).iter().map(|one| match kind(one) {
            "caption" => self.block(one, depth + 1),
            _ => inline::media(one),
        });
        let shown = shown.filter(|one| !one.is_empty());
        shown.collect::<Vec<_>>().join("\n")
    }
}
