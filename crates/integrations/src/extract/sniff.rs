//! What a file is: told by its content. The name decides only between kinds of text, and only
//! where the content agrees.

mod package;
mod prose;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use domain::documents::{DocumentType, FileName};

use super::text::{clean, decode};

/// How much of a file is looked at.
const SAMPLE: u64 = 64 << 10;

/// Tells the type of a file, or that it is none of ours. An empty file is text; it ends with a
/// fault when it is read.
pub fn sniff(path: &Path, file_name: &FileName) -> io::Result<Option<DocumentType>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut sample = Vec::new();
    (&mut file).take(SAMPLE).read_to_end(&mut sample)?;
    if sample.starts_with(b"PK\x03\x04") {
        return package::is_docx(&mut file, &sample).map(|docx| docx.then_some(DocumentType::Docx));
    }
    let header = &sample[..sample.len().min(1024)];
    if header.windows(5).any(|bytes| bytes == b"%PDF-") {
        return Ok(Some(DocumentType::Pdf));
    }
    if is_foreign(&sample) {
        return Ok(None);
    }
    let whole = length <= SAMPLE;
    Ok(prose::kind(
        &clean(&decode(&sample, None)),
        whole,
        file_name,
    ))
}

/// Beginnings of formats that could pass for text, or are better refused by name.
const FOREIGN: [&[u8]; 17] = [
    b"PK",
    b"\x7FELF",
    b"MZ",
    b"\x89PNG",
    b"GIF8",
    b"\xFF\xD8\xFF",
    b"RIFF",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"\x1F\x8B",
    b"BZh",
    b"\xFD7zXZ",
    b"7z\xBC\xAF",
    b"\xD0\xCF\x11\xE0",
    b"{\\rtf",
    b"%!PS",
];

/// Whether the bytes are no text: a known beginning, or more than one control character in 200.
/// UTF-16 with its mark is text, though half of it may be NUL.
fn is_foreign(sample: &[u8]) -> bool {
    if sample.starts_with(b"\xFF\xFE") || sample.starts_with(b"\xFE\xFF") {
        return decode(sample, None)
            .chars()
            .filter(|char| *char == '\u{FFFD}')
            .count()
            * 50
            > sample.len();
    }
    let known = |start: &&[u8]| sample.starts_with(start) && has_binary(sample, start.len());
    let is_control = |byte: &&u8| matches!(byte, 0..=8 | 14..=26 | 28..=31);
    FOREIGN.iter().any(known) || sample.iter().filter(is_control).count() * 200 > sample.len()
}

/// `BM` and `MZ` begin words as well; two letters alone do not make a format.
fn has_binary(sample: &[u8], length: usize) -> bool {
    length > 2 || sample.iter().any(|byte| *byte < 9)
}
