//! Numbers of a company over time: which stretches there are, and which days are asked for.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::{
    Fault,
    jobs::{Job, JobKind},
};

text_enum!(
    /// The length of a stretch of time, by the clock of UTC.
    Interval {
        /// An hour.
        Hour = "hour",
        /// A day.
        Day = "day",
        /// A week from Monday.
        Week = "week",
        /// A month.
        Month = "month",
    }
);

text_enum!(
    /// What numbers are told apart by.
    Dimension {
        /// Who generated.
        User = "user",
        /// The template.
        Template = "template",
        /// The tracker that the issue came from.
        Tracker = "tracker",
    }
);

/// Adds up what was generated since the last time.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct FoldStats {}

impl Job for FoldStats {
    const KIND: JobKind = JobKind::StatsFold;
}

/// The most days of a period.
const MOST_DAYS: i64 = 3_660;

/// The most stretches of a series.
pub const MOST_POINTS: i64 = 1_000;

/// Days from the first to the last, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

impl Period {
    /// These days; by default the thirty that end today, or as many before the last one. Faults name
    /// their member.
    pub fn new(
        first: Option<NaiveDate>,
        last: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Result<Self, (&'static str, Fault)> {
        let earliest = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
        let latest = NaiveDate::from_ymd_opt(2999, 12, 31).unwrap_or_default();
        for (member, day) in [("from", first), ("to", last)] {
            if day.is_some_and(|day| day < earliest || day > latest) {
                let sentence = format!("must be a day from {earliest} to {latest}");
                return Err((member, Fault(sentence)));
            }
        }
        let last = last.unwrap_or_else(|| first.map_or(today, |first| first.max(today)));
        let first = first.unwrap_or(last - Days::new(29));
        if first > last {
            return Err(("from", Fault(format!("must not be after `to`, {last}"))));
        }
        if (last - first).num_days() >= MOST_DAYS {
            return Err((
                "from",
                Fault(format!("must be less than {MOST_DAYS} days before `to`")),
            ));
        }
        Ok(Self { first, last })
    }

    /// The moment at which it begins.
    pub fn start(self) -> DateTime<Utc> {
        self.first.and_time(NaiveTime::MIN).and_utc()
    }

    /// The moment at which it is over.
    pub fn end(self) -> DateTime<Utc> {
        (self.last + Days::new(1))
            .and_time(NaiveTime::MIN)
            .and_utc()
    }

    /// From the first of its whole months until after the last; nothing, at its start, without any.
    pub fn whole_months(self) -> (DateTime<Utc>, DateTime<Utc>) {
        let month = |day| Interval::Month.beginning(day);
        let first = month(self.first);
        let first = if first < self.start() {
            Interval::Month.next(first)
        } else {
            first
        };
        let over = month(self.last + Days::new(1));
        if first < over {
            (first, over)
        } else {
            (self.start(), self.start())
        }
    }

    /// As many days before it.
    #[must_use]
    pub fn before(self) -> Self {
        let days = self.last - self.first + TimeDelta::days(1);
        Self {
            first: self.first - days,
            last: self.last - days,
        }
    }

    /// The first day.
    pub fn first(self) -> NaiveDate {
        self.first
    }

    /// The last day.
    pub fn last(self) -> NaiveDate {
        self.last
    }

    /// The beginnings of all stretches that have a part in it, oldest first.
    pub fn stretches(self, interval: Interval) -> Result<Vec<DateTime<Utc>>, Fault> {
        let most = usize::try_from(MOST_POINTS).unwrap_or(usize::MAX);
        let mut at = interval.beginning(self.first);
        let mut stretches = Vec::new();
        while at < self.end() {
            if stretches.len() == most {
                return Err(Fault(format!(
                    "gives more than {MOST_POINTS} points for these days; ask for fewer days or a longer interval"
                )));
            }
            stretches.push(at);
            at = interval.next(at);
        }
        Ok(stretches)
    }
}

impl Interval {
    /// The beginning of the stretch in which a day begins.
    fn beginning(self, day: NaiveDate) -> DateTime<Utc> {
        let first = match self {
            Self::Hour | Self::Day => day,
            Self::Week => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
            Self::Month => day.with_day(1).unwrap_or(day),
        };
        first.and_time(NaiveTime::MIN).and_utc()
    }

