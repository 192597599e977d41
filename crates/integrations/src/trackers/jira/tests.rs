//! The wire of Jira, both ways, of the Cloud and of Data Center.

use domain::trackers::{IssueRef, IssueStatus};
use serde_json::json;

use super::*;

fn reading(criteria_field: Option<&str>) -> Reading {
    let site = "https://example.atlassian.net".parse().expect("an address");
    Reading::new(site, criteria_field.map(str::to_owned))
}

fn cloud() -> Value {
    let paragraph = |words: &str| json!({ "type": "paragraph", "content": [{ "type": "text", "text": words }] });
    json!({
        "expand": "renderedFields,names", "id": "10001", "key": "DEMO-1", "self": "https://api.example.com/rest/api/3/issue/10001",
        "fields": {
            "summary": " Ducks do\nnot fly\u{0} ",
            "description": { "type": "doc", "version": 1, "content": [
                paragraph("They walk."),
                { "type": "heading", "attrs": { "level": 3 }, "content": [{ "type": "text", "text": "Acceptance criteria" }] },
                { "type": "bulletList", "content": [{ "type": "listItem", "content": [paragraph("They fly.")] }] },
            ] },
            "status": { "name": "In Review", "id": "3", "statusCategory": { "id": 4, "key": "indeterminate", "name": "In Progress" } },
            "priority": { "name": "Blocker", "id": "1" },
            "labels": ["birds", "birds", "ponds"],
            "assignee": { "accountId": "5b10:a", "displayName": "Ann Drake", "emailAddress": "ann@example.com", "active": true, "timeZone": "Europe/Berlin" },
            "reporter": { "accountId": "5b10:b", "displayName": "Bob" },
            "created": "2026-11-01T08:00:00.000+0100", "updated": "2026-11-20T10:15:30.123+0100", "resolution": null,
            "customfield_10042": { "type": "doc", "version": 1, "content": [paragraph("As the field says.")] },
        },
    })
}

fn server() -> Value {
    json!({
        "id": "20001", "key": "OPS-7", "self": "https://jira.example.com/rest/api/2/issue/20001",
        "fields": {
            "summary": "Ponds freeze", "description": "h3. Acceptance criteria\n\n* They do *not* freeze.\n",
            "status": { "name": "Closed", "statusCategory": { "key": "done" } }, "resolution": { "name": "Fixed" },
            "priority": { "name": "Wichtig" }, "labels": [], "assignee": null,
            "reporter": { "name": "carla", "key": "JIRAUSER10100", "displayName": "Carla", "emailAddress": "?" },
            "created": "2026-11-01T08:00:00.000+0000", "updated": "2026-11-20T10:15:30.000+0000",
        },
    })
}

fn read(payload: Value, criteria_field: Option<&str>) -> Issue {
    let (mut issues, unreadable) = reading(criteria_field).issues(vec![payload]);
    assert_eq!(unreadable, []);
    let mut issue = issues.pop().expect("an issue");
    issue.payload.take();
    issue
}

#[test]
fn a_question_names_its_fields_and_goes_on_with_the_token() {
    let fields = to_wire::fields(Some("customfield_10042"));
    let bodies = [
        to_wire::search("updated >= 1", &fields, 100, None),
        to_wire::search("updated >= 1", &fields[..1], 1000, Some("token")),
    ];
    insta::assert_json_snapshot!(bodies);
}

#[test]
fn an_issue_of_the_cloud_is_read() {
    insta::assert_debug_snapshot!(read(cloud(), None));
}

#[test]
fn an_issue_of_data_center_is_read() {
    insta::assert_debug_snapshot!(read(server(), None));
}

#[test]
fn criteria_of_the_field_come_first_and_an_empty_field_is_none() {
    let of = |field| read(cloud(), Some(field)).acceptance_criteria;
    assert_eq!(
        of("customfield_10042").as_deref(),
        Some("As the field says.")
    );
    assert_eq!(of("customfield_1").as_deref(), Some("- They fly."));
}

