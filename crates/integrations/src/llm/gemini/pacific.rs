//! Midnight in California, where Google's daily quotas start anew.
//!
//! The rule of the United States since 2007 in place of a time zone database: summer time from
//! the second Sunday of March to the first Sunday of November, both at two in the morning.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Utc, Weekday};

/// The first midnight, Pacific time, after this moment.
pub(super) fn next_midnight(now: DateTime<Utc>) -> DateTime<Utc> {
    // Winter's date, which in the first hour of a summer's day is still the day before.
    let day = (now - Duration::hours(8)).date_naive();
    let tomorrow = midnight(day + Days::new(1));
    if tomorrow > now {
        tomorrow
    } else {
        midnight(day + Days::new(2))
    }
}

/// The moment at which this day begins in California.
fn midnight(day: NaiveDate) -> DateTime<Utc> {
    // The clocks change at two: on the Sunday itself the old time still holds at midnight.
    let summer = sunday(day.year(), 3, 2) < day && day <= sunday(day.year(), 11, 1);
    let behind = Duration::hours(if summer { 7 } else { 8 });
    day.and_time(NaiveTime::MIN).and_utc() + behind
}

fn sunday(year: i32, month: u32, number: u8) -> NaiveDate {
    NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, number)
        .expect("a month has four Sundays")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_next(now: &str, midnight: &str) {
        let now = DateTime::parse_from_rfc3339(now).expect("a time").to_utc();
        assert_eq!(
            next_midnight(now).to_rfc3339().replace("+00:00", "Z"),
            midnight
        );
    }

    #[test]
    fn winter_is_eight_hours_behind() {
        assert_next("2026-11-20T18:00:00Z", "2026-11-21T08:00:00Z");
        assert_next("2026-11-21T07:59:59Z", "2026-11-21T08:00:00Z");
    }

    #[test]
    fn summer_is_seven_hours_behind() {
        assert_next("2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z");
        assert_next("2026-07-01T07:30:00Z", "2026-07-02T07:00:00Z");
    }

    #[test]
    fn at_midnight_the_next_one_is_a_day_away() {
        assert_next("2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z");
        assert_next("2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z");
    }

    #[test]
    fn the_sunday_on_which_summer_begins_has_23_hours() {
        assert_next("2026-03-08T07:59:59Z", "2026-03-08T08:00:00Z");
        assert_next("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z");
    }

    #[test]
    fn the_sunday_on_which_summer_ends_has_25_hours() {
        assert_next("2026-11-01T06:59:59Z", "2026-11-01T07:00:00Z");
        assert_next("2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z");
        assert_next("2026-11-02T07:30:00Z", "2026-11-02T08:00:00Z");
    }

    #[test]
    fn the_year_may_end_meanwhile() {
        assert_next("2026-12-31T23:00:00Z", "2027-01-01T08:00:00Z");
        assert_next("2027-01-01T07:00:00Z", "2027-01-01T08:00:00Z");
    }
}
