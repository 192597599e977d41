//! Markdown: the text is kept as written, and its headings are found.

use domain::documents::{ExtractFault, Extracted, Heading};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{draft::title, text};

/// The text and its headings.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    Ok(with_headings(text::read(bytes, None)?))
}

/// Finds the headings of a Markdown text. A title loses its marks: `# The *new* way` is
/// `The new way`.
pub fn with_headings(text: String) -> Extracted {
    let mut headings: Vec<Heading> = Vec::new();
    let mut open: Option<(usize, HeadingLevel, String)> = None;
    for (event, place) in Parser::new_ext(&text, options()).into_offset_iter() {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { level, .. }), _) => {
                open = Some((place.start, level, String::new()));
            }
            (Event::End(TagEnd::Heading(_)), _) => headings.extend(open.take().and_then(heading)),
            (Event::Text(words) | Event::Code(words), Some((_, _, title))) => {
                title.push_str(&words);
            }
            (Event::SoftBreak | Event::HardBreak, Some((_, _, title))) => title.push(' '),
            _ => {}
        }
    }
    count_chars(&text, &mut headings);
    Extracted {
        text,
        headings,
        pages: Vec::new(),
    }
}

/// Front matter is no heading, and tables have cells.
fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_HEADING_ATTRIBUTES
}

/// A heading whose place is still in bytes.
fn heading((at, level, words): (usize, HeadingLevel, String)) -> Option<Heading> {
    let title = title(&words);
    (!title.is_empty()).then_some(Heading {
        at,
        level: level as u8,
        title,
    })
}

/// Turns places in bytes into places in characters, in one pass.
fn count_chars(text: &str, headings: &mut [Heading]) {
    let (mut byte, mut chars) = (0, 0);
    for heading in headings {
        chars += text[byte..heading.at].chars().count();
        byte = heading.at;
        heading.at = chars;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(text: &str) -> Vec<(usize, u8, String)> {
        let extracted = extract(text.as_bytes()).expect("there is text");
        extracted
            .headings
            .into_iter()
            .map(|heading| (heading.at, heading.level, heading.title))
            .collect()
    }

    #[test]
    fn headings_of_both_kinds_are_found_where_they_start() {
        let text =
            "Über allem\n==========\n\nWords.\n\n## The *new* `way` ##\n\n```\n# no heading\n```\n";
        assert_eq!(
            headings(text),
            [(0, 1, "Über allem".into()), (31, 2, "The new way".into())]
        );
    }

    #[test]
    fn front_matter_is_no_heading() {
        assert_eq!(
            headings("---\ntitle: x\n---\n\n# Real\n"),
            [(18, 1, "Real".into())]
        );
    }

    #[test]
    fn the_text_stays_as_written() {
        let text = "# A\n\n* one  \n* two\n\n| a | b |\n|---|---|\n";
        assert_eq!(
            extract(text.as_bytes()).map(|extracted| extracted.text),
            Ok(text.into())
        );
    }
}
