//! What a prompt is about, as far as its words tell: the material of every answer of the mock.

use crate::{documents::terms::query_terms, providers::mock::embed::fnv};

/// The most words that a title is made of.
const TITLE_WORDS: usize = 8;

/// The most telling words that are kept.
const KEYWORDS: usize = 12;

/// The most characters of a prompt that are taken up into an answer.
const LONGEST: usize = 600;

/// The words of a prompt.
#[derive(Debug)]
pub(super) struct Subject {
    /// The text, in one line and not too long.
    pub(super) text: String,
    /// Its first words.
    pub(super) title: String,
    /// Its telling words, in their order.
    pub(super) keywords: Vec<String>,
    seed: u64,
}

impl Subject {
    /// The subject of this text: of what stands in its last `<goal>`, if it has one.
    pub(super) fn of(text: &str) -> Self {
        let goal = text.rsplit_once("<goal>").map_or(text, |(_, goal)| {
            goal.split("</goal>").next().unwrap_or(goal)
        });
        let words: Vec<&str> = goal.split_whitespace().collect();
        let line = words.join(" ");
        let mut keywords = query_terms(&line);
        keywords.truncate(KEYWORDS);
        Self {
            title: title(&words),
            text: shortened(&line),
            keywords,
            seed: fnv(0, text.as_bytes()),
        }
    }

    /// A number that depends on the prompt and on what it is for.
    pub(super) fn number(&self, purpose: &str) -> u64 {
        fnv(self.seed, purpose.as_bytes())
    }

    /// One of the telling words.
    pub(super) fn keyword(&self, purpose: &str) -> &str {
        let count = self.keywords.len() as u64;
        let place = self.number(purpose).checked_rem(count).unwrap_or(0);
        let place = usize::try_from(place).unwrap_or_default();
        self.keywords.get(place).map_or("anything", String::as_str)
    }
}

fn title(words: &[&str]) -> String {
    let ends = |word: &str| word.ends_with(['.', '!', '?', ':', ';']);
    let end = words
        .iter()
        .position(|word| ends(word))
        .map_or(words.len(), |end| end + 1);
    let title = words[..end.min(TITLE_WORDS)].join(" ");
    let title: String = title
        .trim_end_matches(|char: char| !char.is_alphanumeric())
        .chars()
        .take(100)
        .collect();
    let mut chars = title.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => "Untitled".to_owned(),
    }
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    let beginning: String = line.chars().take(LONGEST).collect();
    let end = beginning.rfind(' ').unwrap_or(beginning.len());
    format!("{} …", &beginning[..end])
}
