//! What a call costs: prices change at announced moments and step up with the size of the input.
//!
//! **Rounding.** A price is dollars for a million tokens. The products of tokens and prices are
//! added exactly, in millionths of a nano-dollar, and the sum is rounded up to a whole nano-dollar,
//! once for each call: nothing that costs is ever counted as nothing. With list prices, which have
//! at most three places, a token costs whole nano-dollars, so that there is nothing to round and
//! costs add up as their tokens do.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Usd;
use crate::{Fault, page::Moment, providers::generate::Usage};

/// Tokens that a price is for.
const MILLION: i128 = 1_000_000;

/// What a million tokens cost from a moment on, and from a size of the input on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, deserr::Deserr)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct Price {
    /// The first moment at which it holds.
    #[deserr(from(Moment) = time_of)]
    pub effective_from: DateTime<Utc>,
    /// The least tokens of input for which it holds; 0 for the price that others step up from.
    #[serde(default)]
    #[deserr(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub tier_from_input_tokens: u32,
    /// US dollars for a million tokens of input.
    pub input: Usd,
    /// The same for input that came from the provider's cache; as other input, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub cached_input: Option<Usd>,
    /// The same for input that was written to the provider's cache; as other input, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub cache_write: Option<Usd>,
    /// US dollars for a million tokens of output, thinking included.
    #[serde(default)]
    #[deserr(default)]
    pub output: Usd,
    /// The same for tokens that make up pictures; as other output, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub output_image: Option<Usd>,
}

fn time_of(moment: Moment) -> DateTime<Utc> {
    moment.0
}

impl Price {
    /// Millionths of a nano-dollar for this usage.
    fn exact(&self, usage: &Usage) -> i128 {
        let plain_input = usage
            .input
            .saturating_sub(usage.cached_input)
            .saturating_sub(usage.cache_write);
        let plain_output = usage.output.saturating_sub(usage.image_output);
        [
            (plain_input, self.input),
            (usage.cached_input, self.cached_input.unwrap_or(self.input)),
            (usage.cache_write, self.cache_write.unwrap_or(self.input)),
            (plain_output, self.output),
            (usage.image_output, self.output_image.unwrap_or(self.output)),
        ]
        .iter()
        .map(|(tokens, price)| i128::from(*tokens).saturating_mul(price.nanos()))
        .fold(0, i128::saturating_add)
    }
}

/// What a call of this usage, made at this moment, costs: by the step that holds at that time, and
/// within it by the highest tier that the input reaches. `None` where no price is known.
pub fn cost(prices: &[Price], usage: &Usage, at: DateTime<Utc>) -> Option<Usd> {
    let price = in_force(prices, usage.input, at)?;
    let exact = price.exact(usage);
    Some(Usd::from_nanos(
        exact.div_euclid(MILLION) + i128::from(exact.rem_euclid(MILLION) > 0),
    ))
}

/// The price that holds at this moment for an input of this size.
pub fn in_force(prices: &[Price], input_tokens: u64, at: DateTime<Utc>) -> Option<&Price> {
    let step = prices
        .iter()
        .map(|price| price.effective_from)
        .filter(|from| *from <= at)
        .max()?;
    prices
        .iter()
        .filter(|price| price.effective_from == step)
        .filter(|price| u64::from(price.tier_from_input_tokens) <= input_tokens)
        .max_by_key(|price| price.tier_from_input_tokens)
}

/// Everything that is wrong with a list of prices: the place of each in the list, its member, and
/// a sentence.
pub fn faults(prices: &[Price]) -> Vec<(usize, &'static str, Fault)> {
    let mut faults = Vec::new();
    if prices.len() > MOST_PRICES {
        let sentence = format!("must have at most {MOST_PRICES} prices");
        return vec![(MOST_PRICES, "effectiveFrom", Fault(sentence))];
    }
    for (place, price) in prices.iter().enumerate() {
        let amounts = [
            ("input", Some(price.input)),
            ("cachedInput", price.cached_input),
            ("cacheWrite", price.cache_write),
            ("output", Some(price.output)),
            ("outputImage", price.output_image),
        ];
        for (member, amount) in amounts {
            if amount.is_some_and(|amount| !(Usd::ZERO..=MOST).contains(&amount)) {
                let sentence = "must be at least 0 and at most 1000000";
                faults.push((place, member, Fault(sentence.into())));
            }
        }
        let same_step = |other: &&Price| other.effective_from == price.effective_from;
        let tier = price.tier_from_input_tokens;
        if prices[..place]
            .iter()
            .filter(same_step)
            .any(|other| other.tier_from_input_tokens == tier)
        {
            let sentence = "repeats the tier of an earlier price of the same moment";
            faults.push((place, "tierFromInputTokens", Fault(sentence.into())));
        }
        if !prices
            .iter()
            .filter(same_step)
            .any(|other| other.tier_from_input_tokens == 0)
        {
            let sentence = "needs a price of the same moment from 0 tokens on";
            faults.push((place, "tierFromInputTokens", Fault(sentence.into())));
        }
    }
    faults
}

/// What a model costs over time. In Postgres it is `jsonb` with the amounts as texts.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(transparent)]
pub struct Prices(pub Vec<Price>);

jsonb!(Prices);

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Prices {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let prices = <Vec<Price> as deserr::Deserr<E>>::deserialize_from_value(value, location)?;
        let mut found = None;
        for (place, member, fault) in faults(&prices) {
            let at = location.push_index(place);
            let fault = deserr::ErrorKind::Unexpected { msg: fault.0 };
            match E::error::<V>(found, fault, at.push_key(member)) {
                std::ops::ControlFlow::Continue(error) => found = Some(error),
                std::ops::ControlFlow::Break(error) => return Err(error),
            }
        }
        found.map_or(Ok(Self(prices)), Err)
    }
}

/// The most prices of one model.
const MOST_PRICES: usize = 100;

/// The highest price of a million tokens that is believed: a dollar a token.
const MOST: Usd = Usd::from_nanos(1_000_000_000_000_000);

#[cfg(test)]
mod tests;