    fn next(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Hour => at + TimeDelta::hours(1),
            Self::Day => at + TimeDelta::days(1),
            Self::Week => at + TimeDelta::days(7),
            Self::Month => at + Months::new(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn period(first: &str, last: &str) -> Period {
        Period::new(Some(day(first)), Some(day(last)), day("2026-01-01")).expect("a period")
    }

    #[test]
    fn unless_said_otherwise_it_is_thirty_days_with_today() {
        let today = day("2026-03-01");
        let period = Period::new(None, None, today).expect("a period");
        assert_eq!((period.first(), period.last()), (day("2026-01-31"), today));
        assert_eq!((period.end() - period.start()).num_days(), 30);
        assert_eq!(period.before().end(), period.start());
        let since = Period::new(Some(day("2026-02-01")), None, today).expect("a period");
        assert_eq!(since.last(), today);
        let later = Period::new(Some(day("2026-05-01")), None, today).expect("a period");
        assert_eq!(later.last(), day("2026-05-01"));
    }

    #[test]
    fn days_that_are_none_are_told() {
        let told = |first, last| {
            let told = Period::new(first, last, day("2026-03-01"));
            told.expect_err("a fault").0
        };
        assert_eq!(
            told(Some(day("2026-03-02")), Some(day("2026-03-01"))),
            "from"
        );
        assert_eq!(told(None, Some(day("1999-03-01"))), "to");
        assert_eq!(
            told(Some(day("2000-01-01")), Some(day("2026-01-01"))),
            "from"
        );
        assert_eq!(told(Some(NaiveDate::MIN), None), "from");
        assert_eq!(told(Some(NaiveDate::MAX), None), "from");
    }

    #[test]
    fn whole_months_are_those_that_begin_and_end_within() {
        let told = |first, last| {
            let (first, over) = period(first, last).whole_months();
            (
                first.date_naive().to_string(),
                over.date_naive().to_string(),
            )
        };
        let expected = |first: &str, over: &str| (first.to_owned(), over.to_owned());
        assert_eq!(
            told("2026-01-01", "2026-02-28"),
            expected("2026-01-01", "2026-03-01")
        );
        assert_eq!(
            told("2026-01-02", "2026-03-30"),
            expected("2026-02-01", "2026-03-01")
        );
        assert_eq!(
            told("2025-12-31", "2026-01-31"),
            expected("2026-01-01", "2026-02-01")
        );
        // None: nothing, and all of it is left to finer stretches.
        assert_eq!(
            told("2026-01-02", "2026-02-27"),
            expected("2026-01-02", "2026-01-02")
        );
        assert_eq!(
            told("2026-01-02", "2026-01-02"),
            expected("2026-01-02", "2026-01-02")
        );
    }

    #[test]
    fn stretches_begin_where_the_clock_says_and_have_an_end() {
        let told = |period: Period, interval| {
            let stretches = period.stretches(interval).expect("stretches");
            let text = |at: &DateTime<Utc>| at.format("%m-%dT%H").to_string();
            (
                stretches.len(),
                text(&stretches[0]),
                text(&stretches[stretches.len() - 1]),
            )
        };
        let expected = |len, first: &str, last: &str| (len, first.to_owned(), last.to_owned());
        let days = period("2026-01-30", "2026-03-02");
        assert_eq!(
            told(days, Interval::Day),
            expected(32, "01-30T00", "03-02T00")
        );
        // The Friday's week began on a Monday, the 26th.
        assert_eq!(
            told(days, Interval::Week),
            expected(6, "01-26T00", "03-02T00")
        );
        assert_eq!(
            told(days, Interval::Month),
            expected(3, "01-01T00", "03-01T00")
        );
        let hours = period("2026-01-30", "2026-01-30");
        assert_eq!(
            told(hours, Interval::Hour),
            expected(24, "01-30T00", "01-30T23")
        );
        assert!(
            period("2026-01-01", "2026-03-01")
                .stretches(Interval::Hour)
                .is_err()
        );
        assert!(
            period("2020-01-01", "2024-12-31")
                .stretches(Interval::Day)
                .is_err()
        );
    }
}
