//! The address of the consent page, and what comes back.

use super::*;

fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

#[test]
fn the_address_says_who_asks_for_what() {
    let departure = Departure::new();
    let address = departure.address(
        "https://auth.example.com/",
        "the client",
        "https://pa.example.com/api/trackers/jira/callback?x=1",
    );
    let (state, challenge) = (departure.state.reveal(), departure.challenge());
    assert_eq!(
        address,
        format!(
            "https://auth.example.com/authorize?audience=api.atlassian.com&client_id=the%20client&scope=read%3Ajira-work%20read%3Ajira-user%20offline_access&redirect_uri=https%3A%2F%2Fpa.example.com%2Fapi%2Ftrackers%2Fjira%2Fcallback%3Fx%3D1&state={state}&response_type=code&prompt=consent&code_challenge={challenge}&code_challenge_method=S256"
        )
    );
    assert!(!address.contains(departure.verifier.reveal()));
    assert_ne!(Departure::new().state, departure.state);
}

#[test]
fn the_challenge_is_the_one_of_the_standard() {
    // From RFC 7636, appendix B.
    assert_eq!(
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
}

#[test]
fn a_pair_is_due_a_minute_before_it_ends() {
    let body = br#"{"access_token":"a-token","refresh_token":"r-token","expires_in":3600,"scope":"x y","token_type":"Bearer"}"#;
    let pair = pair(body, noon()).expect("a pair");
    assert_eq!(pair.scopes, ["x", "y"]);
    assert!(!pair.is_due(noon() + Duration::seconds(3539)));
    assert!(pair.is_due(noon() + Duration::seconds(3540)));
    assert!(!format!("{pair:?}").contains("token\""), "{pair:?}");
    assert!(!format!("{pair:?}").contains("a-token"), "{pair:?}");
}

#[test]
fn a_pair_without_a_refresh_token_is_a_fault_of_the_app() {
    let error = pair(br#"{"access_token":"a"}"#, noon()).expect_err("half a pair");
    assert_eq!(error.class(), "tracker_misconfigured");
    let error = pair(b"<html>", noon()).expect_err("no pair");
    assert_eq!(error.class(), "tracker_malformed_answer");
}

#[test]
fn only_sites_with_a_jira_are_offered() {
    let body = br#"[
        {"id":"2","name":"b","url":"https://b.atlassian.net","scopes":["read:jira-work"]},
        {"id":"3","name":"c","url":"https://c.atlassian.net","scopes":["read:confluence-content.all"]},
        {"id":"1","name":"a","url":"https://a.atlassian.net","scopes":["read:jira-user"],"avatarUrl":"x"}]"#;
    let names: Vec<_> = sites(body)
        .expect("sites")
        .into_iter()
        .map(|site| site.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
}
