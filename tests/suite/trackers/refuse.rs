//! Trackers that refuse, fail, or answer with something else.

use chrono::Duration;
use domain::trackers::{Ask, TrackerError, TrackerKind, Verdict};
use tests::fakes::stage::Cue;

use super::support::{AnyFake, noon};

const EVERYTHING: Ask = Ask {
    since: None,
    page: None,
};

/// What a search becomes when this happens to it.
async fn meets(kind: TrackerKind, cue: Cue) -> TrackerError {
    let fake = AnyFake::start(kind).await;
    fake.stage().script([cue]);
    let error = fake
        .client()
        .fetch_since(&EVERYTHING)
        .await
        .expect_err("refused");
    assert_eq!(fake.stage().calls(), 1, "a client repeats nothing");
    error
}

#[tokio::test]
async fn a_refusal_is_the_same_whatever_tracker_it_comes_from() {
    for kind in TrackerKind::ALL {
        let expected = [
            (400, "tracker_invalid_request", Verdict::GiveUp),
            (401, "tracker_unauthorized", Verdict::Reconnect),
            (403, "tracker_forbidden", Verdict::GiveUp),
            (404, "tracker_misconfigured", Verdict::GiveUp),
            (410, "tracker_interface_removed", Verdict::GiveUp),
            (500, "tracker_overloaded", Verdict::Again),
            (503, "tracker_overloaded", Verdict::Again),
            (504, "tracker_timeout", Verdict::Again),
        ];
        for (status, class, verdict) in expected {
            let error = meets(*kind, Cue::status(status)).await;
            assert_eq!(
                (error.class(), error.verdict()),
                (class, verdict),
                "{kind}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn a_limit_is_waited_for_as_told() {
    let moment = (noon() + Duration::seconds(90)).timestamp().to_string();
    for kind in TrackerKind::ALL {
        let rows = [
            (Cue::status(429).with("retry-after", "12"), 12),
            (
                Cue::status(429).with("x-ratelimit-reset", "2026-11-20T12:03Z"),
                180,
            ),
            (Cue::status(429).with("x-rate-limit-reset", &moment), 90),
            (Cue::status(429), 30),
        ];
        for (cue, seconds) in rows {
            let until = noon() + Duration::seconds(seconds);
            assert_eq!(
                meets(*kind, cue).await.verdict(),
                Verdict::Wait(until),
                "{kind}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_known_is_a_matter_of_connecting_again() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let client = fake.connect(fake.connection("bad-token-9f2c"));
        for error in [
            client.check().await.expect_err("refused"),
            client.fetch_since(&EVERYTHING).await.expect_err("refused"),
            client.fetch("10001").await.expect_err("refused"),
        ] {
            assert_eq!(error.verdict(), Verdict::Reconnect, "{kind}: {error}");
            assert!(
                !format!("{error} {error:?}").contains("9f2c"),
                "{kind}: {error}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    for kind in TrackerKind::ALL {
        let page = meets(*kind, Cue::garbage("<!DOCTYPE html><title>Sign in</title>")).await;
        assert!(page.to_string().contains("sign-in page"), "{kind}: {page}");
        for body in ["", "null", "[]", "{}", "{\"issues\": 7, \"tasks\": 7}", "{"] {
            let error = meets(*kind, Cue::garbage(body)).await;
            assert_eq!(error.class(), "tracker_malformed_answer", "{kind}: {body}");
        }
        let huge = format!("{{\"issues\": [\"{}\"]}}", "x".repeat(17 * 1024 * 1024));
        let error = meets(*kind, Cue::garbage(&huge)).await;
        assert_eq!(error.class(), "tracker_malformed_answer", "{kind}");
        assert!(
            !error.to_string().contains("xxx"),
            "{kind}: what came is not passed on"
        );
        let cut = Cue {
            cut: Some(1),
            ..Cue::default()
        };
        assert_eq!(meets(*kind, cut).await.class(), "tracker_timeout", "{kind}");
    }
}

#[tokio::test]
async fn nobody_listening_is_a_matter_of_time() {
    let fake = AnyFake::start(TrackerKind::Jira).await;
    let mut connection = fake.connection("good-token");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    connection.base_url = format!("http://{address}").parse().expect("an address");
    let error = fake.connect(connection).check().await.expect_err("nobody");
    assert_eq!(
        (error.class(), error.verdict()),
        ("tracker_timeout", Verdict::Again)
    );
}

#[tokio::test]
async fn a_page_of_another_making_is_asked_for_anew() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let ask = Ask {
            since: None,
            page: Some(domain::trackers::PageToken("of another version".into())),
        };
        let error = fake.client().fetch_since(&ask).await.expect_err("unknown");
        assert_eq!(error.verdict(), Verdict::Restart, "{kind}");
    }
}
