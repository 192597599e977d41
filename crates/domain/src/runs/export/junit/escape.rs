//! Texts as XML 1.0 holds them. Characters that it cannot hold, not even by their number, are left
//! out: most control characters and two that are none.

use std::fmt::{Display, Formatter, Result, Write as _};

/// A text between tags.
pub(super) struct Text<'a>(pub(super) &'a str);

/// A text in double quotes, whose lines would be joined by readers if they were not written as
/// numbers.
pub(super) struct Attribute<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        self.0.chars().try_for_each(|c| character(to, c))
    }
}

impl Display for Attribute<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        self.0.chars().try_for_each(|c| match c {
            '\t' => to.write_str("&#9;"),
            '\n' => to.write_str("&#10;"),
            c => character(to, c),
        })
    }
}

fn character(to: &mut Formatter<'_>, c: char) -> Result {
    match c {
        '<' => to.write_str("&lt;"),
        '>' => to.write_str("&gt;"),
        '&' => to.write_str("&amp;"),
        '"' => to.write_str("&quot;"),
        // Readers would make a line feed of it.
        '\r' => to.write_str("&#13;"),
        '\t' | '\n' => to.write_char(c),
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => Ok(()),
        c => to.write_char(c),
    }
}
