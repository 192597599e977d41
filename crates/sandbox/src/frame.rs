//! What crosses the wall: frames of a length and so many bytes. A call is its seed, its body and its inputs as JSON; an
//! answer is JSON, or a [`CallError`] as JSON.

use std::io::{self, Read, Write};

use crate::CallError;

/// The most bytes that a body may have.
pub const MAX_BODY_BYTES: usize = 256 << 10;

/// The most bytes that inputs may have as JSON.
pub const MAX_INPUTS_BYTES: usize = 5 << 20;

/// The most bytes that a result may have as JSON.
pub const MAX_RESULT_BYTES: usize = 5 << 20;

/// The most bytes of a frame either way: what is larger comes from somebody who does not keep to the rules.
pub(crate) const MAX_FRAME_BYTES: usize = 6 << 20;

/// What a frame of a child begins with.
const READY: u8 = 0;
const VALUE: u8 = 1;
const ERROR: u8 = 2;
const BROKEN: u8 = 3;

/// What the child is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    /// Where random numbers start.
    pub seed: u64,
    /// The function's body.
    pub body: &'a str,
    /// Its inputs, a JSON object; without them the body is compiled and not run.
    pub inputs: Option<&'a str>,
}

/// What the child says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It gave up what it does not need and waits for calls.
    Ready,
    /// It cannot.
    Broken(String),
    /// The result, as JSON.
    Value(Vec<u8>),
    /// There is none.
    Error(CallError),
}

impl<'a> Question<'a> {
    /// As a frame, length included.
    pub fn to_frame(&self) -> Vec<u8> {
        let inputs = self.inputs.unwrap_or_default();
        let mut frame = Vec::with_capacity(16 + self.body.len() + inputs.len());
        frame.extend([0; 4]);
        frame.extend(self.seed.to_le_bytes());
        frame.extend(length(self.body.len()));
        frame.extend(self.body.as_bytes());
        frame.extend(inputs.as_bytes());
        let rest = length(frame.len() - 4);
        frame[..4].copy_from_slice(&rest);
        frame
    }

    /// Reads what follows a frame's length.
    pub fn parse(frame: &'a [u8]) -> io::Result<Self> {
        let parse = || {
            let (seed, rest) = frame.split_first_chunk::<8>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (body, inputs) = rest.split_at_checked(length)?;
            let inputs = str::from_utf8(inputs).ok()?;
            Some(Self {
                seed: u64::from_le_bytes(*seed),
                body: str::from_utf8(body).ok()?,
                inputs: (!inputs.is_empty()).then_some(inputs),
            })
        };
        parse().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a call"))
    }
}

impl Answer {
    /// Writes a frame.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let (kind, content) = match self {
            Self::Ready => (READY, Vec::new()),
            Self::Broken(complaint) => (BROKEN, complaint.clone().into_bytes()),
            Self::Value(json) => (VALUE, json.clone()),
            Self::Error(error) => (ERROR, serde_json::to_vec(error)?),
        };
        let mut frame = Vec::with_capacity(5 + content.len());
        frame.extend(length(content.len() + 1));
        frame.push(kind);
        frame.extend(content);
        to.write_all(&frame)?;
        to.flush()
    }

    /// Reads what follows a frame's length. Who wrote it is not trusted.
    pub fn parse(mut frame: Vec<u8>) -> io::Result<Self> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidData, "the child answers nonsense");
        let kind = *frame.first().ok_or_else(invalid)?;
        frame.remove(0);
        match kind {
            READY => Ok(Self::Ready),
            VALUE => Ok(Self::Value(frame)),
            ERROR => Ok(Self::Error(serde_json::from_slice(&frame)?)),
            BROKEN => Ok(Self::Broken(String::from_utf8_lossy(&frame).into_owned())),
            _ => Err(invalid()),
        }
    }
}

/// Reads a frame without its length into `frame`; `false` at the end of all frames.
pub(crate) fn read(from: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<bool> {
    let mut head = [0; 4];
    if from.read(&mut head[..1])? == 0 {
        return Ok(false);
    }
    from.read_exact(&mut head[1..])?;
    frame.clear();
    frame.resize(announced(head)?, 0);
    from.read_exact(frame)?;
    Ok(true)
}

/// The length of a frame, if frames may be so long.
pub(crate) fn announced(head: [u8; 4]) -> io::Result<usize> {
    usize::try_from(u32::from_le_bytes(head))
        .ok()
        .filter(|length| *length <= MAX_FRAME_BYTES)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"))
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes)
        .expect("a frame is a few MiB")
        .to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_arrives_as_it_was_sent() {
        for inputs in [None, Some(r#"{"name":"Zoë"}"#)] {
            let sent = Question {
                seed: u64::MAX,
                body: "return 1 // …",
                inputs,
            };
            let mut frame = Vec::new();
            assert!(read(&mut sent.to_frame().as_slice(), &mut frame).unwrap());
            assert_eq!(Question::parse(&frame).unwrap(), sent);
        }
    }

    #[test]
    fn an_answer_arrives_as_it_was_sent() {
        let mut sent = Vec::new();
        let error = CallError::Time { millis: 7 };
        Answer::Error(error).write(&mut sent).unwrap();
        let mut frame = Vec::new();
        assert!(read(&mut sent.as_slice(), &mut frame).unwrap());
        let answer = Answer::parse(frame).unwrap();
        assert!(matches!(
            answer,
            Answer::Error(CallError::Time { millis: 7 })
        ));
    }

    #[test]
    fn nonsense_is_refused_and_not_believed() {
        assert!(Question::parse(b"short").is_err());
        assert!(Question::parse(&[255; 20]).is_err());
        assert!(Answer::parse(vec![]).is_err());
        assert!(Answer::parse(vec![9]).is_err());
        assert!(Answer::parse(b"\x02{\"kind\":\"failed\"}".to_vec()).is_err());
        assert!(announced([255; 4]).is_err());
        assert!(!read(&mut [].as_slice(), &mut Vec::new()).unwrap());
        assert!(read(&mut [1].as_slice(), &mut Vec::new()).is_err());
    }
}
