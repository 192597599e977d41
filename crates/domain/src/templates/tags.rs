//! Cuts a body into texts and tags, in one pass.

use super::tree::Place;

/// The kind of a tag, by what it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{x}}`, `{{{x}}}` or `{{&x}}`: all the same, since nothing is escaped.
    Put,
    /// `{{#x}}`.
    Open,
    /// `{{else}}`, `{{else x}}` or `{{^}}`.
    Else,
    /// `{{/x}}`.
    Close,
    /// `{{! … }}`.
    Comment,
    /// Something that templates do not have: why.
    Refused(&'static str),
}

/// A tag with what it says, apart from its marks.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    pub(super) kind: Kind,
    pub(super) inside: &'a str,
    pub(super) at: Place,
    /// Takes the white space before it away.
    pub(super) trims_before: bool,
    /// Takes the white space after it away.
    pub(super) trims_after: bool,
}

#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Tag(Tag<'a>),
}

/// The pieces of a body, and the place of a tag that has no end, if there is one.
pub(super) fn cut(body: &str) -> (Vec<Piece<'_>>, Option<Place>) {
    let (mut pieces, mut from, mut place) = (Vec::new(), 0, Walk::new(body));
    while let Some(found) = body[from..].find("{{") {
        let start = from + found;
        let text = &body[from..start];
        let backslashes = trailing(text);
        pieces.push(Piece::Text(&text[..text.len() - backslashes.min(1)]));
        if backslashes == 1 {
            from = unescaped(body, start);
            pieces.push(Piece::Text(&body[start..from]));
            continue;
        }
        let at = place.at(start);
        let Some((tag, end)) = tag(&body[start..], at) else {
            return (pieces, Some(at));
        };
        pieces.push(Piece::Tag(tag));
        from = start + end;
    }
    pieces.push(Piece::Text(&body[from..]));
    (pieces, None)
}

/// The backslashes before a tag that count: one makes it text, two are one before a tag.
fn trailing(text: &str) -> usize {
    let backslashes = text.bytes().rev().take(2);
    backslashes.take_while(|byte| *byte == b'\\').count()
}

/// Where the text ends that an escaped tag begins: before the next tag and its backslashes.
fn unescaped(body: &str, start: usize) -> usize {
    let inner = start + 2;
    let Some(next) = body[inner..].find("{{") else {
        return body.len();
    };
    inner + next - trailing(&body[inner..inner + next])
}

/// The tag that a text begins with, and where it ends.
fn tag(text: &str, at: Place) -> Option<(Tag<'_>, usize)> {
    let trims_before = text[2..].starts_with('~');
    let start = 2 + usize::from(trims_before);
    let (kind, skip, end) = kind(&text[start..]);
    let from = start + skip;
    let (length, mark) = length(&text[from..], end)?;
    let inside = &text[from..from + length];
    let (inside, trims_after) = match inside.strip_suffix('~') {
        Some(inside) if end == End::Plain => (inside, true),
        _ => (
            inside,
            text[from + length..from + length + mark].contains('~'),
        ),
    };
    let (kind, inside) = match kind {
        Kind::Put if end == End::Plain => otherwise(inside),
        kind => (kind, inside),
    };
    let tag = Tag {
        kind,
        inside,
        at,
        trims_before,
        trims_after,
    };
    Some((tag, from + length + mark))
}

/// How a tag ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// `}}`, outside of texts and brackets.
    Plain,
    /// `}}}` or `}~}}`, likewise.
    Triple,
    /// `--}}`.
    Dashes,
    /// The first `}}`.
    First,
}

/// How many bytes a tag has up to its end, and how many its end has.
fn length(text: &str, end: End) -> Option<(usize, usize)> {
    match end {
        End::Plain => Some((expression_end(text)?, 2)),
        End::First => Some((text.find("}}")?, 2)),
        End::Triple => {
            let length = expression_end(text)?;
            let before = text[..length].strip_suffix("}~").map(str::len);
            let three = text[length..].starts_with("}}}").then_some((length, 3));
            three.or(before.map(|length| (length, 4)))
        }
        End::Dashes => text.match_indices("--").find_map(|(length, _)| {
            let rest = &text[length + 2..];
            let close = if rest.starts_with("~}}") { 5 } else { 4 };
            (close == 5 || rest.starts_with("}}")).then_some((length, close))
        }),
    }
}

/// `else` is written like a value.
fn otherwise(inside: &str) -> (Kind, &str) {
    match inside.trim_start().strip_prefix("else") {
        Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
            (Kind::Else, rest)
        }
        _ => (Kind::Put, inside),
    }
}

/// What a tag is, how many bytes say so, and how it ends.
fn kind(rest: &str) -> (Kind, usize, End) {
    const PARTIAL: Kind = Kind::Refused("partials are not known here");
    const DECORATOR: Kind = Kind::Refused("decorators are not known here");
    const RAW: Kind =
        Kind::Refused("raw blocks are not known here; write `\\{{` for braces that stay");
    match rest.as_bytes() {
        [b'{', b'{', ..] => (RAW, 2, End::First),
        [b'{', ..] => (Kind::Put, 1, End::Triple),
        [b'&', ..] => (Kind::Put, 1, End::Plain),
        [b'!', b'-', b'-', ..] => (Kind::Comment, 3, End::Dashes),
        [b'!', ..] => (Kind::Comment, 1, End::First),
        [b'#', b'>', ..] => (PARTIAL, 2, End::Plain),
        [b'#', b'*', ..] => (DECORATOR, 2, End::Plain),
        [b'#', ..] => (Kind::Open, 1, End::Plain),
        [b'>', ..] => (PARTIAL, 1, End::Plain),
        [b'*', ..] => (DECORATOR, 1, End::Plain),
        [b'/', ..] => (Kind::Close, 1, End::Plain),
        [b'^', ..] => (Kind::Else, 1, End::Plain),
        _ => (Kind::Put, 0, End::Plain),
    }
}

/// Where an expression ends: before the first `}}` outside of texts and brackets.
fn expression_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at += 1 + quoted(&bytes[at + 1..], quote)?,
            b'[' => at += bytes[at..].iter().position(|byte| *byte == b']')?,
            b'}' if bytes[at..].starts_with(b"}}") => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// How many bytes a quoted text has, with its end.
fn quoted(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Tells places of offsets that only grow.
pub(super) struct Walk<'a> {
    body: &'a str,
    offset: usize,
    place: Place,
}

impl<'a> Walk<'a> {
    pub(super) fn new(body: &'a str) -> Self {
        Self {
            body,
            offset: 0,
            place: Place { line: 1, column: 1 },
        }
    }

    pub(super) fn at(&mut self, offset: usize) -> Place {
        for c in self.body[self.offset..offset].chars() {
            if c == '\n' {
                self.place = Place {
                    line: self.place.line + 1,
                    column: 1,
                };
            } else {
                self.place.column += 1;
            }
        }
        self.offset = offset;
        self.place
    }
}
