//! The text of a Word document, event by event.

use std::collections::HashMap;

use domain::documents::ExtractFault;
use quick_xml::events::{BytesStart, Event};

use super::{
    package::{Package, attribute},
    styles::{Styles, outline_level},
};
use crate::extract::draft::Draft;

/// How deep tables may stand within tables.
const MAX_TABLES: usize = 50;

/// What is passed over with all it holds: deleted and moved text, former properties, field codes,
/// readings above characters, and the copy of a text box for old versions.
const SKIPPED: [&str; 8] = [
    "del",
    "moveFrom",
    "pPrChange",
    "rPrChange",
    "instrText",
    "rt",
    "Fallback",
    "delText",
];

/// Reads footnotes and endnotes: their texts by kind and id, as they are referred to.
pub fn notes(package: &mut Package<'_>) -> Result<HashMap<String, String>, ExtractFault> {
    let mut notes = HashMap::new();
    for (part, note) in [
        ("word/footnotes.xml", "footnote"),
        ("word/endnotes.xml", "endnote"),
    ] {
        let (mut open, mut in_text) = (String::new(), false);
        package.each_event(part, |event| {
            match &event {
                Event::Start(element) if element.local_name().as_ref() == note => {
                    open = key(note, element);
                }
                Event::Start(element) => in_text = element.local_name().as_ref() == "t",
                Event::End(_) => in_text = false,
                _ if in_text => {
                    let words = notes.entry(open.clone()).or_insert_with(String::new);
                    words.push_str(&words_of(&event));
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(notes)
}

/// How a note is referred to.
fn key(note: &str, element: &BytesStart<'_>) -> String {
    format!("{note} {}", attribute(element, "id").unwrap_or_default())
}

/// The characters of an event, entities resolved.
fn words_of(event: &Event<'_>) -> String {
    match event {
        Event::Text(text) => text.xml10_content().into_owned(),
        Event::CData(text) => text.xml10_content().into_owned(),
        Event::GeneralRef(name) => {
            let entity = format!("&{};", &**name);
            quick_xml::escape::unescape(&entity)
                .map(std::borrow::Cow::into_owned)
                .unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// A paragraph that has begun.
#[derive(Default)]
struct Paragraph {
    text: String,
    style: Option<String>,
    outline: Option<u8>,
    in_list: Option<bool>,
}

/// What stood before, which decides the gap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Words,
    Item,
    Row,
}

/// A document's body on its way to text.
pub struct Body<'a> {
    styles: &'a Styles,
    notes: &'a HashMap<String, String>,
    draft: &'a mut Draft,
    /// Paragraphs that are open: text boxes have some within others.
    paragraphs: Vec<Paragraph>,
    /// Rows that are open, as their cells: tables stand within tables.
    rows: Vec<Vec<String>>,
    /// Elements open within something that is passed over.
    skipped: usize,
    in_run: bool,
    in_text: bool,
    before: Before,
}

impl<'a> Body<'a> {
    /// A body of which nothing has been read.
    pub fn new(
        styles: &'a Styles,
        notes: &'a HashMap<String, String>,
        draft: &'a mut Draft,
    ) -> Self {
        Self {
            styles,
            notes,
            draft,
            paragraphs: Vec::new(),
            rows: Vec::new(),
            skipped: 0,
            in_run: false,
            in_text: false,
            before: Before::Words,
        }
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event<'_>) -> Result<(), ExtractFault> {
        match event {
            Event::Start(_) if self.skipped > 0 => self.skipped += 1,
            Event::End(_) if self.skipped > 0 => self.skipped -= 1,
            _ if self.skipped > 0 => {}
            Event::Start(element) if SKIPPED.contains(&element.local_name().as_ref()) => {
                self.skipped = 1;
            }
            Event::Start(element) => return self.start(element),
            Event::Empty(element) if element.local_name().as_ref() != "p" => self.mark(element),
            Event::End(element) => return self.end(element.local_name().as_ref()),
            words if self.in_text => self.write(&words_of(words)),
            _ => {}
        }
        Ok(())
    }

    /// An element begins.
    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), ExtractFault> {
        match element.local_name().as_ref() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "r" => self.in_run = true,
            "t" => self.in_text = true,
            "tr" if self.rows.len() >= MAX_TABLES => {
                return Err(ExtractFault::TooLarge(format!(
                    "its tables are nested more than {MAX_TABLES} deep"
                )));
            }
            "tr" => self.rows.push(Vec::new()),
            "tc" => self
                .rows
                .last_mut()
                .into_iter()
                .for_each(|row| row.push(String::new())),
            _ => self.mark(element),
        }
        Ok(())
    }

    /// An element says something by being there.
    fn mark(&mut self, element: &BytesStart<'_>) {
        let name = element.local_name();
        match name.as_ref() {
            "tab" | "ptab" if self.in_run => self.write("\t"),
            "br" | "cr" if self.in_run => self.write("\n"),
            "noBreakHyphen" => self.write("-"),
            "footnoteReference" => self.refer("footnote", element),
            "endnoteReference" => self.refer("endnote", element),
            _ => self.describe(element),
        }
    }

    /// Notes a property of the paragraph that is open.
    fn describe(&mut self, element: &BytesStart<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        let value = || attribute(element, "val");
        match element.local_name().as_ref() {
            "pStyle" => paragraph.style = value(),
            "outlineLvl" => paragraph.outline = value().and_then(|level| level.parse().ok()),
            "numId" => paragraph.in_list = Some(value().is_some_and(|list| list != "0")),
            _ => {}
        }
    }

    /// Puts a note where it is referred to.
    fn refer(&mut self, note: &str, element: &BytesStart<'_>) {
        if let Some(words) = self.notes.get(&key(note, element)) {
            self.write(&format!(" ({})", words.trim()));
        }
    }

    /// Writes into the paragraph that is open.
    fn write(&mut self, words: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(words);
        }
    }

    /// An element ends.
    fn end(&mut self, name: &str) -> Result<(), ExtractFault> {
        match name {
            "r" => self.in_run = false,
            "t" => self.in_text = false,
            "p" => {
                return self
                    .paragraphs
                    .pop()
                    .map_or(Ok(()), |paragraph| self.end_paragraph(&paragraph));
            }
            "tr" => return self.rows.pop().map_or(Ok(()), |row| self.end_row(&row)),
            _ => {}
        }
        Ok(())
    }

    /// A paragraph goes into the cell that is open, or into the text.
    fn end_paragraph(&mut self, paragraph: &Paragraph) -> Result<(), ExtractFault> {
        let words = paragraph.text.trim();
        if words.is_empty() || self.put_into_cell(words) {
            return Ok(());
        }
        let level = self.heading_level(paragraph);
        let is_item = level.is_none() && self.is_item(paragraph);
        let now = if is_item { Before::Item } else { Before::Words };
        self.separate(now)?;
        if let Some(level) = level {
            self.draft.heading(level, words);
        }
        if is_item {
            self.draft.push("- ")?;
        }
        self.draft.push(words)
    }

    /// Cells are one line each.
    fn put_into_cell(&mut self, words: &str) -> bool {
        let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) else {
            return false;
        };
        for word in words.split_whitespace() {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(word);
        }
        true
    }

    /// A row is a line, or part of the cell its table stands in.
    fn end_row(&mut self, row: &[String]) -> Result<(), ExtractFault> {
        let line = row.join(" | ");
        if row.iter().all(String::is_empty) || self.put_into_cell(&line) {
            return Ok(());
        }
        self.separate(Before::Row)?;
        self.draft.push(&line)
    }

    /// Leaves a blank line, or none between items and rows of the same kind.
    fn separate(&mut self, now: Before) -> Result<(), ExtractFault> {
        let together = now != Before::Words && self.before == now;
        self.before = now;
        self.draft.gap(if together { "\n" } else { "\n\n" })
    }

    /// The depth of a heading: the paragraph's own outline level, else its style's.
    fn heading_level(&self, paragraph: &Paragraph) -> Option<u8> {
        match paragraph.outline {
            Some(level) => outline_level(level),
            None => self.styles.heading_level(paragraph.style.as_deref()?),
        }
    }

    /// Whether the paragraph is an item of a list, by itself or by its style.
    fn is_item(&self, paragraph: &Paragraph) -> bool {
        let by_style = || {
            paragraph
                .style
                .as_deref()
                .is_some_and(|style| self.styles.is_list(style))
        };
        paragraph.in_list.unwrap_or_else(by_style)
    }
}
