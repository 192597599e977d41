//! Every call that embeds or generates, with its texts and its times, for tests that ask which calls
//! were wasted.

use std::time::Instant;

use domain::documents::Sha256;
use serde_json::Value;

use super::counters::Received;

/// A call for embeddings or for an answer.
#[derive(Debug, Clone)]
pub struct LedgerCall {
    /// The key it carried, which tells processes apart.
    pub key: String,
    /// When it came.
    pub began: Instant,
    /// When it was answered or its connection broke.
    pub ended: Option<Instant>,
    /// What was to be embedded, or the one question ([`question`]).
    pub texts: Vec<Sha256>,
}

impl LedgerCall {
    /// Whether it was under way at that moment.
    pub fn under_way(&self, moment: Instant) -> bool {
        self.began <= moment && self.ended.is_none_or(|ended| ended > moment)
    }
}

/// The calls, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<LedgerCall>);

impl Ledger {
    /// Enters a call and gives the place of its entry; `None` if it does neither.
    pub(super) fn enter(&mut self, call: &Received) -> Option<usize> {
        let body = call.json();
        let texts = match call.method.as_str() {
            "batchEmbedContents" => body["requests"].as_array()?.iter().map(text).collect(),
            "embedContent" => vec![text(&body)],
            "generateContent" => {
                let asked = body["contents"][0]["parts"][0]["text"].as_str();
                vec![question(&call.model, asked.unwrap_or_default())]
            }
            _ => return None,
        };
        let key = call.headers.get("x-goog-api-key");
        self.0.push(LedgerCall {
            key: key.cloned().unwrap_or_default(),
            began: Instant::now(),
            ended: None,
            texts,
        });
        Some(self.0.len() - 1)
    }

    pub(super) fn close(&mut self, place: usize) {
        if let Some(call) = self.0.get_mut(place) {
            call.ended = Some(Instant::now());
        }
    }

    pub(super) fn calls(&self) -> Vec<LedgerCall> {
        self.0.clone()
    }
}

/// A question as it is entered: its text, and the model that is asked.
pub fn question(model: &str, text: &str) -> Sha256 {
    Sha256::of(format!("{model}\n{text}").as_bytes())
}

fn text(request: &Value) -> Sha256 {
    let text = request["content"]["parts"][0]["text"].as_str();
    Sha256::of(text.unwrap_or_default().as_bytes())
}
