//! Directives: what a prompt tells the mock provider to do, such as
//! `[[mock: latency=200ms, error=overloaded]]`.
//!
//! They may stand anywhere in the system instruction or a turn of the user, are taken out of the
//! text before it is answered, and a later one overrules an earlier. They are read strictly: a word
//! nobody knows is an error that names it, since a misspelt `eror` that changes nothing would make
//! a test pass for the wrong reason.
//!
//! | directive | effect |
//! | --- | --- |
//! | `latency=200ms` | the answer, or its first word, takes so long (`ms`, `s`; at most 10 minutes) |
//! | `slow-stream`, `slow-stream=50ms` | a stream pauses so long between words (50 ms if unsaid) |
//! | `error=NAME` | the call fails: `overloaded`, `unauthorized`, `out-of-credit`, `refused`, `too-long`, `invalid`, `malformed`, `timeout` |
//! | `rate-limit=31s` | the call fails: not again before this time |
//! | `quota-spent=1h` | the call fails: the day's quota is spent for so long (`ms`, `s`, `m`, `h`) |
//! | `say="text"` | the answer is this text, written as a JSON string |
//! | `echo` | the answer is the text of the user's last turn |
//! | `judge` | the answer is `yes` if `<output>…</output>` says the same as `<expected>…</expected>`, whatever the case and the space around it, else `no` |
//! | `unsure=0.2` | this share of all questions, always the same ones, is answered `I do not know.` |
//! | `malformed` | the answer is not the JSON that was asked for, and cannot be mended |
//! | `malformed=once` | so until the conversation holds an answer of the model |
//! | `malformed=fenced` | the JSON stands between words and a Markdown fence, and can be mended |
//! | `refuse` | the answer is withheld |
//! | `truncate`, `truncate=12` | the answer ends at half, or after so many words |
//! | `break` | a stream breaks off with an error in its middle; a whole answer never comes |
//! | `usage=1000/200` | these tokens of input and output were used |
//! | `model-version=NAME` | this model claims to have answered |

use std::time::Duration;

use serde::Deserialize;

/// No directive waits for longer.
const LONGEST_LATENCY: Duration = Duration::from_secs(600);

/// The pause of a slow stream that names none.
const SLOW: Duration = Duration::from_millis(50);

/// What a directive begins with.
const OPEN: &str = "[[mock:";

/// What a directive ends with.
const CLOSE: &str = "]]";

/// What the directives of a prompt ask for together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directives {
    /// How long the answer takes.
    pub latency: Duration,
    /// How long a stream pauses between words.
    pub pause: Duration,
    /// How the call fails.
    pub failure: Option<Failure>,
    /// What the answer is, in place of one made from the prompt.
    pub answer: Option<Answer>,
    /// The share of questions whose answer is not known, in thousandths.
    pub unsure: Option<u16>,
    /// In which way JSON is not what was asked for.
    pub malformed: Option<Malformed>,
    /// Whether the answer is withheld.
    pub refuse: bool,
    /// Where the answer is cut.
    pub truncate: Option<Truncate>,
    /// Whether a stream breaks off.
    pub breaks: bool,
    /// Tokens of input and output that are said to have been used.
    pub usage: Option<(u64, u64)>,
    /// The model that claims to have answered.
    pub model_version: Option<String>,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The provider has trouble.
    Overloaded,
    /// The key is refused.
    Unauthorized,
    /// The account is empty.
    OutOfCredit,
    /// The content is refused.
    Refused,
    /// The input is too long.
    TooLong,
    /// The request is not accepted.
    Invalid,
    /// The answer cannot be read.
    Malformed,
    /// No answer came.
    Timeout,
    /// Too many calls; not again before so long.
    RateLimited(Duration),
    /// The day's quota is spent for so long.
    QuotaSpent(Duration),
}

/// An answer that is not made from the prompt's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This text.
    Say(String),
    /// The text of the user's last turn.
    Echo,
    /// Whether the output that is shown is the one that is expected.
    Judge,
}

/// How an answer is not the JSON it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It cannot be mended.
    Always,
    /// It cannot be mended, until the model is shown an answer it gave.
    Once,
    /// Words and a fence stand around it.
    Fenced,
}

/// Where an answer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncate {
    /// After half of its words.
    Half,
    /// After so many words.
    After(usize),
}

/// What is wrong with a directive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectiveError {
    /// It has no end.
    #[error("a mock directive is not closed by ]]")]
    Unclosed,
    /// Nothing stands where a directive should.
    #[error("a mock directive is empty")]
    Empty,
    /// Its name means nothing.
    #[error("the mock knows no directive {0:?}")]
    Unknown(String),
    /// Its value is missing or means nothing.
    #[error("the mock directive {name} cannot be {value:?}; it takes {takes}")]
    Value {
        /// The directive.
        name: String,
        /// What was given.
        value: String,
        /// What is taken.
        takes: &'static str,
    },
}

impl Directives {
    /// Takes the directives out of a text, adds them to these, and gives back the rest.
    pub fn take_from(&mut self, text: &str) -> Result<String, DirectiveError> {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once(OPEN) {
            kept.push_str(before);
            rest = self.read(inside)?;
        }
        kept.push_str(rest);
        Ok(kept)
    }

