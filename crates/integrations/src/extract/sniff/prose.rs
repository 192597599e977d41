//! Which kind of text a text is.

use domain::documents::{DocumentType, FileName};
use serde::de::IgnoredAny;

use super::super::csv;

/// Names a kind of text by its content, helped by its file name. `whole` says whether the sample
/// is all of it.
pub fn kind(sample: &str, whole: bool, file_name: &FileName) -> Option<DocumentType> {
    let name = file_name.as_str().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let start = sample.trim_start();
    if root(start).is_some_and(|root| root == "svg") {
        return None;
    }
    Some(match extension {
        _ if is_page(start) => DocumentType::Html,
        "html" | "htm" | "xhtml" if has_tags(start) => DocumentType::Html,
        "json" | "jsonl" | "ndjson" | "geojson" if starts_like_json(start) => DocumentType::Json,
        "csv" | "tsv" | "tab" if csv::ragged_delimiter(sample).is_some() => DocumentType::Csv,
        "md" | "markdown" | "mdown" | "mkd" => DocumentType::Markdown,
        "txt" | "text" | "log" => DocumentType::Text,
        _ if is_json(start, whole) => DocumentType::Json,
        _ if is_table(sample) => DocumentType::Csv,
        _ => DocumentType::Text,
    })
}

/// Whether it is a page of HTML by its root.
fn is_page(start: &str) -> bool {
    root(start)
        .is_some_and(|root| matches!(root.as_str(), "!doctype html" | "html" | "head" | "body"))
}

/// The first tag that means something, in lower case: `html`, `svg`, `!doctype html`.
fn root(start: &str) -> Option<String> {
    let mut rest = start;
    loop {
        rest = rest.trim_start().strip_prefix('<')?;
        let end = if rest.starts_with("!--") { "-->" } else { ">" };
        if !rest.starts_with("!--") && !rest.starts_with('?') {
            let tag = rest
                .split_once('>')
                .map_or(rest, |(tag, _)| tag)
                .to_ascii_lowercase();
            let words = if tag.starts_with("!doctype") { 2 } else { 1 };
            return Some(
                tag.split_whitespace()
                    .take(words)
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
        rest = rest.split_once(end)?.1;
    }
}

/// Whether there is a tag near the beginning.
fn has_tags(start: &str) -> bool {
    let mut tags = start
        .match_indices('<')
        .take(50)
        .map(|(at, _)| &start[at + 1..]);
    tags.any(|tag| tag.starts_with(|char: char| char.is_ascii_alphabetic() || char == '!'))
}

/// Whether the first character can begin a JSON document worth reading.
fn starts_like_json(start: &str) -> bool {
    start.starts_with(['{', '[', '"'])
}

/// Whether the text is objects or arrays of JSON from beginning to end, as far as it is known.
fn is_json(start: &str, whole: bool) -> bool {
    if !start.starts_with(['{', '[']) {
        return false;
    }
    let mut values = serde_json::Deserializer::from_str(start).into_iter::<IgnoredAny>();
    values.all(|value| value.map_or_else(|error| error.is_eof() && !whole, |_| true))
}

/// Whether the text is a table beyond doubt: several columns, several rows.
fn is_table(sample: &str) -> bool {
    let columns = csv::delimiter(sample).map(|delimiter| {
        let first = sample.lines().next().unwrap_or_default();
        first.bytes().filter(|byte| *byte == delimiter).count() + 1
    });
    columns >= Some(3) && sample.lines().count() > 3
}
