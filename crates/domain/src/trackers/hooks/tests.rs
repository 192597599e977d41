//! Hooks that are believed, and those that are not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const BODY: &[u8] = br#"{"webhookEvent":"jira:issue_updated","timestamp":1795132800000,"issue":{"id":"10001","key":"DEMO-1"}}"#;

fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

#[test]
fn the_signature_is_the_one_that_others_compute() {
    // From RFC 4231, the second case.
    let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(signature("Jefe", b"what do ya want for nothing?"), known);
}

#[test]
fn jira_is_believed_with_its_signature_and_not_without() {
    let good = format!("sha256={}", signature("s3cret", BODY));
    assert_eq!(verify_jira("s3cret", Some(&good), BODY), Ok(()));
    assert_eq!(verify_jira("s3cret", None, BODY), Err(HookFault::Unsigned));
    let wrong = Err(HookFault::WrongSignature);
    assert_eq!(verify_jira("other", Some(&good), BODY), wrong);
    assert_eq!(verify_jira("s3cret", Some(&good), b"{}"), wrong);
    for header in [
        "",
        "sha256=",
        "sha256=zz",
        "sha1=00",
        &good[..20],
        &good[7..],
    ] {
        assert_eq!(verify_jira("s3cret", Some(header), BODY), wrong, "{header}");
    }
    let everybodys = format!("sha256={}", signature("", BODY));
    assert_eq!(verify_jira("", Some(&everybodys), BODY), wrong);
}

#[test]
fn teamwork_signs_with_figures_alone() {
    let good = signature("s3cret", BODY);
    assert_eq!(verify_teamwork("s3cret", Some(&good), BODY), Ok(()));
    assert_eq!(
        verify_teamwork("s3cret", None, BODY),
        Err(HookFault::Unsigned)
    );
    let prefixed = format!("sha256={good}");
    assert_eq!(
        verify_teamwork("s3cret", Some(&prefixed), BODY),
        Err(HookFault::WrongSignature)
    );
}

fn token(head: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(head), part(claims));
    let proof = mac(secret).chain_update(signed.as_bytes()).finalize();
    let proof = BASE64_URL_SAFE_NO_PAD.encode(proof.into_bytes());
    format!("Bearer {signed}.{proof}")
}

#[test]
fn a_hook_of_an_app_is_proved_by_its_token() {
    let verify = |token: &str| verify_jira_app("app-secret", Some(token), noon());
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = json!({ "iss": "jira", "exp": noon().timestamp() + 60 });
    let good = token(&head, &claims, "app-secret");
    assert_eq!(verify(&good), Ok(()));
    assert_eq!(verify(&good.replace("Bearer", "JWT")), Ok(()));
    let wrong = Err(HookFault::WrongSignature);
    assert_eq!(verify(&token(&head, &claims, "other")), wrong);
    assert_eq!(
        verify(&token(&json!({ "alg": "none" }), &claims, "app-secret")),
        wrong
    );
    assert_eq!(verify("Bearer a.b.c"), wrong);
    assert_eq!(verify("Basic abc"), Err(HookFault::Unsigned));
    let old = json!({ "exp": noon().timestamp() - 3600 });
    assert_eq!(
        verify(&token(&head, &old, "app-secret")),
        Err(HookFault::Stale)
    );
    assert_eq!(
        verify(&token(&head, &json!({}), "app-secret")),
        Err(HookFault::Stale)
    );
}

#[test]
fn a_word_in_the_address_is_the_same_or_it_is_wrong() {
    assert_eq!(verify_word("abc", "abc"), Ok(()));
    for (expected, given) in [("abc", "abd"), ("abc", "ab"), ("", "")] {
        assert_eq!(verify_word(expected, given), Err(HookFault::WrongSignature));
    }
}

#[test]
fn a_hook_of_long_ago_or_of_the_future_is_not_believed() {
    let age = |minutes| verify_age(Some(noon() - Duration::minutes(minutes)), noon());
    assert_eq!([age(0), age(119), age(-4)], [Ok(()); 3]);
    assert_eq!([age(121), age(-6)], [Err(HookFault::Stale); 2]);
    assert_eq!(verify_age(None, noon()), Ok(()));
}

#[test]
fn jira_tells_of_issues() {
    let notice = jira(Some("delivery-1"), BODY)
        .expect("a hook")
        .expect("of an issue");
    assert_eq!(
        (notice.change, notice.external_id.as_str()),
        (Change::Changed, "10001")
    );
    assert_eq!(notice.at, DateTime::from_timestamp(1_795_132_800, 0));
    let deleted = b"{\"webhookEvent\":\"jira:issue_deleted\",\"issue\":{\"id\":10001}}";
    let deleted = jira(Some("delivery-1"), deleted);
    let deleted = deleted.expect("a hook").expect("of an issue");
    assert_eq!(deleted.change, Change::Deleted);
    for other in [
        json!({ "webhookEvent": "project_created" }),
        json!({ "webhookEvent": "jira:issue_updated" }),
        json!({ "webhookEvent": "comment_created", "issue": { "id": "../1" } }),
    ] {
        assert_eq!(
            jira(None, other.to_string().as_bytes()),
            Ok(None),
            "{other}"
        );
    }
    for broken in [&b"{"[..], b"[]", b"{}", b""] {
        assert_eq!(jira(None, broken), Err(HookFault::Malformed));
    }
}

#[test]
fn a_delivery_is_known_by_its_body_if_that_names_its_time_and_else_by_its_name() {
    let untimed: &[u8] = br#"{"webhookEvent":"jira:issue_updated","issue":{"id":"10001"}}"#;
    let delivery = |name: Option<&str>, body: &[u8]| {
        let notice = jira(name, body).expect("a hook");
        notice.expect("of an issue").delivery
    };
    let timed = delivery(Some("one"), BODY);
    assert_eq!(
        timed,
        delivery(Some("another"), BODY),
        "the name is not signed"
    );
    assert_eq!(timed, delivery(None, BODY));
    let named = delivery(Some("one"), untimed);
    assert_eq!(named, delivery(Some("one"), untimed));
    assert_ne!(named, delivery(Some("another"), untimed));
    assert_ne!(named, delivery(None, untimed));
}

#[test]
fn teamwork_tells_of_tasks_and_its_address_says_what_happened() {
    let body = br#"{"task":{"id":77,"projectId":3}}"#;
    let changed = teamwork("TASK.UPDATED", body)
        .expect("a hook")
        .expect("of a task");
    assert_eq!(
        (changed.change, changed.external_id.as_str()),
        (Change::Changed, "77")
    );
    let deleted = teamwork("task-deleted", b"{\"id\":\"77\"}")
        .expect("a hook")
        .expect("of a task");
    assert_eq!(deleted.change, Change::Deleted);
    assert_ne!(changed.delivery, deleted.delivery);
    assert_eq!(teamwork("PROJECT.UPDATED", body), Ok(None));
    assert_eq!(teamwork("TASK.UPDATED", b"{}"), Err(HookFault::Malformed));
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(header in ".*", body in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert!(verify_jira("s", Some(&header), &body).is_err());
        prop_assert!(verify_jira_app("s", Some(&header), noon()).is_err());
        let _ = jira(Some(&header), &body);
        let _ = teamwork(&header, &body);
    }
}
