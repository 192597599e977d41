//! The outline of a PDF as headings: each entry is looked for on the page it points to, and stands
//! at the top of that page when its words are not found there.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::documents::Heading;
use pdf_extract::{Dictionary, Document, Object, ObjectId, decode_text_string};

use crate::extract::draft::title;

/// The most entries that are read.
const MAX_ENTRIES: usize = 5000;

/// How many references may lead from one to the next.
const MAX_STEPS: usize = 8;

/// An entry of the outline.
struct Entry {
    level: u8,
    title: String,
    /// Counted from 0.
    page: usize,
}

/// The headings the outline names, in the order of the text.
pub fn headings(
    document: &Document,
    pages: &BTreeMap<u32, ObjectId>,
    texts: &[Option<String>],
    starts: &[usize],
) -> Vec<Heading> {
    let mut letters: HashMap<usize, Letters> = HashMap::new();
    let mut headings: Vec<Heading> = entries(document, pages)
        .into_iter()
        .filter_map(|entry| {
            let text = texts.get(entry.page)?.as_deref().unwrap_or_default();
            let letters = letters
                .entry(entry.page)
                .or_insert_with(|| Letters::of(text));
            let at = starts.get(entry.page)? + letters.find(&entry.title);
            Some(Heading {
                at,
                level: entry.level,
                title: entry.title,
            })
        })
        .collect();
    headings.sort_by_key(|heading| heading.at);
    headings
}

/// The letters and digits of a page and where each stands: what a title and its place on the page
/// have in common, however it was set.
struct Letters {
    letters: Vec<(char, usize)>,
    /// Titles are looked for behind the last one found.
    from: usize,
}

impl Letters {
    fn of(text: &str) -> Self {
        let letters = text
            .chars()
            .enumerate()
            .filter(|(_, char)| char.is_alphanumeric());
        Self {
            letters: letters.map(|(at, char)| (char, at)).collect(),
            from: 0,
        }
    }

    /// Where a title stands on the page, in characters; 0 if it does not.
    fn find(&mut self, title: &str) -> usize {
        let wanted: Vec<char> = title
            .chars()
            .filter(|char| char.is_alphanumeric())
            .collect();
        if wanted.is_empty() {
            return 0;
        }
        let rest = &self.letters[self.from..];
        let found = rest.windows(wanted.len()).position(|window| {
            window
                .iter()
                .zip(&wanted)
                .all(|((a, _), b)| a == b || a.to_lowercase().eq(b.to_lowercase()))
        });
        let Some(found) = found else { return 0 };
        let at = rest[found].1;
        self.from += found + 1;
        at
    }
}

/// Walks the outline: an entry, what stands below it, then what follows it. Circles end.
fn entries(document: &Document, pages: &BTreeMap<u32, ObjectId>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let Some(outlines) = catalog_entry(document, b"Outlines") else {
        return entries;
    };
    let numbers: HashMap<ObjectId, usize> = pages.values().copied().zip(0..).collect();
    let names = names(document);
    let mut seen = HashSet::new();
    let mut open = vec![(reference(outlines, b"First"), 1_u8)];
    while let Some((id, level)) = open.pop() {
        let Some(id) = id.filter(|id| seen.len() < MAX_ENTRIES && seen.insert(*id)) else {
            continue;
        };
        let Ok(item) = document.get_dictionary(id) else {
            continue;
        };
        let page =
            destination(document, item).and_then(|to| page_of(document, to, &numbers, &names));
        let words = item
            .get_deref(b"Title", document)
            .ok()
            .and_then(|title| decode_text_string(title).ok());
        if let (Some(page), Some(words)) = (page, words) {
            let title = title(&words);
            entries.extend((!title.is_empty()).then_some(Entry { level, title, page }));
        }
        open.push((reference(item, b"Next"), level));
        open.push((reference(item, b"First"), level.saturating_add(1)));
    }
    entries
}

/// A dictionary the document's catalogue names.
fn catalog_entry<'a>(document: &'a Document, key: &[u8]) -> Option<&'a Dictionary> {
    document
        .catalog()
        .ok()?
        .get_deref(key, document)
        .ok()?
        .as_dict()
        .ok()
}

/// The object a dictionary refers to.
fn reference(dictionary: &Dictionary, key: &[u8]) -> Option<ObjectId> {
    dictionary.get(key).ok()?.as_reference().ok()
}

/// Where an entry leads: its destination, or that of its action.
fn destination<'a>(document: &'a Document, item: &'a Dictionary) -> Option<&'a Object> {
    item.get(b"Dest").ok().or_else(|| {
        let action = item.get_deref(b"A", document).ok()?.as_dict().ok()?;
        action.get(b"D").ok()
    })
}

/// The page a destination is on, through names and references.
fn page_of<'a>(
    document: &'a Document,
    mut to: &'a Object,
    numbers: &HashMap<ObjectId, usize>,
    names: &HashMap<&[u8], &'a Object>,
) -> Option<usize> {
    for _ in 0..MAX_STEPS {
        to = match to {
            Object::Reference(id) if numbers.contains_key(id) => return numbers.get(id).copied(),
            Object::Reference(id) => document.get_object(*id).ok()?,
            Object::Array(target) => target.first()?,
            Object::Dictionary(target) => target.get(b"D").ok()?,
            Object::String(name, _) | Object::Name(name) => names.get(name.as_slice())?,
            Object::Integer(number) => return usize::try_from(*number).ok(),
            _ => return None,
        };
    }
    None
}

/// The destinations that have names, from both places a document may keep them in.
fn names(document: &Document) -> HashMap<&[u8], &Object> {
    let mut names = HashMap::new();
    if let Some(destinations) = catalog_entry(document, b"Dests") {
        names.extend(destinations.iter().map(|(name, to)| (name.as_slice(), to)));
    }
    let tree = catalog_entry(document, b"Names")
        .and_then(|names| names.get_deref(b"Dests", document).ok());
    let mut open: Vec<&Object> = tree.into_iter().collect();
    let mut steps = 0;
    while let Some(node) = open.pop().filter(|_| steps < MAX_ENTRIES) {
        steps += 1;
        let Ok(node) = document
            .dereference(node)
            .and_then(|(_, node)| node.as_dict())
        else {
            continue;
        };
        let list = |key: &[u8]| {
            node.get_deref(key, document)
                .and_then(Object::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        open.extend(list(b"Kids"));
        for pair in list(b"Names").chunks_exact(2) {
            if let Object::String(name, _) = &pair[0] {
                names.insert(name.as_slice(), &pair[1]);
            }
        }
    }
    names
}
