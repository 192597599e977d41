//! Separated values, as RFC 4180 has them: quotes, separators and line ends within quotes, any
//! line end. Nothing is repaired silently: a quote that is never closed, or text after one that
//! closes, is a fault with its line.

use std::{
    collections::HashMap,
    io::{self, BufRead},
};

use super::{Faults, Record, changed, value_fault};
use crate::datasets::{Cells, Limits, header};

/// A value as it was read; none if nothing stood there.
type Raw = Option<Vec<u8>>;

/// Where in a record the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a value.
    Start,
    /// In a value without quotes.
    Plain,
    /// In a value with quotes, opened in this line.
    Quoted(u64),
    /// After a quote within quotes, opened in this line: the end, or the first of two.
    Quote(u64),
}

/// The records of a file, one by one; blank lines are passed over.
pub struct Records<'a, R> {
    input: R,
    state: State<'a>,
}

/// What is known of the file besides the record that is being read.
struct State<'a> {
    separator: u8,
    limits: &'a Limits,
    line: u64,
    /// A line ended with CR: a LF that follows belongs to it.
    after_cr: bool,
    stray_quotes: bool,
}

/// What is known of the record that is being read.
#[derive(Default)]
struct Draft {
    values: Vec<Raw>,
    value: Vec<u8>,
    was_quoted: bool,
    bytes: usize,
    /// How many values it has, also beyond what is taken.
    count: usize,
    faults: Vec<String>,
}

impl<'a, R: BufRead> Records<'a, R> {
    /// Reads from the beginning of a text.
    pub fn new(input: R, separator: u8, limits: &'a Limits) -> Self {
        let state = State {
            separator,
            limits,
            line: 1,
            after_cr: false,
            stray_quotes: false,
        };
        Self { input, state }
    }

    /// Whether a quote stood in the midst of a value without quotes.
    pub fn saw_stray_quotes(&self) -> bool {
        self.state.stray_quotes
    }

    /// The next record that is no blank line.
    pub fn take(&mut self) -> io::Result<Option<Record<Vec<Raw>>>> {
        loop {
            match self.record()? {
                Some(record) if is_blank(&record) => {}
                found => return Ok(found),
            }
        }
    }

    fn record(&mut self) -> io::Result<Option<Record<Vec<Raw>>>> {
        let (mut at, mut draft) = (At::Start, Draft::default());
        let mut began_in = None;
        loop {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                return Ok(began_in.map(|line| self.state.end_of_file(at, draft, line)));
            }
            let mut used = 0;
            let mut ended = false;
            while let Some(&byte) = piece.get(used) {
                used += 1;
                if std::mem::take(&mut self.state.after_cr) && byte == b'\n' {
                    if began_in.is_some() {
                        // Within quotes: both belong to the value, and to one line.
                        draft.push(byte, self.state.limits);
                    }
                    continue;
                }
                began_in.get_or_insert(self.state.line);
                let Some(next) = self.state.step(at, byte, &mut draft) else {
                    ended = true;
                    break;
                };
                at = next;
                used += self.state.run(at, &piece[used..], &mut draft);
            }
            self.input.consume(used);
            if let (true, Some(line)) = (ended, began_in) {
                return Ok(Some(draft.finish(line, self.state.limits)));
            }
        }
    }
}

impl State<'_> {
    /// Where a byte leads; nowhere if it ends the record.
    fn step(&mut self, at: At, byte: u8, draft: &mut Draft) -> Option<At> {
        let ends_line = matches!(byte, b'\n' | b'\r');
        let opened_here = At::Quoted(self.line);
        if ends_line {
            self.line += 1;
            self.after_cr = byte == b'\r';
        }
        Some(match at {
            At::Quoted(opened) if byte == b'"' => At::Quote(opened),
            At::Quoted(opened) => {
                draft.push(byte, self.limits);
                At::Quoted(opened)
            }
            At::Quote(opened) if byte == b'"' => {
                draft.push(byte, self.limits);
                At::Quoted(opened)
            }
            _ if byte == self.separator => {
                draft.end_value(self.limits);
                At::Start
            }
            _ if ends_line => {
                draft.end_value(self.limits);
                return None;
            }
            At::Start if byte == b'"' => {
                draft.was_quoted = true;
                opened_here
            }
            At::Quote(opened) => {
                draft.fault(format!(
                    "has text after a closing quote (opened in line {opened}); write a quote within quotes twice"
                ));
                draft.push(byte, self.limits);
                At::Plain
            }
            At::Start | At::Plain => {
                self.stray_quotes |= byte == b'"';
                draft.push(byte, self.limits);
                At::Plain
            }
        })
    }

    /// Takes the bytes of a value that mean nothing but themselves, all at once: most do. Says how
    /// many these are.
    fn run(&mut self, at: At, piece: &[u8], draft: &mut Draft) -> usize {
        let separator = match at {
            At::Plain => self.separator,
            // Means nothing within quotes.
            At::Quoted(_) => b'"',
            At::Start | At::Quote(_) => return 0,
        };
        let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\n' | b'\r') && *byte != separator;
        let length = piece.iter().take_while(|byte| is_plain(byte)).count();
        if length > 0 {
            self.after_cr = false;
            draft.extend(&piece[..length], self.limits);
        }
        length
    }

    fn end_of_file(&self, at: At, mut draft: Draft, began_in: u64) -> Record<Vec<Raw>> {
        draft.end_value(self.limits);
        if let At::Quoted(opened) = at {
            draft.faults = vec!["opens a quote that is never closed".into()];
            return draft.finish(opened, self.limits);
        }
        draft.finish(began_in, self.limits)
    }
}

