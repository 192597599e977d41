//! What a file is, by its beginning and, where that leaves a doubt, by its name.

use super::{LOOK, csv};
use crate::datasets::Limits;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Values between this separator, with a line of headers.
    Separated(u8),
    /// A JSON list of objects.
    JsonList,
    /// An object per line.
    JsonLines,
}

/// The separators, likeliest first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// How many records are looked at.
const RECORDS: usize = 20;

/// Why a file is not even tried.
pub fn not_a_table(look: &[u8]) -> Option<&'static str> {
    if look.iter().all(u8::is_ascii_whitespace) {
        return Some("is empty; its first line must name the columns");
    }
    let is_workbook = look.starts_with(b"PK\x03\x04") || look.starts_with(b"\xd0\xcf\x11\xe0");
    is_workbook.then_some("is a workbook or an archive; save it as CSV")
}

/// What a file that begins like this is.
pub fn format(look: &[u8], file_name: &str) -> Format {
    let extension = file_name
        .rsplit_once('.')
        .map(|(_, end)| end)
        .unwrap_or_default();
    let first = look.iter().find(|byte| !byte.is_ascii_whitespace());
    let json = match first {
        Some(b'[') => Format::JsonList,
        _ => Format::JsonLines,
    };
    match extension.to_ascii_lowercase().as_str() {
        "csv" => Format::Separated(separator(look)),
        "tsv" | "tab" => Format::Separated(b'\t'),
        "json" | "jsonl" | "ndjson" => json,
        _ if matches!(first, Some(b'[' | b'{')) => json,
        _ => Format::Separated(separator(look)),
    }
}

/// The separator under which the first records are the most like a table.
fn separator(look: &[u8]) -> u8 {
    let mut best = (b',', (false, false, 1));
    for separator in SEPARATORS {
        let score = score(look, separator);
        if score > best.1 {
            best = (separator, score);
        }
    }
    best.0
}

/// Whether quotes are where they belong, whether all records are of one length, how many columns.
fn score(look: &[u8], separator: u8) -> (bool, bool, usize) {
    let limits = Limits {
        rows: usize::MAX,
        columns: usize::MAX,
        value_bytes: LOOK,
        row_bytes: LOOK,
    };
    let mut reader = csv::Records::new(look, separator, &limits);
    let mut records = Vec::new();
    while records.len() < RECORDS
        && let Ok(Some(record)) = reader.take()
    {
        records.push(record);
    }
    // The last one may go on where nobody looked.
    if look.len() >= LOOK && records.len() > 1 {
        records.pop();
    }
    let columns = records.first().map_or(1, |record| record.content.len());
    let tidy = !reader.saw_stray_quotes() && records.iter().all(|record| record.faults.is_empty());
    let even = records.iter().all(|record| record.content.len() == columns);
    (tidy && columns > 1, even && columns > 1, columns)
}
