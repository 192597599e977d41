//! Files that try the extraction, made on the spot and the same every time: hostile ones, large
//! ones, and two of the demo's samples that no editor should be needed for.

use std::fmt::Write;

pub mod demo;
pub mod docx;
pub mod pdf;

/// The first bytes of a program for Linux.
pub fn executable() -> Vec<u8> {
    let mut bytes = b"\x7FELF\x02\x01\x01".to_vec();
    bytes.resize(4096, 0);
    bytes
}

/// A text of about `length` bytes in numbered paragraphs.
pub fn long_text(length: usize) -> String {
    let mut text = String::with_capacity(length + 100);
    for number in 1.. {
        if text.len() >= length {
            break;
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "Paragraph {number} repeats that water is wet. It does so for size.\n"
        );
    }
    text
}

/// A text as UTF-16 with its byte order mark, little end first.
pub fn utf16(text: &str) -> Vec<u8> {
    "\u{FEFF}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// A page whose elements are nested `depth` deep.
pub fn deep_html(depth: usize) -> String {
    format!("<!doctype html><html><body>{}bottom", "<div>".repeat(depth))
}
