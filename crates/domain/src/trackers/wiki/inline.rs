//! What stands within a line of wiki markup.

/// How far the end of something is looked for.
const FARTHEST: usize = 2000;

/// How far the end of an emphasis is looked for.
const LONGEST_EMPHASIS: usize = 500;

/// Deeper than anybody nests emphasis.
const DEEPEST: u8 = 6;

/// The line as Markdown.
pub(super) fn inline(line: &str) -> String {
    written(line, 0)
}

fn written(line: &str, depth: u8) -> String {
    let mut to = String::with_capacity(line.len());
    let mut rest = line;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        if let Some((shown, after)) = special(rest, before, depth) {
            to.push_str(&shown);
            before = rest[..rest.len() - after.len()].chars().next_back();
            rest = after;
        } else {
            to.push(first);
            before = Some(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    to
}

/// What begins here, if anything does, and what follows it.
fn special(rest: &str, before: Option<char>, depth: u8) -> Option<(String, &str)> {
    match rest.as_bytes().first()? {
        b'\\' => escaped(rest),
        b'{' => braces(rest),
        b'[' => link(rest),
        b'!' => picture(rest),
        b'*' => emphasis(rest, '*', ["**", "**"], before, depth),
        b'_' => emphasis(rest, '_', ["*", "*"], before, depth),
        b'-' => emphasis(rest, '-', ["~~", "~~"], before, depth),
        b'+' => emphasis(rest, '+', ["", ""], before, depth),
        b'^' => emphasis(rest, '^', ["^", ""], before, depth),
        _ => None,
    }
}

fn escaped(rest: &str) -> Option<(String, &str)> {
    if let Some(after) = rest.strip_prefix("\\\\") {
        return Some(("\n".into(), after));
    }
    let next = rest[1..]
        .chars()
        .next()
        .filter(char::is_ascii_punctuation)?;
    Some((next.to_string(), &rest[2..]))
}

/// `{{code}}`, and macros that only change the look.
fn braces(rest: &str) -> Option<(String, &str)> {
    if let Some(inner) = rest.strip_prefix("{{") {
        let (code, after) = split(inner, "}}")?;
        return Some((format!("`{}`", code.trim()), after));
    }
    let (head, after) = split(&rest[1..], "}")?;
    let name = head.split(':').next().unwrap_or_default();
    let is_look = matches!(name, "color" | "anchor" | "toc");
    is_look.then(|| (String::new(), after))
}

/// `[words|address]`, `[address]`, `[~person]`, `[^file]`.
fn link(rest: &str) -> Option<(String, &str)> {
    let (inner, after) = split(&rest[1..], "]")?;
    if let Some(person) = inner.strip_prefix('~') {
        let person = person.trim_start_matches("accountid:");
        return Some((format!("@{person}"), after));
    }
    if let Some(file) = inner.strip_prefix('^') {
        return Some((format!("[attachment: {file}]"), after));
    }
    let mut parts = inner.split('|');
    let (first, second) = (parts.next()?, parts.next());
    let shown = match second {
        Some(address) if is_address(address) => format!("[{first}]({})", address.trim()),
        None if is_address(first) => format!("<{}>", first.trim()),
        _ => return None,
    };
    Some((shown, after))
}

fn is_address(text: &str) -> bool {
    let text = text.trim();
    let known = ["http://", "https://", "mailto:", "ftp://", "#", "/"];
    known.iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace)
}

/// `!picture.png|thumbnail!`.
fn picture(rest: &str) -> Option<(String, &str)> {
    let (inner, after) = split(&rest[1..], "!")?;
    let name = inner.split('|').next().unwrap_or_default();
    let is_name = name.contains('.') && !name.starts_with(' ') && !name.ends_with([' ', '.']);
    if !is_name {
        return None;
    }
    if name.starts_with("http") {
        return Some((format!("![]({name})"), after));
    }
    Some((format!("[attachment: {name}]"), after))
}

/// Words between two marks that stand at their edges.
fn emphasis<'a>(
    rest: &'a str,
    mark: char,
    signs: [&str; 2],
    before: Option<char>,
    depth: u8,
) -> Option<(String, &'a str)> {
    let inner = &rest[1..];
    let opens = !before.is_some_and(char::is_alphanumeric)
        && inner.starts_with(|next: char| !next.is_whitespace() && next != mark);
    if depth >= DEEPEST || !opens {
        return None;
    }
    let closes = |at: usize| {
        let after = inner[at + 1..].chars().next();
        let last = inner[..at].chars().next_back();
        last.is_some_and(|last| !last.is_whitespace() && last != '\\')
            && !after.is_some_and(|next| next.is_alphanumeric() || next == mark)
    };
    let places = inner.match_indices(mark).map(|(at, _)| at);
    let end = places
        .take_while(|at| *at < LONGEST_EMPHASIS)
        .find(|at| closes(*at))?;
    let [open, close] = signs;
    let shown = written(&inner[..end], depth + 1);
    Some((format!("{open}{shown}{close}"), &inner[end + 1..]))
}

/// What stands before an end that is near, and what after it.
fn split<'a>(text: &'a str, end: &str) -> Option<(&'a str, &'a str)> {
    let mut near = text.len().min(FARTHEST);
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let at = text[..near].find(end).filter(|at| *at > 0)?;
    Some((&text[..at], &text[at + end.len()..]))
}