fn is_blank(record: &Record<Vec<Raw>>) -> bool {
    record.faults.is_empty() && record.content.as_slice() == [None]
}

impl Draft {
    fn fault(&mut self, message: String) {
        if !self.faults.contains(&message) {
            self.faults.push(message);
        }
    }

    /// Takes a byte of the value; of a value that is too long only its length is kept.
    fn push(&mut self, byte: u8, limits: &Limits) {
        self.bytes += 1;
        if self.value.len() <= limits.value_bytes && self.bytes <= limits.row_bytes {
            self.value.push(byte);
        }
    }

    /// The same with some bytes.
    fn extend(&mut self, bytes: &[u8], limits: &Limits) {
        let of_value = (limits.value_bytes + 1).saturating_sub(self.value.len());
        let of_row = limits.row_bytes.saturating_sub(self.bytes);
        self.bytes += bytes.len();
        let taken = bytes.len().min(of_value).min(of_row);
        self.value.extend_from_slice(&bytes[..taken]);
    }

    fn end_value(&mut self, limits: &Limits) {
        self.count += 1;
        let value = std::mem::take(&mut self.value);
        let is_something = std::mem::take(&mut self.was_quoted) || !value.is_empty();
        if value.len() > limits.value_bytes {
            let most = limits.value_bytes;
            self.fault(format!("column {} has more than {most} bytes", self.count));
        } else if self.count <= limits.columns {
            if let Some(fault) = value_fault(&value) {
                self.fault(format!("column {} {fault}", self.count));
            }
            self.values.push(is_something.then_some(value));
            return;
        }
        // Still counted, so that the row is not called ragged on top.
        if self.count <= limits.columns {
            self.values.push(None);
        }
    }

    fn finish(mut self, line: u64, limits: &Limits) -> Record<Vec<Raw>> {
        if self.bytes > limits.row_bytes {
            // What else was found is of a row that was cut short.
            let most = limits.row_bytes;
            self.faults = vec![format!("has more than {most} bytes")];
        }
        if self.count > limits.columns {
            let (count, most) = (self.count, limits.columns);
            self.fault(format!("has {count} columns; at most {most} are taken"));
        }
        Record {
            line,
            content: self.values,
            faults: self.faults,
        }
    }
}

/// The columns and the number of rows; whatever is wrong is added to the faults.
pub fn survey(
    input: impl BufRead,
    separator: u8,
    limits: &Limits,
    faults: &mut Faults,
) -> io::Result<(Vec<String>, usize)> {
    let mut records = Records::new(input, separator, limits);
    let Some(first) = records.take()? else {
        faults.add(None, "is empty; its first line must name the columns");
        return Ok((Vec::new(), 0));
    };
    let headers = headers(first, faults);
    let mut rows = 0;
    while let Some(record) = records.take()? {
        rows += 1;
        if rows > limits.rows {
            let most = limits.rows;
            let message = format!("is one row too many; at most {most} are taken");
            faults.add(Some(record.line), message);
            break;
        }
        let (values, columns) = (record.content.len(), headers.len());
        if values != columns && record.faults.is_empty() {
            let message = format!("has {values} values; the first line names {columns} columns");
            faults.add(Some(record.line), message);
        }
        for message in record.faults {
            faults.add(Some(record.line), message);
        }
    }
    Ok((headers, rows))
}

fn headers(first: Record<Vec<Raw>>, faults: &mut Faults) -> Vec<String> {
    let line = Some(first.line);
    for message in first.faults {
        faults.add(line, message);
    }
    let mut seen = HashMap::new();
    let mut headers = Vec::with_capacity(first.content.len());
    for (place, raw) in first.content.into_iter().enumerate() {
        let column = place + 1;
        let text = String::from_utf8_lossy(&raw.unwrap_or_default()).into_owned();
        if text.trim().is_empty() {
            faults.add(line, format!("column {column} has no name"));
            headers.push(text);
            continue;
        }
        let name = header(&text).unwrap_or_else(|fault| {
            faults.add(line, format!("the name of column {column} {fault}"));
            text
        });
        if let Some(before) = seen.insert(name.clone(), column) {
            faults.add(
                line,
                format!("columns {before} and {column} are both called \"{name}\""),
            );
        }
        headers.push(name);
    }
    headers
}

/// The rows of a file that was surveyed.
pub fn rows<'a>(
    input: impl BufRead + 'a,
    separator: u8,
    limits: &'a Limits,
) -> impl Iterator<Item = io::Result<Cells>> + 'a {
    let mut records = Records::new(input, separator, limits);
    let first = records.take().err();
    let rest = std::iter::from_fn(move || {
        records.take().transpose().map(|record| {
            let record = record?;
            if !record.faults.is_empty() {
                return Err(changed(record.line));
            }
            let text = |raw: Vec<u8>| String::from_utf8(raw).map_err(|_| changed(record.line));
            record
                .content
                .into_iter()
                .map(|raw| raw.map(text).transpose())
                .collect()
        })
    });
    first.map(Err).into_iter().chain(rest)
}