#[test]
fn what_is_kept_can_be_stored() {
    let (issues, _) = reading(None).issues(vec![cloud()]);
    let payload = issues[0].payload.to_string();
    assert!(
        payload.contains("customfield_10042") && !payload.contains("\\u0000"),
        "{payload}"
    );
}

#[test]
fn one_broken_issue_holds_up_no_other() {
    let mut timeless = cloud();
    timeless["fields"]["updated"] = "yesterday".into();
    let broken = vec![json!(null), json!({ "key": "DEMO-2" }), timeless, cloud()];
    let (issues, unreadable) = reading(None).issues(broken);
    assert_eq!(issues.len(), 1);
    let said: Vec<_> = unreadable
        .iter()
        .map(|one| format!("{}: {}", one.key, one.why))
        .collect();
    assert_eq!(
        said,
        [
            "?: it has no id or key",
            "DEMO-2: it has no id or key",
            "DEMO-1: it does not say when it changed"
        ]
    );
}

#[test]
fn an_issue_with_next_to_nothing_is_still_one() {
    let bare = json!({ "id": "1", "key": "A-1", "fields": { "updated": "2026-11-20T10:15:30Z", "description": 7, "labels": "x", "status": "y" } });
    let issue = read(bare, None);
    assert_eq!(
        (issue.status, issue.description.as_str()),
        (IssueStatus::Open, "")
    );
}

#[test]
fn whoever_asks_by_an_old_key_is_told_the_new_one() {
    let reading = reading(None);
    assert!(reading.asked_for(cloud(), "10001").is_ok());
    assert!(reading.asked_for(cloud(), "demo-1").is_ok());
    let moved = reading
        .asked_for(cloud(), "OLD-9")
        .map(|issue| issue.ext_key);
    assert_eq!(
        moved,
        Err(TrackerError::Moved {
            key: "DEMO-1".into()
        })
    );
}

#[test]
fn the_end_is_where_jira_says_so_and_circles_are_found_out() {
    let found = |body: Value, asked| {
        let found: from_wire::Found = serde_json::from_value(body).expect("a page");
        found.checked(asked).map(|found| found.next)
    };
    assert_eq!(
        found(
            json!({ "issues": [], "isLast": true, "nextPageToken": "x" }),
            None
        ),
        Ok(None)
    );
    assert_eq!(found(json!({ "issues": [] }), None), Ok(None));
    assert_eq!(
        found(
            json!({ "issues": [], "isLast": false, "nextPageToken": null }),
            None
        ),
        Ok(None)
    );
    assert_eq!(
        found(
            json!({ "issues": [], "isLast": false, "nextPageToken": "x" }),
            None
        ),
        Ok(Some("x".into()))
    );
    assert!(
        found(
            json!({ "issues": [], "isLast": false, "nextPageToken": "x" }),
            Some("x")
        )
        .is_err()
    );
}

#[test]
fn references_are_read_as_far_as_they_go() {
    let refs = from_wire::refs(&[cloud(), json!({ "id": "7", "key": "A-7" }), json!({})]);
    let expected = |id: &str, key: &str, at: Option<&str>| IssueRef {
        external_id: id.into(),
        ext_key: key.into(),
        updated_at: at.map(|at| at.parse().expect("a time")),
    };
    assert_eq!(
        refs,
        [
            expected("10001", "DEMO-1", Some("2026-11-20T09:15:30.123Z")),
            expected("7", "A-7", None)
        ]
    );
}

#[test]
fn what_no_issue_is_called_is_not_asked_for() {
    let base: Url = "https://example.com/rest/api/3"
        .parse()
        .expect("an address");
    for name in ["", "..", "a/b", "DEMO-1?x", "DEMO-1#", "%2e"] {
        assert_eq!(to_wire::issue(&base, name), None, "{name}");
    }
    let address = to_wire::issue(&base, "DEMO-1").expect("an address");
    assert_eq!(
        address.as_str(),
        "https://example.com/rest/api/3/issue/DEMO-1"
    );
}
