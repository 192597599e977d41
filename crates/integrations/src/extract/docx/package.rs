//! The archive around a Word document: its parts as streams of XML events, with an end to how
//! much they may swell.

use std::{
    cell::Cell,
    io::{BufReader, Cursor, Read},
};

use domain::documents::ExtractFault;
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::{ZipArchive, result::ZipError};

use crate::extract::broken;

/// The most bytes all parts together may swell to.
const MAX_BYTES: u64 = 200 << 20;

/// How many times its size a file may swell to, beyond the first 20 MB. Real documents stay
/// below 50.
const MAX_RATIO: u64 = 200;

/// An opened archive.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<'a> Package<'a> {
    /// Reads the directory of the archive.
    pub fn open(bytes: &'a [u8]) -> Result<Self, ExtractFault> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|_| broken("the archive's directory cannot be read"))?;
        let left = MAX_BYTES.min((20 << 20) + bytes.len() as u64 * MAX_RATIO);
        Ok(Self { archive, left })
    }

    /// The name of the part that holds the text.
    pub fn main_part(&self) -> Result<String, ExtractFault> {
        let mut names: Vec<&str> = self.archive.file_names().collect();
        names.sort_unstable();
        let main = |name: &&&str| is_main_part(name);
        let found = names
            .iter()
            .find(main)
            .ok_or_else(|| broken("it has no word/document.xml"))?;
        Ok((*found).to_owned())
    }

    /// Whether there are pictures.
    pub fn has_pictures(&self) -> bool {
        self.archive
            .file_names()
            .any(|name| name.starts_with("word/media/"))
    }

    /// Gives the events of a part one by one; nothing if there is no such part. A document type
    /// definition is refused: it could define entities without end, and no word processor writes one.
    pub fn each_event(
        &mut self,
        part: &str,
        mut take: impl FnMut(Event<'_>) -> Result<(), ExtractFault>,
    ) -> Result<(), ExtractFault> {
        let file = match self.archive.by_name(part) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(()),
            Err(_) => return Err(broken(format!("{part} cannot be unpacked"))),
        };
        let used = Cell::new(0);
        let metered = Metered {
            inner: file,
            left: self.left,
            used: &used,
        };
        let mut reader = Reader::from_reader(BufReader::with_capacity(1 << 16, metered));
        reader.config_mut().check_end_names = false;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) => break,
                Ok(Event::DocType(_)) => {
                    return Err(broken(format!("{part} defines a document type")));
                }
                Ok(event) => take(event)?,
                Err(_) if used.get() >= self.left => return Err(swells()),
                Err(_) => return Err(broken(format!("{part} is not valid XML"))),
            }
        }
        self.left -= used.get();
        Ok(())
    }
}

/// `word/document.xml`, or `word/document2.xml` as some editors call it.
fn is_main_part(name: &str) -> bool {
    let number = name
        .strip_prefix("word/document")
        .and_then(|rest| rest.strip_suffix(".xml"));
    number.is_some_and(|number| number.chars().all(|char| char.is_ascii_digit()))
}

/// The refusal of an archive that is larger than it looks.
fn swells() -> ExtractFault {
    ExtractFault::TooLarge("it unpacks to far more than its size".into())
}

/// Counts what is unpacked, and fails when it is too much. The sizes an archive declares are not
/// believed.
struct Metered<'a, R> {
    inner: R,
    left: u64,
    used: &'a Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(to)?;
        self.used.set(self.used.get() + read as u64);
        if self.used.get() >= self.left {
            return Err(std::io::Error::other("too much to unpack"));
        }
        Ok(read)
    }
}

/// The value of an attribute, whatever the prefix of its name.
pub fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let mut named = attributes.with_checks(false).flatten();
    let found = named.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}
