//! Server-sent events as a browser reads them: a frame ends with a blank line, and what a broken
//! connection leaves unfinished never came.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Cuts a stream of bytes into frames.
#[derive(Default)]
pub struct Frames {
    rest: Vec<u8>,
}

impl Frames {
    /// Gives each frame that these bytes complete.
    pub fn take(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.rest.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = self.rest[start..]
            .windows(2)
            .position(|pair| pair == b"\n\n")
        {
            each(std::str::from_utf8(&self.rest[start..start + length])?)?;
            start += length + 2;
        }
        self.rest.drain(..start);
        Ok(())
    }

    /// Whether a frame has begun that was not finished.
    pub fn is_in_the_middle(&self) -> bool {
        !self.rest.is_empty()
    }
}

/// An event as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its number.
    pub id: i64,
    /// What happened.
    pub kind: &'a str,
    /// To which cell; empty if to the whole run.
    pub cell: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    kind: &'a str,
    #[serde(borrow)]
    cell_id: Option<&'a str>,
    at: DateTime<Utc>,
}

impl<'a> Event<'a> {
    /// The event in a frame; none in a comment or a hint.
    pub fn of(frame: &'a str) -> anyhow::Result<Option<Self>> {
        let line = |name| frame.lines().find_map(|line| line.strip_prefix(name));
        let Some(id) = line("id: ") else {
            return Ok(None);
        };
        let data: Data<'a> =
            serde_json::from_str(line("data: ").context("an event says nothing")?)?;
        Ok(Some(Self {
            id: id.parse()?,
            kind: data.kind,
            cell: data.cell_id.unwrap_or_default(),
            at: data.at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_same_wherever_the_stream_is_cut() {
        let stream = b"retry: 1000\n\n:\n\nid: 7\ndata: {\"kind\":\"a\",\"at\":\"2026-11-21T10:00:00Z\"}\n\nid: 8";
        for cut in 0..stream.len() {
            let (mut frames, mut ids, mut count) = (Frames::default(), Vec::new(), 0);
            for part in [&stream[..cut], &stream[cut..]] {
                let took = frames.take(part, |frame| {
                    count += 1;
                    ids.extend(Event::of(frame)?.map(|event| (event.id, event.kind.to_owned())));
                    Ok(())
                });
                took.expect("frames");
            }
            assert_eq!((count, ids), (3, vec![(7, "a".to_owned())]), "cut at {cut}");
            assert!(frames.is_in_the_middle());
        }
    }
}
