//! Lists in pages: how many rows, and from where on.

use crate::Fault;

/// How many rows a page holds, 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(i64);

impl Limit {
    /// What most lists answer when nothing is asked.
    pub const DEFAULT: Self = Self(100);

    /// The most any list answers, and the default of lists that front ends show whole.
    pub const MOST: Self = Self(1000);

    /// The number of rows, for a query.
    pub fn rows(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Limit {
    type Error = Fault;
    fn try_from(rows: i64) -> Result<Self, Fault> {
        if (1..=1000).contains(&rows) {
            Ok(Self(rows))
        } else {
            Err(Fault("must be between 1 and 1000".into()))
        }
    }
}

impl std::str::FromStr for Limit {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        text.parse::<i64>()
            .map_err(|_| Fault("must be between 1 and 1000".into()))?
            .try_into()
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Limit {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A moment in a query, RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub chrono::DateTime<chrono::Utc>);

impl std::str::FromStr for Moment {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.to_utc()))
            .map_err(|_| Fault("must be a time such as 2026-01-31T12:00:00Z".into()))
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Moment {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

/// A day, as `2026-01-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub chrono::NaiveDate);

impl std::str::FromStr for Day {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        text.parse()
            .map(Self)
            .map_err(|_| Fault("must be a day such as 2026-01-31".into()))
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Day {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

/// A page of rows, and the key of its last row when more may follow.
#[derive(Debug, Clone)]
pub struct Page<T, K> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Makes a page from one row more than was asked for: the surplus row proves that more follow.
    pub fn from_surplus(mut rows: Vec<T>, limit: Limit, key: impl FnOnce(&T) -> K) -> Self {
        let size = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next = if more { rows.last().map(key) } else { None };
        Self { rows, next }
    }
}
