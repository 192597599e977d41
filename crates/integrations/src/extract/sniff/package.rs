//! Whether a ZIP archive is a Word document: read from its directory entry by entry, so that an
//! archive of a million names costs no memory.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The directory's end record, without its comment.
const END_RECORD: u64 = 22;

/// The end record and the longest comment.
const END_AREA: u64 = END_RECORD + 0xFFFF;

/// The names of a Word document, truncated or whole.
const CONTENT_TYPES: &[u8] = b"[Content_Types].xml";

/// Whether the archive holds a Word document. One that is cut off and begins like a Word document
/// is taken for one, so that its owner is told that it is damaged.
pub fn is_docx(file: &mut (impl Read + Seek), start: &[u8]) -> io::Result<bool> {
    let found = match directory(file)? {
        Some((offset, entries)) => {
            file.seek(SeekFrom::Start(offset))?;
            named(&mut BufReader::new(file), entries)
        }
        None => None,
    };
    Ok(found.unwrap_or_else(|| begins_like_docx(start)))
}

/// Where the directory starts and how many entries it has, if its end can be found.
fn directory(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, u16)>> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(END_AREA)))?;
    let mut end = Vec::new();
    file.take(END_AREA).read_to_end(&mut end)?;
    let record = end
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")
        .map(|at| &end[at..]);
    Ok(record
        .filter(|record| record.len() as u64 >= END_RECORD)
        .map(|record| {
            let entries = u16::from_le_bytes([record[10], record[11]]);
            let offset = u32::from_le_bytes([record[16], record[17], record[18], record[19]]);
            (u64::from(offset), entries)
        }))
}

/// Looks for the two names that every Word document has; nothing if the directory cannot be read.
fn named(directory: &mut impl Read, entries: u16) -> Option<bool> {
    let (mut types, mut document) = (false, false);
    for _ in 0..entries {
        let mut entry = [0; 46];
        directory.read_exact(&mut entry).ok()?;
        if !entry.starts_with(b"PK\x01\x02") {
            return None;
        }
        let length = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
        let mut name = vec![0; usize::from(length(28))];
        directory.read_exact(&mut name).ok()?;
        let rest = u64::from(length(30)) + u64::from(length(32));
        io::copy(&mut directory.take(rest), &mut io::sink()).ok()?;
        types |= name == CONTENT_TYPES;
        document |= is_main_part(&name);
    }
    Some(types && document)
}

/// `word/document.xml`, or `word/document2.xml` as some editors call it.
fn is_main_part(name: &[u8]) -> bool {
    name.starts_with(b"word/document") && name.ends_with(b".xml")
}

/// Whether the first entry of a cut-off archive is one of a Word document.
fn begins_like_docx(start: &[u8]) -> bool {
    let name = start.get(30..).unwrap_or_default();
    name.starts_with(CONTENT_TYPES) || name.starts_with(b"word/")
}
