//! What calls may cost before they are made: the amount that is kept back for one, and the range in
//! which a run will lie.
//!
//! **The bound.** No token is shorter than a byte, so there are no more of them than bytes, besides
//! what providers add around the messages; the answer has no more than its limit, thoughts
//! included. Whatever tier the input reaches, however it divides into cached and written, the bound
//! takes the dearest. So what is kept back always covers what is paid, and a budget holds.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    models::{Price, Usd, cost, prices::in_force},
    providers::generate::Usage,
};

/// Tokens that providers add around what is sent.
const AROUND: u64 = 256;

/// The most tokens that a picture of the input counts as. Most models count some thousand at most;
/// one that sells its tokens cheap counts ten times as many.
const PICTURE: u64 = 50_000;

/// Bytes of a token in ordinary text, and the share of an answer's limit that is usually used, up to
/// so many tokens: for the lower end of an estimate, which promises nothing.
const USUAL_BYTES: u64 = 4;
const USUAL_SHARE: u32 = 16;
const USUAL_ANSWER: u32 = 256;

/// How large a call may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of all texts that are sent, instructions and schema of the answer included.
    pub request_bytes: u64,
    /// Pictures that are sent.
    pub pictures: u32,
    /// The most tokens of the answer, thoughts included.
    pub max_output_tokens: u32,
}

/// Between which amounts something will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Range {
    /// What it costs if texts and answers are as usual: a guess.
    pub low: Usd,
    /// What it costs at most, if nothing is tried again.
    pub high: Usd,
}

impl Bounds {
    /// The most tokens of the input.
    fn input_tokens(&self) -> u64 {
        self.request_bytes
            .saturating_add(AROUND)
            .saturating_add(u64::from(self.pictures) * PICTURE)
    }

    /// A usual call of this size.
    fn usual(&self) -> Usage {
        Usage {
            input: self.request_bytes.div_ceil(USUAL_BYTES),
            output: u64::from((self.max_output_tokens / USUAL_SHARE).clamp(1, USUAL_ANSWER)),
            ..Usage::default()
        }
    }
}

/// The most that a call of this size, made at this moment, can cost. `None` without a price.
pub fn reserve(prices: &[Price], bounds: Bounds, at: DateTime<Utc>) -> Option<Usd> {
    let input = bounds.input_tokens();
    let step = in_force(prices, input, at)?.effective_from;
    let reached = |price: &&Price| {
        price.effective_from == step && u64::from(price.tier_from_input_tokens) <= input
    };
    let usage = Usage {
        input,
        output: u64::from(bounds.max_output_tokens),
        ..Usage::default()
    };
    let dearest = |price: &Price| cost(&[at_its_dearest(price)], &usage, at);
    prices.iter().filter(reached).filter_map(dearest).max()
}

/// A price at which all input costs what the dearest costs, and all output as well.
fn at_its_dearest(price: &Price) -> Price {
    let input = [Some(price.input), price.cached_input, price.cache_write];
    let output = [Some(price.output), price.output_image];
    Price {
        effective_from: price.effective_from,
        tier_from_input_tokens: 0,
        input: input.into_iter().flatten().max().unwrap_or_default(),
        cached_input: None,
        cache_write: None,
        output: output.into_iter().flatten().max().unwrap_or_default(),
        output_image: None,
    }
}

/// In which range one call of this size lies. `None` without a price. Ranges of calls add up.
pub fn range(prices: &[Price], bounds: Bounds, at: DateTime<Utc>) -> Option<Range> {
    let high = reserve(prices, bounds, at)?;
    let low = cost(prices, &bounds.usual(), at)?.min(high);
    Some(Range { low, high })
}

impl std::ops::Add for Range {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }
}

impl std::iter::Sum for Range {
    fn sum<I: Iterator<Item = Self>>(ranges: I) -> Self {
        ranges.fold(Self::default(), std::ops::Add::add)
    }
}

#[cfg(test)]
mod tests;
