//! Rounds of a search that is late.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::trackers::{Issue, IssueStatus};

fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_132_800, 0).expect("a time") + Duration::minutes(minute)
}

fn page(minutes: &[i64], next: Option<&str>) -> Page {
    let issue = |at: &i64| Issue {
        external_id: at.to_string(),
        ext_key: format!("DEMO-{at}"),
        url: String::new(),
        title: String::new(),
        description: String::new(),
        status: IssueStatus::Open,
        status_name: String::new(),
        priority: None,
        priority_name: None,
        labels: Vec::new(),
        acceptance_criteria: None,
        assignee: None,
        reporter: None,
        created_at: None,
        updated_at: minute(*at),
        payload: Value::Null,
    };
    Page {
        issues: minutes.iter().map(issue).collect(),
        unreadable: Vec::new(),
        next: next.map(|token| PageToken(token.into())),
    }
}

#[test]
fn the_first_round_asks_for_everything_and_the_next_overlaps_it() {
    let mut cursor = Cursor::default();
    let first = Ask {
        since: None,
        page: None,
    };
    assert_eq!(cursor.ask(minute(100)), first);
    assert_eq!(cursor.pass(&page(&[1, 40], None)), Ok(Progress::Ended));
    assert_eq!(cursor.watermark, Some(minute(40)));
    assert_eq!(cursor.ask(minute(110)).since, Some(minute(25)));
}

#[test]
fn a_round_is_gone_on_with_where_it_stood() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    assert_eq!(cursor.pass(&page(&[1], Some("two"))), Ok(Progress::More));
    assert_eq!(cursor.watermark, None, "not before the last page");
    let kept = serde_json::to_string(&cursor).expect("JSON");
    let mut cursor: Cursor = serde_json::from_str(&kept).expect("the same");
    let asked = cursor.ask(minute(5000));
    assert_eq!(asked.page, Some(PageToken("two".into())));
    cursor.pass(&page(&[150], None)).expect("the last page");
    assert_eq!(cursor.watermark, Some(minute(95)), "of when it began");
}

#[test]
fn what_is_too_new_does_not_move_the_watermark_and_nothing_moves_it_back() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    cursor.pass(&page(&[99], None)).expect("a page");
    assert_eq!(cursor.watermark, Some(minute(95)));
    for minutes in [&[][..], &[85]] {
        cursor.ask(minute(96));
        cursor.pass(&page(minutes, None)).expect("a page");
        assert_eq!(cursor.watermark, Some(minute(95)));
    }
}

#[test]
fn a_quiet_tracker_is_not_asked_for_its_last_changes_for_ever() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(1000));
    cursor.pass(&page(&[1], None)).expect("a page");
    assert_eq!(cursor.watermark, Some(minute(940)));
}

#[test]
fn an_empty_page_in_the_middle_is_not_the_end() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    assert_eq!(cursor.pass(&page(&[], Some("two"))), Ok(Progress::More));
}

#[test]
fn a_lost_page_is_asked_for_anew_from_what_was_reached() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    cursor.pass(&page(&[1, 7], Some("two"))).expect("a page");
    assert!(cursor.restart());
    let anew = Ask {
        since: Some(minute(7)),
        page: None,
    };
    assert_eq!(cursor.ask(minute(101)), anew);
    cursor.pass(&page(&[7, 40], None)).expect("the last page");
    assert_eq!(cursor.watermark, Some(minute(40)));
}

#[test]
fn an_issue_that_changed_while_it_was_read_does_not_hide_those_behind_it() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    cursor
        .pass(&page(&[1, 7, 90], Some("two")))
        .expect("a page");
    assert!(cursor.restart());
    assert_eq!(cursor.ask(minute(101)).since, Some(minute(7)));
}

#[test]
fn a_page_that_is_lost_again_and_again_is_given_up() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    let tries = (0..100).take_while(|_| cursor.restart()).count();
    assert_eq!(tries, 20);
}

#[test]
fn a_tracker_that_goes_in_circles_is_found_out() {
    let mut cursor = Cursor::default();
    cursor.ask(minute(100));
    cursor.pass(&page(&[1], Some("two"))).expect("a page");
    cursor.ask(minute(100));
    let error = cursor.pass(&page(&[1], Some("two"))).expect_err("circles");
    assert_eq!(error.class(), "tracker_malformed_answer");
}

proptest! {
    /// Changes happen at any time and a search shows each up to 19 minutes later.
    #[test]
    fn nothing_is_lost_whose_delay_is_below_overlap_and_settling(
        changes in prop::collection::vec((0_i64..600, 0_i64..20), 1..60),
        pauses in prop::collection::vec(1_i64..90, 1..30),
    ) {
        let mut cursor = Cursor::default();
        let mut stored = std::collections::BTreeSet::<i64>::new();
        let mut now = 0;
        for pause in pauses.into_iter().chain([700]) {
            now += pause;
            let since = cursor.ask(minute(now)).since;
            let shown = changes.iter().filter(|(at, delay)| at + delay <= now);
            let asked = shown.filter(|(at, _)| since.is_none_or(|since| minute(*at) >= since));
            let found: Vec<i64> = asked.map(|(at, _)| *at).collect();
            stored.extend(found.iter().copied());
            cursor.pass(&page(&found, None)).expect("a page");
        }
        for (at, _) in changes {
            prop_assert!(stored.contains(&at), "{at}");
        }
    }
}