    /// Reads directives up to their end, and gives back what follows it.
    fn read<'a>(&mut self, inside: &'a str) -> Result<&'a str, DirectiveError> {
        let mut rest = inside.trim_start();
        loop {
            let (name, value, after) = item(rest)?;
            self.apply(name, value.as_deref())?;
            rest = match after.strip_prefix(',') {
                Some(more) => more.trim_start(),
                None => return after.strip_prefix(CLOSE).ok_or(DirectiveError::Unclosed),
            };
        }
    }

    fn apply(&mut self, name: &str, value: Option<&str>) -> Result<(), DirectiveError> {
        let wrong = |takes| DirectiveError::Value {
            name: name.to_owned(),
            value: value.unwrap_or_default().to_owned(),
            takes,
        };
        let short = || {
            value
                .and_then(short_time)
                .ok_or(wrong("a time up to 10 minutes, such as 200ms or 2s"))
        };
        let long = || value.and_then(time).ok_or(wrong("a time, such as 31s"));
        match (name, value) {
            ("latency", _) => self.latency = short()?,
            ("slow-stream", None) => self.pause = SLOW,
            ("slow-stream", _) => self.pause = short()?,
            ("error", _) => {
                let failure = value.and_then(failure).ok_or(wrong(FAILURES))?;
                self.failure = Some(failure);
            }
            ("rate-limit", _) => self.failure = Some(Failure::RateLimited(long()?)),
            ("quota-spent", _) => self.failure = Some(Failure::QuotaSpent(long()?)),
            ("say", Some(text)) => self.answer = Some(Answer::Say(text.to_owned())),
            ("echo", None) => self.answer = Some(Answer::Echo),
            ("judge", None) => self.answer = Some(Answer::Judge),
            ("unsure", _) => {
                let share = value.and_then(thousandths);
                self.unsure = Some(share.ok_or(wrong("a share from 0 to 1, such as 0.2"))?);
            }
            ("malformed", None) => self.malformed = Some(Malformed::Always),
            ("malformed", Some("once")) => self.malformed = Some(Malformed::Once),
            ("malformed", Some("fenced")) => self.malformed = Some(Malformed::Fenced),
            ("refuse", None) => self.refuse = true,
            ("truncate", None) => self.truncate = Some(Truncate::Half),
            ("truncate", Some(words)) => {
                let words = words.parse().map_err(|_| wrong("a number of words"))?;
                self.truncate = Some(Truncate::After(words));
            }
            ("break", None) => self.breaks = true,
            ("usage", _) => {
                let usage = value.and_then(usage);
                self.usage =
                    Some(usage.ok_or(wrong("tokens of input and output, such as 1000/200"))?);
            }
            ("model-version", Some(model)) if !model.is_empty() => {
                self.model_version = Some(model.to_owned());
            }
            ("say" | "model-version", _) => return Err(wrong("a text")),
            ("malformed", _) => return Err(wrong("once, fenced or nothing")),
            ("echo" | "judge" | "refuse" | "break", _) => return Err(wrong("nothing")),
            _ => return Err(DirectiveError::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

/// The name of the next directive, its value, and what follows.
fn item(text: &str) -> Result<(&str, Option<String>, &str), DirectiveError> {
    let is_name = |char: char| char.is_ascii_lowercase() || char == '-';
    let end = text
        .find(|char| !is_name(char))
        .ok_or(DirectiveError::Unclosed)?;
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        let odd = rest.trim_start();
        return match name {
            _ if !odd.starts_with([',', ']']) => Err(DirectiveError::Unknown(shown(text))),
            "" => Err(DirectiveError::Empty),
            _ => Ok((name, None, odd)),
        };
    };
    let value = value.trim_start();
    if value.starts_with('"') {
        return quoted(name, value);
    }
    let end = value.find(CLOSE).ok_or(DirectiveError::Unclosed)?;
    let end = value[..end].find(',').unwrap_or(end);
    Ok((name, Some(value[..end].trim().to_owned()), &value[end..]))
}

/// A value written as a JSON string, in which anything may stand, the end of a directive too.
fn quoted<'a>(
    name: &'a str,
    value: &'a str,
) -> Result<(&'a str, Option<String>, &'a str), DirectiveError> {
    let mut reader = serde_json::Deserializer::from_str(value).into_iter::<Text>();
    match reader.next() {
        Some(Ok(Text(text))) => Ok((name, Some(text), value[reader.byte_offset()..].trim_start())),
        _ => Err(DirectiveError::Value {
            name: name.to_owned(),
            value: shown(value),
            takes: "a text written as a JSON string",
        }),
    }
}

#[derive(Deserialize)]
struct Text(String);

/// The beginning of what cannot be read.
fn shown(text: &str) -> String {
    let end = text.find(CLOSE).unwrap_or(text.len());
    text[..end].chars().take(40).collect()
}

const FAILURES: &str =
    "overloaded, unauthorized, out-of-credit, refused, too-long, invalid, malformed or timeout";

fn failure(name: &str) -> Option<Failure> {
    Some(match name {
        "overloaded" => Failure::Overloaded,
        "unauthorized" => Failure::Unauthorized,
        "out-of-credit" => Failure::OutOfCredit,
        "refused" => Failure::Refused,
        "too-long" => Failure::TooLong,
        "invalid" => Failure::Invalid,
        "malformed" => Failure::Malformed,
        "timeout" => Failure::Timeout,
        _ => return None,
    })
}

fn usage(text: &str) -> Option<(u64, u64)> {
    let (input, output) = text.split_once('/')?;
    Some((input.trim().parse().ok()?, output.trim().parse().ok()?))
}

/// A decimal from 0 to 1, of which three places count.
fn thousandths(text: &str) -> Option<u16> {
    let share: f64 = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 1000"
    )]
    Some((share * 1000.0).round() as u16)
}

fn short_time(text: &str) -> Option<Duration> {
    time(text).filter(|time| *time <= LONGEST_LATENCY)
}

/// A whole number and its unit, at most a week.
fn time(text: &str) -> Option<Duration> {
    let digits = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        _ => return None,
    };
    let time = Duration::from_millis(number.checked_mul(milliseconds)?);
    (time <= Duration::from_secs(7 * 24 * 60 * 60)).then_some(time)
}

#[cfg(test)]
mod tests;
