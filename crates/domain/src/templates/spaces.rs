//! White space around tags: `~` takes it away, and a tag of a block that stands alone in its line
//! leaves no line behind.

use super::tags::{Kind, Piece, Tag};

/// The text at this index without what the tags beside it take away.
pub(super) fn left<'a>(pieces: &[Piece<'a>], index: usize) -> &'a str {
    let Piece::Text(text) = pieces[index] else {
        return "";
    };
    let before = index.checked_sub(1).and_then(|before| tag(pieces, before));
    let after = tag(pieces, index + 1);
    let mut start = 0;
    if let Some(before) = before {
        start = if before.trims_after {
            text.len() - text.trim_start().len()
        } else if stands_alone(pieces, index - 1) {
            text.find('\n').map_or(text.len(), |end| end + 1)
        } else {
            0
        };
    }
    let mut end = text.len();
    if let Some(after) = after {
        end = if after.trims_before {
            text.trim_end().len()
        } else if stands_alone(pieces, index + 1) {
            text.rfind('\n').map_or(0, |start| start + 1)
        } else {
            end
        };
    }
    text.get(start..end).unwrap_or_default()
}

fn tag<'a, 'b>(pieces: &'b [Piece<'a>], index: usize) -> Option<&'b Tag<'a>> {
    match pieces.get(index) {
        Some(Piece::Tag(tag)) => Some(tag),
        _ => None,
    }
}

/// Whether nothing else stands in the line of a tag that shows nothing itself.
fn stands_alone(pieces: &[Piece<'_>], index: usize) -> bool {
    let shows = |tag: &Tag<'_>| matches!(tag.kind, Kind::Put | Kind::Refused(_));
    if tag(pieces, index).is_none_or(shows) {
        return false;
    }
    let blank = |text: &str| text.chars().all(|c| matches!(c, ' ' | '\t' | '\r'));
    let before = match index.checked_sub(1).map(|before| &pieces[before]) {
        None => true,
        Some(Piece::Text(text)) => match text.rsplit_once('\n') {
            Some((_, line)) => blank(line),
            None => index == 1 && blank(text),
        },
        Some(Piece::Tag(_)) => false,
    };
    let after = match pieces.get(index + 1) {
        None => true,
        Some(Piece::Text(text)) => match text.split_once('\n') {
            Some((line, _)) => blank(line),
            None => index + 2 == pieces.len() && blank(text),
        },
        Some(Piece::Tag(_)) => false,
    };
    before && after
}
