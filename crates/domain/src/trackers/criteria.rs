//! Acceptance criteria: from a field of their own, or from under their heading in the description.

/// Names of the heading and of the field.
const NAMES: [&str; 4] = [
    "acceptance criteria",
    "acceptance criterion",
    "acceptance tests",
    "akzeptanzkriterien",
];

/// Whether a field goes by this name.
pub fn names_them(name: &str) -> bool {
    NAMES.contains(&heading_words(name).to_lowercase().as_str())
}

/// What stands under the heading in a description, as it is, up to the next heading that is as high;
/// under a line in bold or with a colon, up to the next heading or line of that kind.
pub fn within(markdown: &str) -> Option<String> {
    let mut found: Option<(u8, Vec<&str>)> = None;
    let mut fence = None;
    for line in markdown.lines() {
        let heading = if fence.is_none() { heading(line) } else { None };
        fence = after(fence, line);
        match (&mut found, heading) {
            (None, Some((level, words))) if names_them(words) => {
                found = Some((level, Vec::new()));
            }
            (Some((level, _)), Some((other, _))) if other <= *level => break,
            (Some((_, lines)), _) => lines.push(line),
            (None, _) => {
                if let Some(rest) = same_line(line).filter(|_| fence.is_none()) {
                    found = Some((BOLD, vec![rest]));
                }
            }
        }
    }
    let (_, lines) = found?;
    let text = lines.join("\n");
    let text = text.trim_matches('\n').trim_end();
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// Below all six levels of headings.
const BOLD: u8 = 7;

/// The level and the words of a heading, or of a line that stands for one.
fn heading(line: &str) -> Option<(u8, &str)> {
    let line = line.trim_end();
    let marks = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&marks) && line[marks..].starts_with(' ') {
        return Some((u8::try_from(marks).unwrap_or(BOLD), line[marks..].trim()));
    }
    let is_bold = ["**", "__"].into_iter().any(|mark| {
        let inner = line.trim_end_matches(':').strip_prefix(mark);
        let inner = inner.and_then(|rest| rest.strip_suffix(mark));
        inner.is_some_and(|words| !words.is_empty() && !words.contains(mark))
    });
    if is_bold || (line.ends_with(':') && names_them(line)) || names_them(line) {
        return Some((BOLD, line));
    }
    None
}

/// What follows the name and a colon in the same line.
fn same_line(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(':')?;
    let rest = rest.trim_start_matches(['*', '_']).trim();
    (names_them(name) && !rest.is_empty()).then_some(rest)
}

/// The words of a heading without marks of emphasis and colons.
fn heading_words(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || "*_:#".contains(char))
}

/// The fence that is open after this line.
fn after<'a>(open: Option<&'a str>, line: &'a str) -> Option<&'a str> {
    let line = line.trim_start();
    let length = line
        .bytes()
        .take_while(|byte| Some(byte) == line.as_bytes().first())
        .count();
    let fence = (length >= 3 && line.starts_with(['`', '~'])).then(|| &line[..length]);
    match (open, fence) {
        (Some(open), Some(fence))
            if fence.starts_with(open) && line[length..].trim().is_empty() =>
        {
            None
        }
        (Some(open), _) => Some(open),
        (None, fence) => fence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_reach_to_the_next_heading_that_is_as_high() {
        let text =
            "Intro\n\n## Acceptance Criteria\n\n- one\n\n### Details\n\n- two\n\n## Notes\n\nmore";
        assert_eq!(
            within(text).as_deref(),
            Some("- one\n\n### Details\n\n- two")
        );
    }

    #[test]
    fn a_line_in_bold_or_with_a_colon_is_a_heading_too() {
        for name in [
            "**Acceptance criteria**",
            "**Acceptance Criteria:**",
            "Acceptance criteria:",
            "**Acceptance criteria**:",
            "ACCEPTANCE CRITERIA",
            "__Acceptance criteria__",
        ] {
            let text = format!("Intro\n\n{name}\n\n1. one\n2. two\n\n**Notes**\n\nmore");
            assert_eq!(within(&text).as_deref(), Some("1. one\n2. two"), "{name}");
        }
        let text = "Acceptance criteria: it works\nand well\n\n# Notes";
        assert_eq!(within(text).as_deref(), Some("it works\nand well"));
    }

    #[test]
    fn what_is_code_is_no_heading() {
        let text = "```\n# Acceptance criteria\nno\n```\n# Acceptance criteria\n```sh\n# a comment\n```\ndone";
        assert_eq!(
            within(text).as_deref(),
            Some("```sh\n# a comment\n```\ndone")
        );
    }

    #[test]
    fn without_any_there_are_none() {
        for text in [
            "",
            "Nothing of that kind",
            "# Acceptance criteria",
            "# Acceptance criteria\n\n# Next\nx",
            "We wrote acceptance criteria: none",
        ] {
            assert_eq!(within(text), None, "{text}");
        }
    }
}
