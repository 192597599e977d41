//! What stands within a line: words with their marks, people, dates, links.

use chrono::DateTime;
use serde_json::Value;

use super::{Walk, attribute, children, kind};

/// Whether a node belongs into a line.
pub(super) fn is(node: &Value) -> bool {
    matches!(
        kind(node),
        "text"
            | "hardBreak"
            | "mention"
            | "emoji"
            | "date"
            | "status"
            | "inlineCard"
            | "media"
            | "mediaInline"
            | "placeholder"
            | "inlineExtension"
    )
}

impl Walk {
    /// Nodes one after the other. Neighbours with the same marks are marked together.
    pub(super) fn inline(&mut self, nodes: &[Value], depth: usize) -> String {
        let mut line = String::new();
        let mut rest = nodes;
        while let Some(first) = rest.first() {
            let alike = |node: &&Value| kind(node) == "text" && node["marks"] == first["marks"];
            let run = rest.iter().take_while(alike).count().max(1);
            for _ in 0..run {
                if !self.enters(depth) {
                    return line;
                }
            }
            if kind(first) == "text" {
                let words = rest[..run].iter().filter_map(|node| node["text"].as_str());
                let words = self.take(&words.collect::<String>());
                line.push_str(&marked(&words, &first["marks"]));
            } else {
                line.push_str(&self.other(first, depth));
            }
            rest = &rest[run..];
        }
        line
    }

    fn other(&mut self, node: &Value, depth: usize) -> String {
        match kind(node) {
            "hardBreak" => "\n".into(),
            "mention" => self.mention(node),
            "emoji" => match attribute(node, "text") {
                "" => self.take(attribute(node, "shortName")),
                text => self.take(text),
            },
            "date" => date(&node["attrs"]["timestamp"]),
            "status" => format!("[{}]", self.take(attribute(node, "text"))),
            "inlineCard" => card(node),
            "media" | "mediaInline" => media(node),
            "inlineExtension" => self.take(attribute(node, "text")),
            "placeholder" => String::new(),
            // Not known: what is inside, or what it says of itself.
            _ if children(node).is_empty() => self.take(node["text"].as_str().unwrap_or_default()),
            _ => self.inside(node, depth),
        }
    }

    fn mention(&mut self, node: &Value) -> String {
        let name = match attribute(node, "text") {
            "" => attribute(node, "id"),
            name => name,
        };
        format!("@{}", self.take(name.trim_start_matches('@')))
    }
}

/// Words with their marks; blanks stay outside, where marks would not be seen as such.
fn marked(text: &str, marks: &Value) -> String {
    let core = text.trim();
    let marks = marks.as_array().map_or(&[][..], Vec::as_slice);
    if core.is_empty() || marks.is_empty() {
        return text.to_owned();
    }
    let has = |name: &str| marks.iter().any(|mark| kind(mark) == name);
    let mut shown = if has("code") {
        code(core)
    } else {
        core.to_owned()
    };
    for (name, sign) in [("em", "*"), ("strong", "**"), ("strike", "~~")] {
        if has(name) {
            shown = format!("{sign}{shown}{sign}");
        }
    }
    if let Some(link) = marks.iter().find(|mark| kind(mark) == "link") {
        shown = linked(&shown, core, attribute(link, "href"));
    }
    let begins = text.len() - text.trim_start().len();
    let ends = text.trim_end().len();
    format!("{}{shown}{}", &text[..begins], &text[ends..])
}

/// Code within a line, behind more ticks than it holds.
fn code(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max();
    let ticks = "`".repeat(longest.unwrap_or_default() + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{ticks} {text} {ticks}")
    } else {
        format!("{ticks}{text}{ticks}")
    }
}

/// A link, if it leads anywhere that can be followed from a text.
fn linked(shown: &str, words: &str, to: &str) -> String {
    let to = to.trim();
    if to.is_empty() || to.to_ascii_lowercase().starts_with("javascript:") {
        return shown.to_owned();
    }
    if to == words {
        return address(to);
    }
    let shown = shown.replace('[', "\\[").replace(']', "\\]");
    if to.contains(|char: char| char.is_whitespace() || "()<>".contains(char)) {
        let to = to.replace('<', "%3C").replace('>', "%3E").replace('\n', "");
        format!("[{shown}](<{to}>)")
    } else {
        format!("[{shown}]({to})")
    }
}

fn address(to: &str) -> String {
    let plain = |char: char| !char.is_whitespace() && !"<>".contains(char);
    format!(
        "<{}>",
        to.chars().filter(|char| plain(*char)).collect::<String>()
    )
}

/// A card stands for an address.
pub(super) fn card(node: &Value) -> String {
    let to = match attribute(node, "url") {
        "" => node["attrs"]["data"]["url"].as_str().unwrap_or_default(),
        to => to,
    };
    if to.is_empty() {
        String::new()
    } else {
        address(to)
    }
}

/// A file by its name; a picture from elsewhere by its address.
pub(super) fn media(node: &Value) -> String {
    let names = [attribute(node, "alt"), attribute(node, "id")];
    let name = names.into_iter().find(|name| !name.is_empty());
    let name = name.unwrap_or("file").replace(['[', ']', '\n'], " ");
    match attribute(node, "url") {
        "" => format!("[attachment: {}]", name.trim()),
        to => format!("!{}", linked(name.trim(), "", to)),
    }
}

/// The day of a moment in milliseconds, which come as text or as a number.
fn date(timestamp: &Value) -> String {
    let milliseconds = timestamp
        .as_str()
        .and_then(|text| text.trim().parse().ok())
        .or_else(|| timestamp.as_i64());
    let day = milliseconds.and_then(DateTime::from_timestamp_millis);
    day.map(|day| day.format("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
