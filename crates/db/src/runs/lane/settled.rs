//! What is booked of a call, in the words of `settle.sql`.

use chrono::{DateTime, Utc};
use domain::{
    models::Usd,
    runs::{AttemptId, CellId, CellStatus, GradeId, GradeSource, Stage},
};
use serde::Serialize;

/// How a call for a cell ended, or what took its place. Texts hold no NUL.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact about a call"
)]
pub struct Settled {
    /// The order of the events in one batch; set by [`settle`](super::settle).
    pub place: usize,
    /// Which cell.
    pub cell: Option<CellId>,
    /// Which taking of it.
    pub claims: i32,
    /// Which attempt; none where no call was to be made.
    pub attempt: Option<AttemptId>,
    /// Whether the call was not made after all: its attempt is removed.
    pub withdrawn: bool,
    /// Whether nobody knows what the call cost: what was promised to it stays promised.
    pub unknown: bool,
    /// What the call was for.
    pub from_stage: Option<Stage>,
    /// Where the cell stands now.
    pub status: Option<CellStatus>,
    /// What it does next, or did last.
    pub stage: Option<Stage>,
    /// What is told in the run's events.
    pub event: Option<&'static str>,
    /// Calls of this stage that failed in a way that may pass.
    pub tries: i16,
    /// Not before this time again.
    pub not_before: Option<DateTime<Utc>>,
    /// Until then the provider of its column is not to be asked for any cell.
    pub parked_until: Option<DateTime<Utc>>,
    /// The output as it came.
    pub output_raw: Option<String>,
    /// The part of it that the prompt asked for.
    pub output_parsed: Option<String>,
    /// The grader's answer as it came.
    pub grader_output: Option<String>,
    /// What the checks found.
    pub checks: Option<serde_json::Value>,
    /// The grade that is in effect from now on, in millionths.
    pub grade: Option<u32>,
    /// Whose that is.
    pub grade_source: Option<GradeSource>,
    /// Judgements to be kept.
    pub grades: Vec<NewGrade>,
    /// Tokens of the input.
    pub tokens_in: i32,
    /// Tokens of the output, thinking included.
    pub tokens_out: i32,
    /// Tokens that were thoughts.
    pub tokens_thinking: i32,
    /// What the call cost.
    pub cost: Usd,
    /// Whether its price is known.
    pub priced: bool,
    /// How long it took.
    pub latency_ms: Option<i32>,
    /// In which bucket of the histogram that is.
    pub latency_bucket: Option<i16>,
    /// Whether a kept response took the place of the call.
    pub cached: bool,
    /// What went wrong, as a stable name.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub error_message: Option<String>,
    /// The model that answered, as it names itself.
    pub model_version: Option<String>,
    /// The provider's name for the answer.
    pub response_id: Option<String>,
}

impl Settled {
    /// About how many bytes its texts have.
    pub fn weight(&self) -> usize {
        let texts = [&self.output_raw, &self.output_parsed, &self.grader_output];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// A judgement to be kept.
#[derive(Debug, Clone, Serialize)]
pub struct NewGrade {
    /// Its id.
    pub id: GradeId,
    /// Who judged.
    pub source: GradeSource,
    /// The grade, in millionths.
    pub grade: u32,
    /// What it rests on.
    pub detail: Option<serde_json::Value>,
}
