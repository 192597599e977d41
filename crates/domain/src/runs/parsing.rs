//! What is taken from a model's output: all of it, its response, JSON, or JSON within its response.
//!
//! **Response.** It begins behind the first `<response>` and ends before the first `</response>`
//! that follows, whatever the case of the letters, and blank space around it is dropped. So
//! - tags are bare: `<response id="1">` is none,
//! - one within another is text: the inner end ends the outer one,
//! - an end without a beginning counts for nothing, a beginning without an end is a fault: the
//!   output was cut off, and half an answer is none,
//! - an empty response is an answer, and stays empty,
//! - what stands in `<thinking>…</thinking>` before it is no answer: models tell there which tags
//!   they are about to write. It counts only where no response follows outside of it.
//!
//! **JSON.** One value, which may stand in a fence (three backticks, with or without the word
//! `json`) and after a byte order mark. Nothing else may stand around it. It is laid out anew by
//! [`json`], with every word of it as the model wrote it.

mod json;

use crate::prompts::ExpectedOutput;

/// Why nothing can be taken from an output, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is no `<response>`.
    #[error("The output has no <response>.")]
    NoResponse,
    /// The first `<response>` does not end.
    #[error("The output begins a <response> and does not end it.")]
    OpenResponse,
    /// There is nothing where JSON is expected.
    #[error("JSON is expected, and there is nothing.")]
    Nothing,
    /// What should be JSON is not; why, and where.
    #[error("What should be JSON is not: {0}.")]
    NotJson(String),
    /// It is JSON of more levels than are read.
    #[error("The JSON is nested in more than {} levels.", json::MOST_LEVELS)]
    TooDeep,
}

/// What is expected of this output, taken from it.
pub fn parse(expected: ExpectedOutput, output: &str) -> Result<String, Malformed> {
    match expected {
        ExpectedOutput::None => Ok(output.to_owned()),
        ExpectedOutput::Response => response(output).map(str::to_owned),
        ExpectedOutput::Json => json::laid_out(output),
        ExpectedOutput::ResponseAndJson => json::laid_out(response(output)?),
    }
}

/// The first response of an output, trimmed.
pub fn response(output: &str) -> Result<&str, Malformed> {
    let answer = beyond_thoughts(output);
    let begin = tag(output, "<response>", answer)
        .or_else(|| tag(output, "<response>", 0))
        .ok_or(Malformed::NoResponse)?;
    let inside = &output[begin + "<response>".len()..];
    let end = tag(inside, "</response>", 0).ok_or(Malformed::OpenResponse)?;
    Ok(inside[..end].trim())
}

/// An output without the thoughts that stand before anything else is said.
pub fn without_thoughts(output: &str) -> &str {
    &output[beyond_thoughts(output)..]
}

/// Where the last of those thoughts ends that stand before the first response; 0 if there are none.
fn beyond_thoughts(output: &str) -> usize {
    let mut answer = 0;
    while let Some(thoughts) = tag(output, "<thinking>", answer) {
        let response = tag(&output[..thoughts], "<response>", answer);
        match tag(output, "</thinking>", thoughts) {
            Some(end) if response.is_none() => answer = end + "</thinking>".len(),
            _ => break,
        }
    }
    answer
}

/// Where this tag stands next, at or after a place. It is ASCII in lower case.
fn tag(text: &str, tag: &str, from: usize) -> Option<usize> {
    let (text, tag) = (text.as_bytes(), tag.as_bytes());
    let found = text[from..]
        .windows(tag.len())
        .position(|part| part[0] == b'<' && part.eq_ignore_ascii_case(tag))?;
    Some(from + found)
}

#[cfg(test)]
mod tests;
