//! Refusals in the forms that trackers use.

use serde_json::json;

use super::*;
use crate::trackers::samples::{answer, noon};

fn class(status: u16, headers: &[(&'static str, &str)], body: &Value, about: About) -> String {
    let error = classify(&answer(status, headers, body), noon(), about);
    let wait = error
        .retry_at()
        .map(|at| format!(" (+{}s)", (at - noon()).num_seconds()));
    format!(
        "{status} -> {}{}: {error}",
        error.class(),
        wait.unwrap_or_default()
    )
}

#[test]
fn every_refusal_has_its_class() {
    let jira =
        json!({ "errorMessages": ["Said by Jira."], "errors": { "jql": "Said of a field." } });
    let teamwork = json!({ "errors": [{ "title": "Said by Teamwork", "detail": "In detail." }] });
    let old = json!({ "STATUS": "Error", "MESSAGE": "Said long ago" });
    let expired = json!({ "errorMessages": ["The next page token is invalid or has expired."], "errors": {} });
    let empty = json!({});
    let lines = [
        class(400, &[], &jira, About::Other),
        class(400, &[], &expired, About::LaterPage),
        class(400, &[], &expired, About::Other),
        class(400, &[], &jira, About::LaterPage),
        class(401, &[], &teamwork, About::Other),
        class(403, &[], &old, About::Other),
        class(
            403,
            &[(
                "x-authentication-denied-reason",
                "CAPTCHA_CHALLENGE; login-url=x",
            )],
            &empty,
            About::Other,
        ),
        class(404, &[], &jira, About::Issue),
        class(404, &[], &jira, About::Other),
        class(410, &[], &jira, About::Other),
        class(500, &[], &json!("<html>"), About::Other),
        class(503, &[("retry-after", "7")], &empty, About::Other),
        class(504, &[], &empty, About::Other),
        class(
            302,
            &[("location", "http://169.254.169.254/latest?secret=1")],
            &empty,
            About::Other,
        ),
        class(302, &[("location", "/login")], &empty, About::Other),
        class(204, &[], &empty, About::Other),
        class(418, &[], &empty, About::Other),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_token_that_is_said_back_is_not_passed_on() {
    let body = json!({ "errorMessages": ["'the-secret-token' is no token (the-secret-token)"] });
    let error = classify(&answer(401, &[], &body), noon(), About::Other).to_string();
    assert!(
        error.ends_with("'[token]' is no token ([token])"),
        "{error}"
    );
}

#[test]
fn the_time_to_come_again_is_found_in_every_spelling() {
    let wait = |headers: &[(&'static str, &str)]| {
        let error = classify(&answer(429, headers, &json!({})), noon(), About::Other);
        (error.retry_at().expect("a time") - noon()).num_seconds()
    };
    assert_eq!(wait(&[]), 30);
    assert_eq!(wait(&[("retry-after", "12")]), 12);
    assert_eq!(
        wait(&[("retry-after", "Fri, 20 Nov 2026 12:01:00 GMT")]),
        60
    );
    assert_eq!(wait(&[("x-ratelimit-reset", "2026-11-20T12:03Z")]), 180);
    assert_eq!(wait(&[("x-ratelimit-reset", "2026-11-20T12:03:01Z")]), 181);
    let moment = (noon().timestamp() + 90).to_string();
    assert_eq!(wait(&[("x-rate-limit-reset", &moment)]), 90);
    assert_eq!(wait(&[("x-ratelimit-reset", "45")]), 45);
    assert_eq!(
        wait(&[("beta-ratelimit", "\"tenant-app-quota\";r=0;t=2107")]),
        2107
    );
    assert_eq!(
        wait(&[("retry-after", "5"), ("x-ratelimit-reset", "45")]),
        5
    );
    assert_eq!(
        wait(&[("x-ratelimit-reset", "2026-11-20T11:00Z")]),
        0,
        "in the past"
    );
    assert_eq!(
        wait(&[("retry-after", "99999999")]),
        24 * 3600,
        "nobody means that"
    );
    for odd in ["soon", "", "-5", "t="] {
        let headers = [
            ("retry-after", odd),
            ("x-ratelimit-reset", odd),
            ("ratelimit", odd),
        ];
        assert!(wait(&headers) <= 30, "{odd}");
    }
}
