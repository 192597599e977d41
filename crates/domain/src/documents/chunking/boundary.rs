//! Where a window of text is best cut, and where the next one begins. All offsets are bytes.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::{CHUNK_TOKENS, MAX_CHUNK_BYTES, OVERLAP_TOKENS, TOKEN_WEIGHT, WHOLE_TOKENS, weight};
use crate::documents::terms::floor_boundary;

/// What ends a sentence.
const FULL_STOPS: [char; 11] = ['.', '!', '?', '…', '。', '！', '？', '．', '؟', '।', '։'];

/// The most bytes of overlap, and of a gap that is bridged by one: together less than half of the
/// smallest window, so that every chunk ends beyond the one before it.
const OVERLAP_BYTES: usize = 320;

/// The furthest place a chunk that begins at `start` may reach: the end of the text if that is
/// near enough, else [`CHUNK_TOKENS`] further.
pub(super) fn window_end(text: &str, start: usize) -> usize {
    let mut weights = 0;
    let mut target = None;
    for (at, char) in text[start..].char_indices() {
        weights += weight(char);
        let too_long = at + char.len_utf8() > MAX_CHUNK_BYTES;
        if target.is_none() && (too_long || weights > CHUNK_TOKENS * TOKEN_WEIGHT) {
            target = Some(start + at);
        }
        if let Some(target) = target
            && (too_long || weights > WHOLE_TOKENS * TOKEN_WEIGHT)
        {
            return target;
        }
    }
    text.len()
}

/// The best cut in the second half of a window: the last end of a paragraph, else of a sentence,
/// else of a line, else of a word, else the end of the window.
pub(super) fn cut(text: &str, start: usize, end: usize) -> usize {
    if end == text.len() {
        return end;
    }
    let half = floor_boundary(text, start + (end - start) / 2);
    let window = &text[half..end];
    paragraph_end(window)
        .or_else(|| sentence_end(window))
        .or_else(|| window.rfind('\n'))
        .or_else(|| window.rfind(char::is_whitespace))
        .filter(|at| *at > 0)
        .map_or_else(|| whole_character(text, half, end), |at| half + at)
}

/// The last blank line.
fn paragraph_end(window: &str) -> Option<usize> {
    window.rmatch_indices('\n').map(|(at, _)| at).find(|at| {
        let line = window[at + 1..].split_inclusive('\n').next();
        line.is_some_and(|line| line.ends_with('\n') && line.trim().is_empty())
    })
}

/// The last place where a sentence is over: a boundary of UAX #29 behind a full stop of any
/// script. Line ends alone, which are boundaries too, do not count: wrapped prose has them anywhere.
fn sentence_end(window: &str) -> Option<usize> {
    let bounds = window.split_sentence_bound_indices().map(|(at, _)| at);
    bounds.filter(|at| ends_sentence(&window[..*at])).last()
}

/// Whether a text stops at the end of a sentence.
fn ends_sentence(text: &str) -> bool {
    let closing = |char: char| char.is_whitespace() || "\"'”’»)]」』）".contains(char);
    text.trim_end_matches(closing).ends_with(FULL_STOPS)
}

/// The end of the window, moved back so that no letter loses its accents.
fn whole_character(text: &str, half: usize, end: usize) -> usize {
    let mut cursor = GraphemeCursor::new(end, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(false) => {}
        _ => return end,
    }
    let before = cursor.prev_boundary(text, 0).ok().flatten();
    before.filter(|at| *at > half).unwrap_or(end)
}

/// Where the chunk after one that reaches from `start` to `end` begins: at the first sentence of its
/// last [`OVERLAP_TOKENS`], else at the first word of them, else that many before its end. Where
/// nothing follows, or only after a long gap, nothing is repeated.
pub(super) fn next_start(text: &str, start: usize, end: usize) -> usize {
    let rest = super::skip_blank(text, end);
    if rest == text.len() || rest - end > OVERLAP_BYTES {
        return rest;
    }
    let earliest = overlap_start(text, start, end);
    let tail = &text[earliest..end];
    let sentence = tail
        .split_sentence_bound_indices()
        .map(|(at, _)| at)
        .find(|at| ends_sentence(&tail[..*at]));
    let at = sentence
        .or_else(|| tail.find(char::is_whitespace))
        .unwrap_or(0);
    super::skip_blank(text, earliest + at)
}

/// The place [`OVERLAP_TOKENS`] before the cut.
fn overlap_start(text: &str, start: usize, end: usize) -> usize {
    let mut weights = 0;
    let near = |(at, char): &(usize, char)| {
        weights += weight(*char);
        weights <= OVERLAP_TOKENS * TOKEN_WEIGHT && end - (start + at) <= OVERLAP_BYTES
    };
    let repeated = text[start..end]
        .char_indices()
        .rev()
        .take_while(near)
        .last();
    repeated.map_or(end, |(at, _)| start + at)
}
