//! What the styles of a Word document say about a paragraph: whether it is a heading, and whether
//! it is an item of a list.

use std::collections::HashMap;

use domain::documents::ExtractFault;
use quick_xml::events::{BytesStart, Event};

use super::package::{Package, attribute};

/// How far a style may be based on another; more is a circle.
const MAX_BASES: usize = 20;

/// What Word calls its headings in a few languages, as it writes them into style ids: without
/// spaces, and often without the letters that ASCII lacks.
const HEADING_NAMES: [&str; 16] = [
    "heading",
    "berschrift",
    "überschrift",
    "titre",
    "titolo",
    "ttulo",
    "título",
    "kop",
    "rubrik",
    "overskrift",
    "otsikko",
    "nagłówek",
    "заголовок",
    "标题",
    "見出し",
    "제목",
];

/// The styles by their id.
#[derive(Default)]
pub struct Styles(HashMap<String, Style>);

/// One style.
#[derive(Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    is_list: bool,
}

impl Styles {
    /// Reads `word/styles.xml`; a document without it has none.
    pub fn read(package: &mut Package<'_>) -> Result<Self, ExtractFault> {
        let mut styles = Self::default();
        let mut open = String::new();
        package.each_event("word/styles.xml", |event| {
            if let Event::Start(element) | Event::Empty(element) = event {
                styles.take(&mut open, &element);
            }
            Ok(())
        })?;
        Ok(styles)
    }

    /// Notes what an element says about the style that is open.
    fn take(&mut self, open: &mut String, element: &BytesStart<'_>) {
        let value = || attribute(element, "val");
        if element.local_name().as_ref() == "style" {
            *open = attribute(element, "styleId").unwrap_or_default();
            self.0.insert(open.clone(), Style::default());
        }
        let Some(style) = self.0.get_mut(open) else {
            return;
        };
        match element.local_name().as_ref() {
            "name" => style.name = value().unwrap_or_default(),
            "basedOn" => style.based_on = value(),
            "outlineLvl" => style.outline = value().and_then(|level| level.parse().ok()),
            "numPr" => style.is_list = true,
            _ => {}
        }
    }

    /// The style and those it is based on, nearest first.
    fn bases<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Style> {
        let based_on = |style: &&'a Style| self.0.get(style.based_on.as_deref()?);
        std::iter::successors(self.0.get(id), based_on).take(MAX_BASES)
    }

    /// The depth of the heading a style makes, from 1.
    pub fn heading_level(&self, id: &str) -> Option<u8> {
        let by_style = self.bases(id).find_map(|style| {
            let outline = style.outline.map(outline_level);
            outline.unwrap_or_else(|| level_by_name(&style.name))
        });
        by_style.or_else(|| level_by_name(id))
    }

    /// Whether a style makes items of a list.
    pub fn is_list(&self, id: &str) -> bool {
        self.bases(id).any(|style| style.is_list)
    }
}

/// The depth an outline level stands for; 9 is body text.
pub fn outline_level(level: u8) -> Option<u8> {
    (level < 9).then_some(level + 1)
}

/// The depth a style's name speaks of: `heading 2`, `Überschrift 2`, `berschrift2`, `Title`.
fn level_by_name(name: &str) -> Option<u8> {
    let name: String = name.chars().filter(|char| !char.is_whitespace()).collect();
    let name = name.to_lowercase();
    if name == "title" {
        return Some(1);
    }
    let number = HEADING_NAMES
        .iter()
        .find_map(|heading| name.strip_prefix(heading))?;
    number.parse().ok().filter(|level| (1..=9).contains(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_headings_are_known_in_several_languages() {
        let known = [
            "heading 1",
            "Heading2",
            "Überschrift 3",
            "berschrift4",
            "标题 5",
            "Ttulo6",
            "Title",
        ];
        assert_eq!(known.map(level_by_name), [1, 2, 3, 4, 5, 6, 1].map(Some));
        let unknown = [
            "Normal",
            "heading",
            "heading 10",
            "Heading 1 Char",
            "Subtitle",
        ];
        assert_eq!(unknown.map(level_by_name), [None; 5]);
    }

    #[test]
    fn a_circle_of_styles_ends() {
        let style = |based_on: &str| Style {
            based_on: Some(based_on.into()),
            ..Style::default()
        };
        let styles = Styles(HashMap::from([
            ("a".into(), style("b")),
            ("b".into(), style("a")),
        ]));
        assert_eq!(styles.heading_level("a"), None);
    }
}
