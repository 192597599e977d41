//! JSON as tables: a list of objects, or an object per line. A text becomes its content, a number
//! stays as it is written, what is nested becomes compact JSON, `null` is no value. The columns are
//! the names of all members in the order in which they first stand there.

use std::{
    collections::HashMap,
    io::{self, BufRead, Read as _},
};

use super::{Faults, Format, Record, changed};
use crate::datasets::{Cells, Limits, header};
use cut::{Nesting, content, split, split_once};

mod cut;

/// The members of an object, each with its value.
type Members = Vec<(String, Option<String>)>;

/// The objects of a file as they are written, one by one.
pub struct Records<'a, R> {
    input: R,
    limits: &'a Limits,
    line: u64,
    is_list: bool,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a list.
    Start,
    /// Before the first item of a list, or its end.
    First,
    /// Before another item.
    Next,
    /// After the last one.
    End,
}

impl<'a, R: BufRead> Records<'a, R> {
    /// Reads from the beginning of a text.
    pub fn new(input: R, format: Format, limits: &'a Limits) -> Self {
        Self {
            input,
            limits,
            line: 1,
            is_list: format == Format::JsonList,
            at: At::Start,
        }
    }

    /// The next object.
    fn take(&mut self) -> io::Result<Option<Record<Members>>> {
        let raw = if self.is_list {
            self.item()?
        } else {
            self.full_line()?
        };
        Ok(raw.map(|raw| {
            let (content, faults) = if raw.faults.is_empty() {
                members(&raw.content, self.limits)
            } else {
                (Members::new(), raw.faults)
            };
            Record {
                line: raw.line,
                content,
                faults,
            }
        }))
    }

    /// The next line that is not blank.
    fn full_line(&mut self) -> io::Result<Option<Record<Vec<u8>>>> {
        loop {
            let (mut content, line) = (Vec::new(), self.line);
            let most = self.limits.row_bytes;
            let mut part = (&mut self.input).take(most as u64 + 2);
            part.read_until(b'\n', &mut content)?;
            if content.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            let mut faults = Vec::new();
            if content.trim_ascii_end().len() > most {
                faults.push(too_long(most));
                if !content.ends_with(b"\n") {
                    self.input.skip_until(b'\n')?;
                }
            }
            if !content.trim_ascii().is_empty() {
                return Ok(Some(Record {
                    line,
                    content,
                    faults,
                }));
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let Some(&byte) = self.input.fill_buf()?.first() else {
                return Ok(None);
            };
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.skip(byte);
        }
    }

    fn skip(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.input.consume(1);
    }

    /// The next item of a list.
    fn item(&mut self) -> io::Result<Option<Record<Vec<u8>>>> {
        if self.at == At::Start {
            // The format was chosen for this bracket.
            if let Some(bracket) = self.peek()? {
                self.skip(bracket);
            }
            self.at = At::First;
        }
        let next = self.peek()?;
        let line = self.line;
        let fault = |message: &str| {
            Ok(Some(Record {
                line,
                content: Vec::new(),
                faults: vec![message.to_owned()],
            }))
        };
        match (self.at, next) {
            (At::End, None) => Ok(None),
            (At::End, Some(_)) => {
                self.at = At::End;
                io::copy(&mut self.input, &mut io::sink())?;
                fault("has something after the end of the list")
            }
            (At::First, Some(end @ b']')) => {
                self.at = At::End;
                self.skip(end);
                self.item()
            }
            (_, None) => {
                self.at = At::End;
                fault("ends within the list; its closing bracket is missing")
            }
            (_, Some(_)) => self.value(line).map(Some),
        }
    }

    /// An item, with what ends it.
    fn value(&mut self, line: u64) -> io::Result<Record<Vec<u8>>> {
        let most = self.limits.row_bytes;
        let (mut content, mut nesting) = (Vec::new(), Nesting::default());
        let mut bytes = 0;
        self.at = At::Next;
        'item: loop {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            let mut used = 0;
            for &byte in piece {
                used += 1;
                self.line += u64::from(byte == b'\n');
                if nesting.step(byte) && matches!(byte, b',' | b']') {
                    if byte == b']' {
                        self.at = At::End;
                    }
                    self.input.consume(used);
                    break 'item;
                }
                bytes += 1;
                if bytes <= most {
                    content.push(byte);
                }
            }
            self.input.consume(used);
        }
        let mut faults = Vec::new();
        if bytes > most {
            faults.push(too_long(most));
        } else if content.trim_ascii().is_empty() {
            faults.push("has nothing where an object should be".to_owned());
        }
        Ok(Record {
            line,
            content,
            faults,
        })
    }
}

