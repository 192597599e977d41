//! Lists, whose marks are written once for each level.

/// Deeper than anybody nests.
const DEEPEST: usize = 10;

/// The numbers of the items above.
#[derive(Default)]
pub(super) struct Lists {
    numbers: Vec<u32>,
}

impl Lists {
    /// The mark in Markdown for these, such as `*#`, with what it is set in by.
    pub(super) fn mark(&mut self, marks: &str) -> String {
        let marks = &marks[..marks.len().min(DEEPEST)];
        self.numbers.resize(marks.len(), 0);
        let number = self.numbers.last_mut().expect("an item has a mark");
        *number += 1;
        let above = &marks[..marks.len() - 1];
        let indent: usize = above
            .bytes()
            .map(|mark| if mark == b'#' { 3 } else { 2 })
            .sum();
        let mark = match marks.as_bytes().last() {
            Some(b'#') => format!("{number}. "),
            _ => "- ".into(),
        };
        format!("{}{mark}", " ".repeat(indent))
    }

    /// A line that is no item ends all lists.
    pub(super) fn end(&mut self) {
        self.numbers.clear();
    }
}

/// The marks of an item and its words. A single dash is a mark too, several are not.
pub(super) fn item(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|char| !"*#-".contains(char))?;
    let (marks, words) = line.split_at(end);
    let is_mark = !marks.is_empty() && (marks == "-" || !marks.contains('-'));
    (is_mark && words.starts_with([' ', '\t'])).then(|| (marks, words.trim()))
}
