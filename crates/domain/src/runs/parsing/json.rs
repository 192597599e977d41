//! JSON laid out anew, two spaces a level, and otherwise as it was written: members keep their
//! order and their doubles, numbers their digits (`0.10`, `1e400`), texts their escapes. That is why
//! it is not read into values and written again.

use serde::de::IgnoredAny;

use super::Malformed;

/// The most levels of arrays and objects that are read.
pub(super) const MOST_LEVELS: usize = 128;

/// What layout may add to a text, in bytes for each of its own and altogether. A text that it would
/// blow up further (thousands of numbers, a hundred levels deep) stays as it was written.
const MOST_GROWTH: (usize, usize) = (8, 65_536);

/// The only value of this text, laid out.
pub(super) fn laid_out(text: &str) -> Result<String, Malformed> {
    let json = unfenced(text.trim_start_matches('\u{feff}').trim());
    if json.is_empty() {
        return Err(Malformed::Nothing);
    }
    // Checks the grammar and nothing more: no number is read, so none is too large.
    serde_json::from_str::<IgnoredAny>(json)
        .map_err(|fault| Malformed::NotJson(fault.to_string()))?;
    if levels(json) > MOST_LEVELS {
        return Err(Malformed::TooDeep);
    }
    let most = json.len() * MOST_GROWTH.0 + MOST_GROWTH.1;
    Ok(Layout::of(json, most).unwrap_or_else(|| json.to_owned()))
}

/// What stands in the fence, if the whole text is one.
fn unfenced(text: &str) -> &str {
    let Some(inside) = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
    else {
        return text;
    };
    let word = inside.get(..4).unwrap_or_default();
    let inside = if word.eq_ignore_ascii_case("json") {
        &inside[4..]
    } else {
        inside
    };
    inside.trim()
}

/// How many levels of arrays and objects valid JSON has.
fn levels(json: &str) -> usize {
    let (mut level, mut most) = (0_usize, 0);
    for token in Tokens(json) {
        match token {
            "{" | "[" => level += 1,
            "}" | "]" => level -= 1,
            _ => {}
        }
        most = most.max(level);
    }
    most
}

/// The tokens of valid JSON: brackets, commas, colons, texts with their quotes, other words.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let length = match rest.as_bytes().first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => quoted(rest),
            _ => rest
                .find(|c: char| c.is_ascii_whitespace() || ",:]}".contains(c))
                .unwrap_or(rest.len()),
        };
        let (token, rest) = rest.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

/// The length of the quoted text that this begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// A text being laid out.
struct Layout {
    text: String,
    level: usize,
}

impl Layout {
    /// Valid JSON laid out, unless that takes more than so many bytes.
    fn of(json: &str, most: usize) -> Option<String> {
        let text = String::with_capacity(json.len() * 2);
        let mut layout = Self { text, level: 0 };
        let mut before = "";
        for token in Tokens(json) {
            layout.put(token, before);
            before = token;
            if layout.text.len() > most {
                return None;
            }
        }
        Some(layout.text)
    }

    fn put(&mut self, token: &str, before: &str) {
        let opened = matches!(before, "{" | "[");
        if matches!(token, "}" | "]") {
            self.level -= 1;
            if !opened {
                self.new_line();
            }
        } else if opened || before == "," {
            self.new_line();
        }
        self.text.push_str(token);
        match token {
            "{" | "[" => self.level += 1,
            ":" => self.text.push(' '),
            _ => {}
        }
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.level));
    }
}
