//! JSON as it is written, cut apart without reading it.

/// How a text goes on.
#[derive(Default)]
pub(super) struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    /// Takes a byte in; whether it stands outside of everything.
    pub(super) fn step(&mut self, byte: u8) -> bool {
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return false;
        }
        let outside = self.depth == 0;
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        outside
    }
}

/// Cuts valid JSON at a byte that stands outside of everything.
pub(super) fn split(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut nesting = Nesting::default();
        let end = text
            .bytes()
            .position(|byte| nesting.step(byte) && byte == at);
        let (part, after) = match end {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(part)
    })
}

pub(super) fn split_once(member: &str) -> Option<(&str, &str)> {
    let name = split(member, b':').next()?;
    Some((name, member.get(name.len() + 1..)?))
}

/// A value as it is kept.
pub(super) fn content(raw: &str) -> Option<String> {
    let raw = raw.trim();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'n' => None,
        b'[' | b'{' => Some(compact(raw)),
        _ => Some(raw.to_owned()),
    }
}

/// JSON without the space between its parts; numbers stay as they are written.
fn compact(raw: &str) -> String {
    let mut nesting = Nesting::default();
    raw.chars()
        .filter(|c| {
            let was_in_text = nesting.in_text;
            nesting.step(u8::try_from(*c).unwrap_or(b'x'));
            was_in_text || !c.is_ascii_whitespace()
        })
        .collect()
}