fn too_long(most: usize) -> String {
    format!("has more than {most} bytes")
}

/// The members of an object, and all that is wrong with it.
fn members(raw: &[u8], limits: &Limits) -> (Members, Vec<String>) {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.trim(),
        Err(_) => {
            return (
                Members::new(),
                vec!["is not UTF-8; save the file as UTF-8".into()],
            );
        }
    };
    // Whatever is cut apart below is known to be JSON.
    if let Err(cause) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return (
            Members::new(),
            vec![format!("is not valid JSON: {}", reason(&cause))],
        );
    }
    let Some(inner) = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        return (Members::new(), vec!["is no JSON object".into()]);
    };
    let (mut members, mut faults) = (Members::new(), Vec::new());
    for member in split(inner, b',') {
        let Some((name, value)) = split_once(member) else {
            continue;
        };
        let name = content(name).unwrap_or_default();
        let value = content(value);
        if let Some(fault) = value.as_deref().and_then(|text| fault_of(text, limits)) {
            faults.push(format!("\"{}\" {fault}", shown(&name)));
        }
        match header(&name) {
            Err(fault) => faults.push(format!("the member \"{}\" {fault}", shown(&name))),
            Ok(name) if members.iter().any(|(known, _)| *known == name) => {
                faults.push(format!("has \"{}\" twice", shown(&name)));
            }
            Ok(name) if members.len() < limits.columns => members.push((name, value)),
            Ok(_) => {
                faults.push(format!("has more than {} members", limits.columns));
                break;
            }
        }
    }
    (members, faults)
}

/// What is wrong, without the place within the row.
fn reason(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn fault_of(text: &str, limits: &Limits) -> Option<String> {
    if text.contains('\0') {
        return Some("holds the NUL character, which cannot be stored".into());
    }
    let most = limits.value_bytes;
    (text.len() > most).then(|| format!("has more than {most} bytes"))
}

/// The beginning of a name, without what would spoil a line.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// The columns and the number of rows; whatever is wrong is added to the faults.
pub fn survey(
    mut records: Records<'_, impl BufRead>,
    limits: &Limits,
    faults: &mut Faults,
) -> io::Result<(Vec<String>, usize)> {
    let (mut headers, mut known) = (Vec::new(), std::collections::HashSet::new());
    let mut rows = 0;
    while let Some(record) = records.take()? {
        rows += 1;
        if rows > limits.rows {
            let most = limits.rows;
            let message = format!("is one row too many; at most {most} are taken");
            faults.add(Some(record.line), message);
            break;
        }
        for message in record.faults {
            faults.add(Some(record.line), message);
        }
        for (name, _) in record.content {
            if !known.contains(&name) {
                if headers.len() == limits.columns {
                    let most = limits.columns;
                    let message = format!(
                        "\"{}\" is one column too many; at most {most} are taken",
                        shown(&name)
                    );
                    faults.add(Some(record.line), message);
                    return Ok((headers, rows));
                }
                headers.push(name.clone());
                known.insert(name);
            }
        }
    }
    if headers.is_empty() && faults.told.is_empty() {
        faults.add(None, "has no columns: none of its objects has a member");
    }
    Ok((headers, rows))
}

/// The rows of a file that was surveyed.
pub fn rows<'a>(
    mut records: Records<'a, impl BufRead + 'a>,
    headers: &'a [String],
) -> impl Iterator<Item = io::Result<Cells>> + 'a {
    let places: HashMap<&str, usize> = headers
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect();
    std::iter::from_fn(move || {
        records.take().transpose().map(|record| {
            let record = record?;
            if !record.faults.is_empty() {
                return Err(changed(record.line));
            }
            let mut cells = vec![None; headers.len()];
            for (name, value) in record.content {
                let place = places.get(name.as_str()).copied();
                cells[place.ok_or_else(|| changed(record.line))?] = value;
            }
            Ok(cells)
        })
    })
}
