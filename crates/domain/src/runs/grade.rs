//! Grades, and what a grader's reply says as one.
//!
//! **The scale of a reply.** *Yes* and *no* are 1 and 0. A number above 1 is on the scale from 1 to
//! 5 and becomes (n−1)/4; one below 1 is on the scale from 0 to 1 and stays. Between the two lies
//! `1`, the worst of one scale and the best of the other. Written as a whole number it is the 1 of
//! `1, 2, 3, 4, 5` and becomes 0; written with a point, `1.0`, it is the end of `0.0 … 1.0` and stays.
//! A grader that is asked for a share should be told to write two places.
//!
//! Whatever is neither is a failure of the grader and no grade: a zero would blame the output.

mod codec;

use super::parsing::{self, Malformed};

/// How good an output is, from 0 to 1, in whole millionths: so that grades add up exactly, in any
/// order. On the wire it is a number.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    utoipa::ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Integer)]
#[schema(value_type = f64, minimum = 0, maximum = 1, example = 0.75)]
pub struct Grade(u32);

impl Grade {
    /// As bad as it gets.
    pub const ZERO: Self = Self(0);
    /// As good as it gets.
    pub const ONE: Self = Self(1_000_000);
    /// The least grade that passes.
    pub const PASS: Self = Self(500_000);

    /// So many millionths; `None` beyond a million.
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::ONE.0 {
            Some(Self(millionths))
        } else {
            None
        }
    }

    /// The nearest grade to a share; `None` outside 0 to 1.
    pub fn from_share(share: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to a million"
        )]
        Some(Self((share * f64::from(Self::ONE.0)).round() as u32))
    }

    /// The grade in millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// The grade as a share of 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE.0)
    }

    /// Whether it is a pass: the better half of the scale, its middle included.
    pub fn passes(self) -> bool {
        self >= Self::PASS
    }
}

/// Why a grader's reply is no grade, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraderFailure {
    /// It begins a response and does not end it.
    #[error("The grader begins a <response> and does not end it.")]
    OpenResponse,
    /// It is neither yes nor no nor a number of a scale; its first words.
    #[error("The grader answered neither yes nor no, 1 to 5, or a number from 0 to 1, but: {0}")]
    NoGrade(String),
}

/// The most characters of a reply that a failure quotes.
const QUOTED: usize = 200;

/// What a grader's reply says. Its response counts if it has one, and otherwise all of it but its
/// thoughts; quotes, emphasis and full stops around the word do not matter.
pub fn from_grader(reply: &str) -> Result<Grade, GraderFailure> {
    let answer = match parsing::response(reply) {
        Ok(response) => response,
        Err(Malformed::OpenResponse) => return Err(GraderFailure::OpenResponse),
        Err(_) => parsing::without_thoughts(reply).trim(),
    };
    let word = answer
        .trim_start_matches(|c: char| c.is_whitespace() || "\"'`*_".contains(c))
        .trim_end_matches(|c: char| c.is_whitespace() || "\"'`*_.!?,;:。".contains(c));
    let grade = match word {
        yes if yes.eq_ignore_ascii_case("yes") => Some(Grade::ONE),
        no if no.eq_ignore_ascii_case("no") => Some(Grade::ZERO),
        number => on_scale(number),
    };
    grade.ok_or_else(|| GraderFailure::NoGrade(answer.chars().take(QUOTED).collect()))
}

/// A number of one of the two scales: digits with at most one point, and nothing else.
fn on_scale(number: &str) -> Option<Grade> {
    let digits = number.replacen('.', "", 1);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: f64 = number.parse().ok()?;
    if number == "1" {
        Some(Grade::ZERO)
    } else if value > 1.0 {
        Grade::from_share((value - 1.0) / 4.0)
    } else {
        Grade::from_share(value)
    }
}

#[cfg(test)]
mod tests;
