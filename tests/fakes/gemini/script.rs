//! The script: what goes wrong, with which call, how often.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// One entry of the script: which calls it waits for, and what happens to them.
///
/// Over HTTP the same names in camelCase, such as `{"method": "batchEmbedContents", "times": 2,
/// "status": 429, "quota": "perMinute", "retrySeconds": 1}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cue {
    /// Only calls of this method, such as `batchEmbedContents`.
    pub method: Option<String>,
    /// Only calls of this model.
    pub model: Option<String>,
    /// Only calls whose body contains this text.
    pub contains: Option<String>,
    /// How many matching calls pass untouched first.
    pub skip: u32,
    /// How many calls it happens to, once if unsaid; 0 is every one from now on.
    pub times: Option<u32>,

    /// How much longer the call takes.
    pub delay_ms: u64,
    /// The status of a refusal.
    pub status: Option<u16>,
    /// What the refusal says, in place of its usual words.
    pub message: Option<String>,
    /// The quota that a 429 names.
    pub quota: Option<Quota>,
    /// The wait that the refusal names in its details.
    pub retry_seconds: Option<f64>,
    /// The wait that the refusal names in its `Retry-After` header.
    pub retry_header: Option<String>,
    /// The reason in the details of a refusal, such as `API_KEY_INVALID`.
    pub reason: Option<String>,
    /// Whether the refusal is wrapped into an array.
    pub array: bool,
    /// This text instead of any body.
    pub body: Option<String>,
    /// How the connection breaks.
    pub breaks: Option<Break>,
    /// After how many events a stream breaks or is refused; after one if unsaid.
    pub after_events: Option<usize>,
    /// How long the body takes to arrive, piece by piece.
    pub slow_ms: u64,

    /// What the model says.
    pub text: Option<String>,
    /// Why the model stops, such as `SAFETY`.
    pub finish_reason: Option<String>,
    /// Why the prompt is blocked, such as `PROHIBITED_CONTENT`.
    pub block_reason: Option<String>,
    /// The model that claims to have answered.
    pub model_version: Option<String>,
    /// Whether the answer leaves out what it used.
    pub without_usage: bool,
}

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Break {
    /// Before any answer.
    Reset,
    /// In the middle of the body.
    Cut,
}

/// The quota that a 429 names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quota {
    /// Of the minute.
    PerMinute,
    /// Of the day.
    PerDay,
}

impl Cue {
    /// A refusal with this status.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Too many in a minute; come again after so many seconds.
    pub fn rate_limited(seconds: f64) -> Self {
        Self {
            quota: Some(Quota::PerMinute),
            retry_seconds: Some(seconds),
            ..Self::status(429)
        }
    }

    /// The day's quota is spent, though the hint says seconds.
    pub fn day_spent() -> Self {
        Self {
            quota: Some(Quota::PerDay),
            retry_seconds: Some(20.2),
            ..Self::status(429)
        }
    }

    /// A refusal of the key.
    pub fn bad_key() -> Self {
        Self {
            reason: Some("API_KEY_INVALID".into()),
            ..Self::status(400)
        }
    }

    /// A success with this text for a body.
    pub fn garbage(body: &str) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::default()
        }
    }

    /// A connection that breaks.
    pub fn breaks(breaks: Break) -> Self {
        Self {
            breaks: Some(breaks),
            ..Self::default()
        }
    }

    /// A body that takes this long.
    pub fn slow(milliseconds: u64) -> Self {
        Self {
            slow_ms: milliseconds,
            ..Self::default()
        }
    }

    /// A call that takes this much longer.
    pub fn delay(milliseconds: u64) -> Self {
        Self {
            delay_ms: milliseconds,
            ..Self::default()
        }
    }

    /// A reply with these words.
    pub fn says(text: &str) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// A reply that stops for this reason.
    pub fn finishes(reason: &str) -> Self {
        Self {
            finish_reason: Some(reason.into()),
            ..Self::default()
        }
    }

    /// A prompt that is blocked for this reason.
    pub fn blocks(reason: &str) -> Self {
        Self {
            block_reason: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Only for calls of this method.
    #[must_use]
    pub fn on(self, method: &str) -> Self {
        Self {
            method: Some(method.into()),
            ..self
        }
    }

    /// Only for calls whose body contains this text.
    #[must_use]
    pub fn containing(self, text: &str) -> Self {
        Self {
            contains: Some(text.into()),
            ..self
        }
    }

    /// For so many calls; 0 is every one from now on.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Only after so many matching calls.
    #[must_use]
    pub fn after(self, calls: u32) -> Self {
        Self {
            skip: calls,
            ..self
        }
    }

    fn awaits(&self, method: &str, model: &str, body: &[u8]) -> bool {
        let is =
            |wanted: &Option<String>, given| wanted.as_deref().is_none_or(|wanted| wanted == given);
        is(&self.method, method)
            && is(&self.model, model)
            && self.contains.as_deref().is_none_or(|text| has(body, text))
    }
}

fn has(body: &[u8], text: &str) -> bool {
    text.is_empty()
        || body
            .windows(text.len())
            .any(|window| window == text.as_bytes())
}

/// The cues that are left, in order.
#[derive(Debug, Default)]
pub(super) struct Script(VecDeque<Cue>);

impl Script {
    pub(super) fn add(&mut self, cues: impl IntoIterator<Item = Cue>) {
        self.0.extend(cues);
    }

    /// What happens to this call: the first cue that waits for it and has let enough pass.
    pub(super) fn next(&mut self, method: &str, model: &str, body: &[u8]) -> Cue {
        let place = self.0.iter_mut().position(|cue| {
            let mine = cue.awaits(method, model, body);
            let passes = mine && cue.skip > 0;
            cue.skip -= u32::from(passes);
            mine && !passes
        });
        place.map(|place| self.play(place)).unwrap_or_default()
    }

    fn play(&mut self, place: usize) -> Cue {
        let cue = &mut self.0[place];
        let played = cue.clone();
        match cue.times.unwrap_or(1) {
            0 => {}
            1 => drop(self.0.remove(place)),
            more => cue.times = Some(more - 1),
        }
        played
    }
}
