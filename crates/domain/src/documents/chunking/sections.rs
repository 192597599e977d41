//! The stretches of a text between its headings. No section is ever cut here.

use std::ops::Range;

use crate::documents::{Extracted, Heading};

/// A heading and what stands below it, up to the next heading.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Its place in the text, in bytes.
    pub(super) bytes: Range<usize>,
    /// How many characters stand before it.
    pub(super) first_char: usize,
    /// Its heading and those above it, outermost first.
    pub(super) heading_path: Vec<String>,
}

/// The most letters of a remark between a heading and the first one below it that is no section of
/// its own: a line or two that say what is to come.
const REMARK: usize = 150;

/// Divides the text at its headings. A heading with nothing of its own below it opens the section
/// of the next one, since a title alone answers no question; so does one with a remark, if the
/// next is deeper. Headings out of order are passed over.
pub(super) fn sections(extracted: &Extracted) -> Vec<Section> {
    let text = &extracted.text;
    let mut sections = Vec::new();
    let mut above: Vec<&Heading> = Vec::new();
    let mut open = Section::default();
    let mut here = Position::default();
    for heading in &extracted.headings {
        let before = here.byte;
        if !here.advance(text, heading.at) {
            continue;
        }
        if stands_alone(&text[before..here.byte], above.last(), heading) {
            open.bytes.end = here.byte;
            sections.push(std::mem::replace(&mut open, here.begin()));
        }
        above.retain(|outer| outer.level < heading.level);
        above.push(heading);
        open.heading_path = above.iter().map(|heading| heading.title.clone()).collect();
    }
    open.bytes.end = text.len();
    sections.push(open);
    sections
}

/// Whether the text from a heading to the next has enough letters beyond the heading's own.
fn stands_alone(stretch: &str, heading: Option<&&Heading>, next: &Heading) -> bool {
    let letters = |text: &str| text.chars().filter(|char| char.is_alphanumeric()).count();
    let own = heading.map_or(0, |heading| letters(&heading.title));
    let remark = heading.is_some_and(|heading| next.level > heading.level);
    letters(stretch) > own + if remark { REMARK } else { 0 }
}

/// A place in the text, in bytes and in characters.
#[derive(Default)]
struct Position {
    byte: usize,
    char: usize,
}

impl Position {
    /// Moves forward to a character; says whether the text has that place.
    fn advance(&mut self, text: &str, char_at: usize) -> bool {
        let Some(distance) = char_at.checked_sub(self.char) else {
            return false;
        };
        let rest = &text[self.byte..];
        let mut places = rest
            .char_indices()
            .map(|(byte, _)| byte)
            .chain([rest.len()]);
        let Some(bytes) = places.nth(distance) else {
            return false;
        };
        self.byte += bytes;
        self.char = char_at;
        true
    }

    /// The section that begins here.
    fn begin(&self) -> Section {
        Section {
            bytes: self.byte..self.byte,
            first_char: self.char,
            heading_path: Vec::new(),
        }
    }
}
