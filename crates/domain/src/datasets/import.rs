//! Files as tables: CSV with any of the usual separators, a JSON list of objects, JSON Lines.
//!
//! A file is read twice, piece by piece. [`survey`] finds its columns and every fault; only when
//! there is none are its [`rows`] taken. At no time is more than a row in memory.

mod csv;
mod json;
mod sniff;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, BufReader, Cursor, Read};

use super::{Cells, Limits};

pub use sniff::Format;

/// The most faults that are told; the others are counted.
pub const FAULTS_TOLD: usize = 100;

/// How much of a file is looked at to find out what it is.
const LOOK: usize = 64 * 1024;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// The line, from 1; none if it is the file as a whole.
    pub line: Option<u64>,
    /// What is wrong there.
    pub message: String,
}

/// Why a file is no table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// The first of its faults, at most [`FAULTS_TOLD`].
    pub told: Vec<LineFault>,
    /// How many there are besides.
    pub more: usize,
}

impl Faults {
    fn add(&mut self, line: Option<u64>, message: impl Into<String>) {
        if self.told.len() < FAULTS_TOLD {
            let message = message.into();
            self.told.push(LineFault { line, message });
        } else {
            self.more += 1;
        }
    }
}

/// What a file without faults is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// How it is written.
    pub format: Format,
    /// Its columns.
    pub headers: Vec<String>,
    /// How many rows it has.
    pub rows: usize,
}

/// A row as it was read, with all that is wrong with it.
#[derive(Debug)]
struct Record<T> {
    line: u64,
    content: T,
    faults: Vec<String>,
}

/// Why a row could not be read to its end.
fn broken(cause: &io::Error) -> Option<String> {
    (cause.kind() == io::ErrorKind::InvalidData).then(|| cause.to_string())
}

/// Looks a file through: what it is, or every fault. Its name helps where the content is not clear.
pub fn survey(
    input: impl Read,
    file_name: &str,
    limits: &Limits,
) -> io::Result<Result<Survey, Faults>> {
    let mut faults = Faults::default();
    let surveyed = (|| {
        let mut input = text::as_utf8(input)?;
        let mut look = Vec::new();
        input.by_ref().take(LOOK as u64).read_to_end(&mut look)?;
        if let Some(message) = sniff::not_a_table(&look) {
            faults.add(None, message);
            return Ok(None);
        }
        let format = sniff::format(&look, file_name);
        let reader = BufReader::with_capacity(LOOK, Cursor::new(look).chain(input));
        let (headers, rows) = match format {
            Format::Separated(separator) => csv::survey(reader, separator, limits, &mut faults)?,
            Format::JsonList | Format::JsonLines => json::survey(
                json::Records::new(reader, format, limits),
                limits,
                &mut faults,
            )?,
        };
        Ok(Some(Survey {
            format,
            headers,
            rows,
        }))
    })();
    match surveyed {
        Ok(Some(survey)) if faults.told.is_empty() => Ok(Ok(survey)),
        Ok(_) => Ok(Err(faults)),
        Err(cause) => {
            let message = broken(&cause).ok_or(cause)?;
            faults.add(None, message);
            Ok(Err(faults))
        }
    }
}

/// The rows of a file that was surveyed.
pub fn rows<'a>(
    input: impl Read + 'a,
    survey: &'a Survey,
    limits: &'a Limits,
) -> io::Result<Box<dyn Iterator<Item = io::Result<Cells>> + 'a>> {
    let reader = BufReader::with_capacity(LOOK, text::as_utf8(input)?);
    Ok(match survey.format {
        Format::Separated(separator) => Box::new(csv::rows(reader, separator, limits)),
        Format::JsonList | Format::JsonLines => {
            let records = json::Records::new(reader, survey.format, limits);
            Box::new(json::rows(records, &survey.headers))
        }
    })
}

/// A row that is faulty only now: the file is not the one that was surveyed.
fn changed(line: u64) -> io::Error {
    io::Error::other(format!("line {line} is not as it was surveyed"))
}

/// What is wrong with a value.
fn value_fault(bytes: &[u8]) -> Option<&'static str> {
    if bytes.contains(&0) {
        return Some("holds the NUL character, which cannot be stored");
    }
    std::str::from_utf8(bytes)
        .is_err()
        .then_some("is not UTF-8; save the file as UTF-8")
}
