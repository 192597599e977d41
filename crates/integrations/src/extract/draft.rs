//! An extracted text in the making. Counts characters as they come, refuses more than
//! [`MAX_CHARS`] of them, and lets no character through that a text has no use for.

use domain::documents::{ExtractFault, Extracted, Heading};

use super::MAX_CHARS;

/// The most characters of a heading's title.
const MAX_TITLE: usize = 200;

/// A text with headings and pages, growing at its end.
#[derive(Default)]
pub struct Draft {
    extracted: Extracted,
    chars: usize,
}

impl Draft {
    /// Appends a text.
    pub fn push(&mut self, text: &str) -> Result<(), ExtractFault> {
        for char in text.chars().filter(|char| is_kept(*char)) {
            self.extracted.text.push(char);
            self.chars += 1;
        }
        if self.chars > MAX_CHARS {
            return Err(too_many_chars());
        }
        Ok(())
    }

    /// Appends white space unless the text ends with it already, or has not begun.
    pub fn gap(&mut self, gap: &str) -> Result<(), ExtractFault> {
        if self.extracted.text.is_empty() || self.extracted.text.ends_with(gap) {
            return Ok(());
        }
        self.push(gap)
    }

    /// Marks that a heading starts here. One without words is none.
    pub fn heading(&mut self, level: u8, words: &str) {
        self.heading_at(self.chars, level, words);
    }

    /// Marks that a heading starts at a character, no earlier than the last one did.
    pub fn heading_at(&mut self, at: usize, level: u8, words: &str) {
        let title = title(words);
        if !title.is_empty() {
            self.extracted.headings.push(Heading { at, level, title });
        }
    }

    /// Marks that a page starts here.
    pub fn page(&mut self) {
        self.extracted.pages.push(self.chars);
    }

    /// How many characters there are so far.
    pub fn chars(&self) -> usize {
        self.chars
    }

    /// The whole, unless it has no words: then `otherwise` says why.
    pub fn finish(self, otherwise: ExtractFault) -> Result<Extracted, ExtractFault> {
        if self.extracted.text.trim().is_empty() {
            return Err(otherwise);
        }
        Ok(self.extracted)
    }
}

/// Control characters carry no text, and NUL is none that Postgres stores.
pub fn is_kept(char: char) -> bool {
    !char.is_control() || matches!(char, '\n' | '\t')
}

/// The refusal of an endless text.
pub fn too_many_chars() -> ExtractFault {
    ExtractFault::TooLarge(format!(
        "it holds more than {} million characters",
        MAX_CHARS / 1_000_000
    ))
}

/// A heading's words on one line, none too long, without the sign that links to it.
pub fn title(words: &str) -> String {
    let mut title = String::new();
    for word in words.split(|char: char| char.is_whitespace() || !is_kept(char)) {
        let word = word.trim_matches(['§', '¶']);
        if !word.is_empty() && !title.is_empty() {
            title.push(' ');
        }
        title.push_str(word);
        if title.len() > MAX_TITLE {
            return title.chars().take(MAX_TITLE).collect();
        }
    }
    title
}
