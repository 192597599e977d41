//! Cuts an extracted text into passages: at headings, then at paragraphs, then at sentences, then
//! wherever it must. Decides only where to cut; what is embedded and how it is stored is not known
//! here.
//!
//! One pass, linear in the length of the text: a cut looks at one window of at most
//! [`MAX_CHUNK_BYTES`], and characters are counted only between one cut and the next.

mod boundary;
mod sections;

use super::Extracted;
use boundary::{cut, next_start, window_end};
use sections::{Section, sections};

/// Changes whenever the same text would be cut differently.
pub const CHUNKER_VERSION: i32 = 1;

/// The size a chunk is cut to, in estimated tokens.
pub const CHUNK_TOKENS: usize = 400;

/// The size up to which the end of a section stays whole, so that no crumb is left over.
const WHOLE_TOKENS: usize = 480;

/// How much of a chunk the next one repeats, in estimated tokens: 15 %.
const OVERLAP_TOKENS: usize = 60;

/// The most bytes of UTF-8 in a chunk. No tokeniser makes more than one token of a byte, so an
/// embedding model that takes 2048 tokens takes every chunk, whatever its language.
pub const MAX_CHUNK_BYTES: usize = 2000;

/// A passage of a document. Offsets count characters of the extracted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its words: the text between its offsets, which begins and ends with no white space.
    pub text: String,
    /// The headings above it, outermost first, its own among them.
    pub heading_path: Vec<String>,
    /// The page it starts on, from 1, where the format has pages.
    pub page: Option<u32>,
    /// Where it starts.
    pub char_start: usize,
    /// Where it ends, exclusive.
    pub char_end: usize,
}

/// Estimates how many tokens a model makes of a text: four characters each, one and a half in
/// Chinese, Japanese and Korean. An estimate for budgets and sizes, never a count to bill by.
pub fn estimate_tokens(text: &str) -> usize {
    text.chars()
        .map(weight)
        .sum::<usize>()
        .div_ceil(TOKEN_WEIGHT)
}

/// What a token weighs, in the unit of [`weight`].
const TOKEN_WEIGHT: usize = 12;

/// What a character adds to the estimate, in twelfths of a token.
fn weight(char: char) -> usize {
    if super::terms::is_cjk(char) { 8 } else { 3 }
}

/// Cuts the text into chunks of about [`CHUNK_TOKENS`], each overlapping the one before it by
/// about 15 % unless a heading stands between them. Every character that is not white space is in
/// some chunk; a text without any gives none.
pub fn chunk(extracted: &Extracted) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for section in sections(extracted) {
        cut_section(extracted, &section, &mut chunks);
    }
    chunks
}

/// Cuts one section. Places are bytes, except those of `counted`: a byte and the characters
/// before it, which only move forward.
fn cut_section(extracted: &Extracted, section: &Section, chunks: &mut Vec<Chunk>) {
    let text = &extracted.text[..section.bytes.end];
    let mut counted = (section.bytes.start, section.first_char);
    let mut start = skip_blank(text, section.bytes.start);
    while start < text.len() {
        let passage = text[start..cut(text, start, window_end(text, start))].trim_end();
        counted = (start, counted.1 + text[counted.0..start].chars().count());
        chunks.push(Chunk {
            index: chunks.len(),
            text: passage.to_owned(),
            heading_path: section.heading_path.clone(),
            page: page_of(&extracted.pages, counted.1),
            char_start: counted.1,
            char_end: counted.1 + passage.chars().count(),
        });
        start = next_start(text, start, start + passage.len());
    }
}

/// The first place from `start` on that is not white space, or the end.
fn skip_blank(text: &str, start: usize) -> usize {
    text.len() - text[start..].trim_start().len()
}

/// The number of the page on which a character stands.
fn page_of(pages: &[usize], char_at: usize) -> Option<u32> {
    let number = pages.partition_point(|first| *first <= char_at).max(1);
    (!pages.is_empty()).then(|| u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
