//! Every embedding call with its texts and its times, for tests that ask which calls were wasted.

use std::time::Instant;

use domain::documents::Sha256;
use serde_json::Value;

use super::counters::Received;

/// A call for embeddings.
#[derive(Debug, Clone)]
pub struct EmbedCall {
    /// The key it carried, which tells processes apart.
    pub key: String,
    /// When it came.
    pub began: Instant,
    /// When it was answered or its connection broke.
    pub ended: Option<Instant>,
    /// What was to be embedded.
    pub texts: Vec<Sha256>,
}

impl EmbedCall {
    /// Whether it was under way at that moment.
    pub fn under_way(&self, moment: Instant) -> bool {
        self.began <= moment && self.ended.is_none_or(|ended| ended > moment)
    }
}

/// The calls, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<EmbedCall>);

impl Ledger {
    /// Enters a call and gives the place of its entry; `None` if it does not embed.
    pub(super) fn enter(&mut self, call: &Received) -> Option<usize> {
        let requests = match (call.method.as_str(), call.json()) {
            ("batchEmbedContents", body) => body["requests"].as_array()?.clone(),
            ("embedContent", body) => vec![body],
            _ => return None,
        };
        let key = call.headers.get("x-goog-api-key");
        self.0.push(EmbedCall {
            key: key.cloned().unwrap_or_default(),
            began: Instant::now(),
            ended: None,
            texts: requests.iter().map(text).collect(),
        });
        Some(self.0.len() - 1)
    }

    pub(super) fn close(&mut self, place: usize) {
        if let Some(call) = self.0.get_mut(place) {
            call.ended = Some(Instant::now());
        }
    }

    pub(super) fn calls(&self) -> Vec<EmbedCall> {
        self.0.clone()
    }
}

fn text(request: &Value) -> Sha256 {
    let text = request["content"]["parts"][0]["text"].as_str();
    Sha256::of(text.unwrap_or_default().as_bytes())
}
