//! Money: US dollars in whole nano-dollars, so that nothing is ever lost to a binary fraction.

use std::{fmt, iter::Sum, ops};

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue, data_types::PgNumeric},
    serialize::{self, Output, ToSql},
    sql_types::Numeric,
};

use crate::Fault;

/// Places behind the point.
const PLACES: usize = 9;

/// Nano-dollars of a dollar.
const DOLLAR: i128 = 1_000_000_000;

/// The most digits before the point that are read: far beyond any bill, far below any overflow.
const MOST_DIGITS: usize = 12;

/// An amount of US dollars, exact to nine places. On the wire it is a decimal text such as
/// `"0.000123"`, in Postgres a `numeric`; it is never a float.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    utoipa::ToSchema,
    AsExpression,
    FromSqlRow,
)]
#[diesel(sql_type = Numeric)]
#[schema(value_type = String, example = "0.000123", pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$")]
pub struct Usd(i128);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many billionths of a dollar.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// The amount in billionths of a dollar.
    pub const fn nanos(self) -> i128 {
        self.0
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl std::str::FromStr for Usd {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let fault = || {
            Fault("must be a decimal text such as \"0.000123\", with up to 12 digits before the point and 9 behind it".into())
        };
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let are_digits = |part: &str, most| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !are_digits(whole, MOST_DIGITS) || !are_digits(fraction, PLACES) {
            return Err(fault());
        }
        let nanos: i128 = format!("{whole}{fraction:0<PLACES$}")
            .parse()
            .map_err(|_| fault())?;
        Ok(Self(sign * nanos))
    }
}

/// Without zeros at the end: `0.3`, `12`, `-0.000000001`.
impl fmt::Display for Usd {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let dollar = DOLLAR.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{:0PLACES$}", nanos % dollar);
        let text = format!("{sign}{}.{fraction}", nanos / dollar);
        to.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl serde::Serialize for Usd {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Usd {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Usd {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

impl ops::Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ops::Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl ops::AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, ops::Add::add)
    }
}

/// Postgres writes a number in digits to the base of 10000, the first of which counts
/// 10000^weight; three of them stand behind the point here.
const BASE: i128 = 10_000;

impl ToSql<Numeric, Pg> for Usd {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let mut digits = Vec::new();
        let mut rest = self
            .0
            .checked_abs()
            .and_then(|nanos| nanos.checked_mul(1000))
            .ok_or("an amount beyond all bounds")?;
        while rest > 0 {
            digits.push(i16::try_from(rest % BASE)?);
            rest /= BASE;
        }
        let weight = i16::try_from(digits.len())? - 4;
        digits.reverse();
        let scale = u16::try_from(PLACES)?;
        let number = if self.0 < 0 {
            PgNumeric::Negative {
                weight,
                scale,
                digits,
            }
        } else {
            PgNumeric::Positive {
                weight,
                scale,
                digits,
            }
        };
        ToSql::<Numeric, Pg>::to_sql(&number, &mut out.reborrow())
    }
}

impl FromSql<Numeric, Pg> for Usd {
    /// What lies behind the ninth place is cut off: only a mean has it.
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (sign, weight, digits) = match PgNumeric::from_sql(value)? {
            PgNumeric::Positive { weight, digits, .. } => (1, weight, digits),
            PgNumeric::Negative { weight, digits, .. } => (-1, weight, digits),
            PgNumeric::NaN => return Err("not a number is no amount".into()),
        };
        let mut nanos: i128 = 0;
        for (place, digit) in digits.into_iter().enumerate() {
            let power = 4 * (i64::from(weight) - i64::try_from(place)?) + 9;
            let digit = i128::from(digit);
            let scaled = match u32::try_from(power) {
                Ok(power) => 10_i128
                    .checked_pow(power)
                    .and_then(|factor| factor.checked_mul(digit)),
                Err(_) if power > -4 => Some(digit / 10_i128.pow(u32::try_from(-power)?)),
                Err(_) => Some(0),
            };
            nanos = scaled
                .and_then(|scaled| nanos.checked_add(scaled))
                .ok_or("an amount beyond all bounds")?;
        }
        Ok(Self(sign * nanos))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().expect("an amount")
    }

    #[test]
    fn an_amount_is_a_decimal_text_of_up_to_nine_places() {
        assert_eq!(usd("0.000123").nanos(), 123_000);
        assert_eq!(usd("12").nanos(), 12 * DOLLAR);
        assert_eq!(usd("-0.000000001").nanos(), -1);
        assert_eq!(usd("0.30").to_string(), "0.3");
        assert_eq!(usd("10").to_string(), "10");
        assert_eq!(usd("-0").to_string(), "0");
        assert_eq!(usd("999999999999.999999999").to_string().len(), 22);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "+1",
            "1e3",
            "1,5",
            " 1",
            "--1",
            "0.0000000001",
            "NaN",
            "1000000000000",
            "1.-5",
            "١",
        ] {
            assert!(text.parse::<Usd>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Usd>("0.5").is_err(), "a float");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos in -10_i128.pow(21)..10_i128.pow(21)) {
            let amount = Usd::from_nanos(nanos);
            prop_assert_eq!(amount.to_string().parse::<Usd>().expect("an amount"), amount);
        }
    }
}
