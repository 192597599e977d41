//! The wiki markup of Jira Server and Data Center as Markdown: what people write in descriptions, not
//! all that its renderer knows. What is not understood stays as it was written.

use super::text::{self, LONGEST_TEXT};

mod inline;
mod lists;

use inline::inline;
use lists::{Lists, item};

/// The text as Markdown.
pub fn to_markdown(wiki: &str) -> String {
    let wiki = text::lines(wiki, LONGEST_TEXT);
    let mut page = PageOf::default();
    let mut lines = wiki.lines();
    while let Some(line) = lines.next() {
        match opening(line) {
            Some((name @ ("code" | "noformat"), attributes, rest)) => {
                page.code(name, attributes, rest, &mut lines);
            }
            Some((name, attributes, rest)) if page.open != Some(name) => {
                page.enclose(name, attributes, rest);
            }
            _ => page.line(line),
        }
    }
    text::lines(&page.text, LONGEST_TEXT)
}

/// What is written so far.
#[derive(Default)]
struct PageOf {
    text: String,
    /// The box that is open: a quote or a panel.
    open: Option<&'static str>,
    lists: Lists,
    in_table: bool,
}

impl PageOf {
    fn line(&mut self, line: &str) {
        if let Some(open) = self.open
            && let Some((before, after)) = line.split_once(&format!("{{{open}}}"))
        {
            if !before.trim().is_empty() {
                self.plain(before);
            }
            self.open = None;
            self.push("");
            if !after.trim().is_empty() {
                self.plain(after);
            }
            return;
        }
        self.plain(line);
    }

    fn plain(&mut self, line: &str) {
        let trimmed = line.trim();
        let was_table = std::mem::take(&mut self.in_table);
        if let Some((marks, words)) = item(trimmed) {
            let mark = self.lists.mark(marks);
            self.push(&format!("{mark}{}", inline(words)));
            return;
        }
        self.lists.end();
        if let Some((level, words)) = heading(trimmed) {
            self.push(&format!("{} {}", "#".repeat(level), inline(words)));
        } else if let Some(words) = trimmed.strip_prefix("bq. ") {
            self.push(&format!("> {}", inline(words)));
        } else if trimmed.len() >= 4 && trimmed.bytes().all(|byte| byte == b'-') {
            self.push("---");
        } else if trimmed.starts_with('|') && trimmed.len() > 1 {
            self.row(trimmed, was_table);
        } else {
            self.push(&inline(line));
        }
    }

    fn row(&mut self, line: &str, goes_on: bool) {
        let is_heading = line.starts_with("||");
        let cells = cells(line);
        if !goes_on && !is_heading {
            self.push(&format!("|{}", "  |".repeat(cells.len())));
        }
        if !goes_on && !is_heading {
            self.push(&format!("|{}", " --- |".repeat(cells.len())));
        }
        self.push(&format!("| {} |", cells.join(" | ")));
        if !goes_on && is_heading {
            self.push(&format!("|{}", " --- |".repeat(cells.len())));
        }
        self.in_table = true;
    }

    /// A block of code, to its end or that of the text.
    fn code<'a>(
        &mut self,
        name: &str,
        attributes: &str,
        rest: &'a str,
        lines: &mut impl Iterator<Item = &'a str>,
    ) {
        let end = format!("{{{name}}}");
        let mut body = Vec::new();
        let mut after = "";
        for line in std::iter::once(rest).chain(lines) {
            if let Some((last, rest)) = line.split_once(&end) {
                body.push(last);
                after = rest;
                break;
            }
            body.push(line);
        }
        let body = body.join("\n");
        let body = body.trim_matches('\n');
        let fence = if body.contains("```") { "~~~~" } else { "```" };
        self.push(&format!("{fence}{}", language(name, attributes)));
        for line in body.lines() {
            self.push(line);
        }
        self.push(fence);
        if !after.trim().is_empty() {
            self.line(after);
        }
    }

    fn enclose(&mut self, name: &'static str, attributes: &str, rest: &str) {
        self.open = None;
        if !self.text.ends_with("\n\n") {
            self.push("");
        }
        self.open = Some(name);
        let title = attributes
            .split('|')
            .find_map(|one| one.trim().strip_prefix("title="));
        if let Some(title) = title.filter(|title| !title.is_empty()) {
            self.push(&format!("**{title}**"));
            self.push("");
        }
        if !rest.trim().is_empty() {
            self.line(rest);
        }
    }

    fn push(&mut self, line: &str) {
        let mark = if self.open.is_some() { "> " } else { "" };
        for line in line.split('\n') {
            self.text.push_str(format!("{mark}{line}").trim_end());
            self.text.push('\n');
        }
    }
}

/// A macro that opens at the beginning of a line: its name, its attributes, what follows.
fn opening(line: &str) -> Option<(&'static str, &str, &str)> {
    let inner = line.trim_start().strip_prefix('{')?;
    let (head, rest) = inner.split_once('}')?;
    let (name, attributes) = head.split_once(':').unwrap_or((head, ""));
    let names = ["code", "noformat", "quote", "panel"];
    let name = names.into_iter().find(|known| *known == name)?;
    Some((name, attributes, rest))
}

/// The language of a block of code, from `{code:java}` or `{code:title=x|language=java}`.
fn language<'a>(name: &str, attributes: &'a str) -> &'a str {
    if name != "code" {
        return "";
    }
    let mut attributes = attributes.split('|').map(str::trim);
    let found = attributes.find_map(|one| match one.split_once('=') {
        None => Some(one),
        Some(("language", language)) => Some(language),
        Some(_) => None,
    });
    let plain = |char: char| char.is_ascii_alphanumeric() || "+-#".contains(char);
    found
        .filter(|name| name.chars().all(plain))
        .unwrap_or_default()
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let mut characters = line.chars();
    let level = (characters.next() == Some('h')).then(|| characters.next()?.to_digit(10))??;
    let words = characters.as_str().strip_prefix(". ")?;
    (1..=6)
        .contains(&level)
        .then_some((level as usize, words.trim()))
}

/// The cells of a row. A bar within a link or behind a backslash divides nothing.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut brackets = 0_u32;
    let mut escaped = false;
    for char in line.chars() {
        match char {
            '[' if !escaped => brackets += 1,
            ']' if !escaped => brackets = brackets.saturating_sub(1),
            '|' if !escaped && brackets == 0 => {
                cells.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = char == '\\' && !escaped;
        cells.last_mut().expect("there is always one").push(char);
    }
    let filled = cells.iter().filter(|cell| !cell.is_empty());
    let shown = filled.map(|cell| {
        inline(cell.trim())
            .replace('|', "\\|")
            .replace('\n', "<br>")
    });
    shown.collect()
}

#[cfg(test)]
mod tests;
