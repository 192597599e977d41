//! Tables as files: CSV and JSON Lines, written so that reading them gives the same table again.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// Writes a line of CSV. No value is written as nothing, an empty text as `""`; but a line that
/// would be blank is not, since blank lines are passed over.
pub fn csv_line<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = Option<&'a str>>) {
    let start = out.len();
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if let Some(text) = cell {
            csv_value(out, text);
        }
    }
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.extend_from_slice(b"\r\n");
}

fn csv_value(out: &mut Vec<u8>, text: &str) {
    // Semicolon and tab too: they must not be taken for the separator.
    let is_plain = !text.is_empty()
        && !text.starts_with('\u{feff}')
        && !text.contains([',', ';', '\t', '"', '\r', '\n']);
    if is_plain {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// A row as an object: each header with its value, in their order.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The columns.
    pub headers: &'a [String],
    /// Their values.
    pub cells: &'a [Option<String>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.headers.len()))?;
        for (header, cell) in self.headers.iter().zip(self.cells) {
            map.serialize_entry(header, cell)?;
        }
        map.end()
    }
}

/// Writes a line of JSON Lines.
pub fn json_line(out: &mut Vec<u8>, object: Object<'_>) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, &object)?;
    out.push(b'\n');
    Ok(())
}
