//! Where a page begins, in the words of our tokens.
//!
//! A tracker's own pages are not to be trusted with a set that changes while it is read: an issue that
//! moves to the end lets all behind it move up, and one slips from the page that is next onto the one
//! that was. So a page is asked for as a question of its own, by the time that the page before has
//! reached, whenever that is possible; then nothing can slip, and no token ends. The tracker's pages
//! carry on only within a minute in which more changed than fit on one, and among changes that are too
//! young to stand where they belong, which the next round reads again anyway.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::trackers::{Ask, PageToken, TrackerError, cursor::is_settled};
use serde::{Deserialize, Serialize};

/// How many rows a page by number begins before the end of the last one, to notice if some slipped.
const AGAIN: u32 = 10;

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// Changes at or after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<DateTime<Utc>>,
    /// The tracker's own token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// So many rows, or pages, are passed over.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) skip: u32,
    /// The last row that was passed over: unless it comes again, some have slipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Place {
    /// What is asked for. A token that is not ours is one that is no longer known.
    pub(super) fn of(ask: &Ask) -> Result<Self, TrackerError> {
        match &ask.page {
            Some(token) => Self::read(token),
            None => Ok(Self {
                since: ask.since.map(minute),
                ..Self::default()
            }),
        }
    }

    /// The place in a token.
    pub(super) fn read(token: &PageToken) -> Result<Self, TrackerError> {
        serde_json::from_str(&token.0).map_err(|_| TrackerError::PageExpired)
    }

    /// As a token.
    pub(super) fn token(&self) -> PageToken {
        PageToken(serde_json::to_string(self).expect("texts and numbers are JSON"))
    }

    /// Whether the page goes on from an earlier one by what the tracker itself remembers.
    pub(super) const fn is_continued(&self) -> bool {
        self.token.is_some() || self.skip > 0
    }

    /// The place that these changes lead to, if a question of its own can be asked from there.
    pub(super) fn onward(
        &self,
        changes: impl Iterator<Item = DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let settled = changes.filter(|at| is_settled(*at, now));
        let reached = minute(settled.max()?);
        (Some(reached) > self.since).then(|| Self {
            since: Some(reached),
            ..Self::default()
        })
    }

    /// The row at which a page by rows begins.
    pub(super) const fn first_row(&self) -> u32 {
        self.skip.saturating_sub(AGAIN)
    }

    /// The place after a page by rows, whose ids these are and which began at this row of so many in
    /// all. `None` at the end. If the row that should have come again did not, the page before is read
    /// once more.
    pub(super) fn after_rows(&self, ids: &[&str], first: u32, total: u32) -> Option<Self> {
        let rows = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let slipped = self
            .last
            .as_deref()
            .is_some_and(|last| !ids.contains(&last));
        if slipped && first > 0 {
            let back = rows.max(2 * AGAIN);
            return Some(Self {
                since: self.since,
                skip: self.first_row().saturating_sub(back) + AGAIN,
                ..Self::default()
            });
        }
        let skip = first.saturating_add(rows);
        (skip < total).then(|| Self {
            since: self.since,
            skip,
            last: ids.last().map(|last| (*last).to_owned()),
            ..Self::default()
        })
    }
}

/// The minute of a time: as finely as any tracker's search may compare.
fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    let at = at.trunc_subsecs(0);
    at - TimeDelta::seconds(at.timestamp().rem_euclid(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trackers::samples::noon;

    fn before(minutes: i64) -> DateTime<Utc> {
        noon() - TimeDelta::minutes(minutes) + TimeDelta::seconds(7)
    }

    fn since(minutes: i64) -> Place {
        Place {
            since: Some(minute(before(minutes))),
            ..Place::default()
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_written_and_no_other_is_known() {
        let place = Place {
            token: Some("vendor's".into()),
            ..since(50)
        };
        assert_eq!(Place::read(&place.token()), Ok(place));
        let foreign = PageToken("not ours".into());
        assert_eq!(Place::read(&foreign), Err(TrackerError::PageExpired));
    }

    #[test]
    fn a_question_begins_at_a_whole_minute() {
        let ask = Ask {
            since: Some("2026-11-20T10:15:59.999Z".parse().expect("a time")),
            page: None,
        };
        let place = Place::of(&ask).expect("a place");
        assert_eq!(place.since, "2026-11-20T10:15:00Z".parse().ok());
    }

    #[test]
    fn the_next_question_begins_where_the_page_has_got_to() {
        let changes = [before(90), before(80), before(5)];
        let onward = since(100).onward(changes.into_iter(), noon());
        assert_eq!(onward, Some(since(80)), "not at what is too young");
    }

    #[test]
    fn a_full_minute_and_young_changes_are_left_to_the_tracker_s_pages() {
        let full = since(80).onward([before(80); 3].into_iter(), noon());
        assert_eq!(full, None);
        assert_eq!(since(80).onward([before(19)].into_iter(), noon()), None);
        assert_eq!(since(80).onward(std::iter::empty(), noon()), None);
    }

    #[test]
    fn pages_by_rows_overlap_and_end_with_the_last() {
        let first = since(80);
        let ids: Vec<_> = (0..50).map(|id| id.to_string()).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let second = first.after_rows(&ids, 0, 120).expect("a second page");
        assert_eq!((second.skip, second.first_row()), (50, 40));
        assert_eq!(second.after_rows(&ids[40..], 40, 50), None);
        let short = second
            .after_rows(&ids[49..], 40, 120)
            .expect("a third page");
        assert_eq!(short.skip, 41, "by what came, not by what was asked for");
    }

    #[test]
    fn when_rows_have_slipped_the_page_before_is_read_again() {
        let place = Place {
            skip: 100,
            last: Some("99".into()),
            ..since(80)
        };
        let ids: Vec<_> = (200..250).map(|id| id.to_string()).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let back = place.after_rows(&ids, 90, 140).expect("a page again");
        assert_eq!((back.first_row(), back.last), (40, None));
    }
}
