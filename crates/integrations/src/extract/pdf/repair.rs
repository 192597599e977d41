//! Lines as a printer set them, made into text: words divided at line ends are joined, ligatures
//! taken apart, and blanks at line ends removed.

/// Repairs the lines of a page.
pub fn lines(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut blank = 0;
    for line in page.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            blank += 1;
            continue;
        }
        match std::mem::take(&mut blank) {
            _ if text.is_empty() => {}
            0 if is_divided(&text, line) => {
                text.pop();
            }
            0 => text.push('\n'),
            _ => text.push_str("\n\n"),
        }
        push_apart(&mut text, line);
    }
    text
}

/// Whether a word goes on from one line to the next: letter and hyphen before, small letter after.
fn is_divided(text: &str, next: &str) -> bool {
    let Some(before) = text.strip_suffix(['-', '\u{2010}', '\u{AD}']) else {
        return false;
    };
    before.ends_with(char::is_alphabetic) && next.starts_with(char::is_lowercase)
}

/// Appends a line with its ligatures as the letters they are made of.
fn push_apart(text: &mut String, line: &str) {
    for char in line.chars() {
        match char {
            '\u{FB00}' => text.push_str("ff"),
            '\u{FB01}' => text.push_str("fi"),
            '\u{FB02}' => text.push_str("fl"),
            '\u{FB03}' => text.push_str("ffi"),
            '\u{FB04}' => text.push_str("ffl"),
            '\u{FB05}' | '\u{FB06}' => text.push_str("st"),
            '\u{A0}' => text.push(' '),
            '\u{AD}' => text.push('-'),
            char => text.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divided_words_are_joined_and_ligatures_taken_apart() {
        assert_eq!(
            lines("the con\u{FB01}gu-\nration of X-\nRays  \n\n\n  next"),
            "the configuration of X-\nRays\n\n  next"
        );
    }
}
