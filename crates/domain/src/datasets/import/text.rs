//! The bytes of a file as UTF-8: a byte order mark is taken away, and after one of UTF-16 the rest
//! is translated. Whether UTF-8 is UTF-8 is looked at value by value, where the line is known.

use std::io::{self, Cursor, Read};

/// Makes a number of the two bytes of UTF-16.
type Unit = fn([u8; 2]) -> u16;

/// Reads a file as UTF-8, whatever its byte order mark announces.
pub fn as_utf8(mut input: impl Read) -> io::Result<impl Read> {
    let mut start = Vec::with_capacity(3);
    input.by_ref().take(3).read_to_end(&mut start)?;
    let (mark, wide): (usize, Option<Unit>) = match start.as_slice() {
        [0xef, 0xbb, 0xbf] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes)),
        _ => (0, None),
    };
    let rest = Cursor::new(start.split_off(mark)).chain(input);
    Ok(match wide {
        None => Reading::Plain(rest),
        Some(unit) => Reading::Wide(Utf16 {
            input: rest,
            unit,
            high: None,
            text: Cursor::default(),
        }),
    })
}

enum Reading<R> {
    Plain(R),
    Wide(Utf16<R>),
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(into),
            Self::Wide(input) => input.read(into),
        }
    }
}

struct Utf16<R> {
    input: R,
    unit: Unit,
    /// The first half of a character that the last piece ended in.
    high: Option<u16>,
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Utf16<R> {
    fn refill(&mut self) -> io::Result<()> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "is not valid UTF-16");
        let mut bytes = Vec::with_capacity(8192);
        self.input.by_ref().take(8192).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return if self.high.is_some() {
                Err(wrong())
            } else {
                Ok(())
            };
        }
        let (pairs, []) = bytes.as_chunks::<2>() else {
            return Err(wrong());
        };
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.iter().map(|pair| (self.unit)(*pair)));
        self.high = units.pop_if(|last| (0xd800..0xdc00).contains(last));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        self.text = Cursor::new(text.map_err(|_| wrong())?.into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            self.refill()?;
            if self.text.get_ref().len() as u64 == self.text.position() && self.high.is_none() {
                return Ok(0);
            }
        }
    }
}
