//! Calls go wrong, each in its own way.

use std::time::Duration;

use chrono::TimeDelta;
use domain::providers::{Embedder, EmbeddingTask, ProviderError};
use tests::fakes::gemini::{Break, Cue, FakeGemini};

use super::support::{config, embed, embedder, meets, noon};

fn wait(milliseconds: i64) -> ProviderError {
    ProviderError::RateLimited {
        retry_at: noon() + TimeDelta::milliseconds(milliseconds),
    }
}

#[tokio::test]
async fn every_status_has_its_class() {
    let classes = [
        (Cue::status(400), "provider_invalid_request"),
        (Cue::bad_key(), "provider_unauthorized"),
        (Cue::status(402), "provider_out_of_credit"),
        (Cue::status(403), "provider_unauthorized"),
        (Cue::status(404), "provider_invalid_request"),
        (Cue::status(500), "provider_overloaded"),
        (Cue::status(502), "provider_overloaded"),
        (Cue::status(503), "provider_overloaded"),
        (Cue::status(504), "provider_timeout"),
        (
            Cue {
                array: true,
                ..Cue::bad_key()
            },
            "provider_unauthorized",
        ),
        (
            Cue {
                status: Some(503),
                ..Cue::garbage("<html>Bad gateway</html>")
            },
            "provider_overloaded",
        ),
    ];
    for (cue, class) in classes {
        assert_eq!(meets(cue.clone()).await.class(), class, "{cue:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_names_the_moment_the_provider_named() {
    assert_eq!(meets(Cue::rate_limited(20.0)).await, wait(20_000));
    assert_eq!(meets(Cue::rate_limited(0.5)).await, wait(500));
    assert_eq!(
        meets(Cue {
            array: true,
            ..Cue::rate_limited(7.0)
        })
        .await,
        wait(7_000)
    );
    assert_eq!(
        meets(Cue {
            retry_header: Some("90".into()),
            ..Cue::status(429)
        })
        .await,
        wait(90_000)
    );
}

#[tokio::test]
async fn a_429_that_names_no_quota_waits_half_a_minute() {
    assert_eq!(meets(Cue::status(429)).await, wait(30_000));
}

#[tokio::test]
async fn a_spent_day_lasts_until_midnight_in_california() {
    let until = "2026-11-21T08:00:00Z".parse().expect("a time");
    assert_eq!(
        meets(Cue::day_spent()).await,
        ProviderError::QuotaSpent { until }
    );
}

#[tokio::test]
async fn a_call_before_the_time_is_noticed() {
    let fake = FakeGemini::start().await;
    fake.script([Cue::rate_limited(60.0)]);
    for _ in 0..3 {
        embed(&fake, &["impatient"]).await.ok();
    }
    assert_eq!(fake.counters().early_calls, 2);
}

#[tokio::test]
async fn a_real_bad_key_and_a_real_missing_model_are_refused() {
    let fake = FakeGemini::start().await;
    let mut bad = config(&fake);
    bad.api_key = Some("bad-key".into());
    let mut gone = config(&fake);
    gone.embedding_model = "text-embedding-004".into();
    let refusal = async |config| {
        embedder(config)
            .embed(&["x"], EmbeddingTask::Query)
            .await
            .expect_err("a refusal")
    };
    assert_eq!(refusal(&bad).await.class(), "provider_unauthorized");
    assert_eq!(refusal(&gone).await.class(), "provider_invalid_request");
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_malformed() {
    for body in [
        "<html>hello</html>",
        "",
        "{}",
        r#"{"embeddings":[]}"#,
        r#"{"embeddings":[{"values":["#,
    ] {
        assert_eq!(
            meets(Cue::garbage(body)).await.class(),
            "provider_malformed_answer",
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_error_in_the_body_of_a_success_is_still_an_error() {
    let body = r#"[{"error":{"code":503,"status":"UNAVAILABLE","message":"Overloaded."}}]"#;
    assert_eq!(
        meets(Cue::garbage(body)).await.class(),
        "provider_overloaded"
    );
}

#[tokio::test]
async fn a_broken_connection_is_no_answer() {
    assert_eq!(
        meets(Cue::breaks(Break::Reset)).await.class(),
        "provider_timeout"
    );
    assert_eq!(
        meets(Cue::breaks(Break::Cut)).await.class(),
        "provider_timeout"
    );
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let fake = FakeGemini::start().await;
    let mut nowhere = config(&fake);
    nowhere.base_url = "http://127.0.0.1:9".parse().expect("an address");
    let missing = embedder(&nowhere)
        .embed(&["x"], EmbeddingTask::Query)
        .await
        .expect_err("no answer");
    assert_eq!(
        missing,
        ProviderError::Timeout("it cannot be reached".into())
    );
}

#[tokio::test]
async fn a_late_answer_and_a_slow_body_end_at_the_deadline() {
    let fake = FakeGemini::start().await;
    fake.script([Cue::delay(60_000), Cue::slow(60_000)]);
    let mut impatient = config(&fake);
    impatient.timeout_seconds = 1;
    let embedder = embedder(&impatient);
    for _ in 0..2 {
        let call = embedder.embed(&["x"], EmbeddingTask::Query);
        let late = tokio::time::timeout(Duration::from_secs(10), call)
            .await
            .expect("it gives up by itself");
        assert_eq!(
            late,
            Err(ProviderError::Timeout("none within 1 seconds".into()))
        );
    }
}

#[tokio::test]
async fn a_slow_body_within_the_deadline_is_an_answer() {
    let fake = FakeGemini::start().await;
    fake.script([Cue::slow(80)]);
    assert!(embed(&fake, &["patience"]).await.is_ok());
}

#[tokio::test]
async fn nothing_that_goes_wrong_shows_the_key() {
    for cue in [
        Cue::status(403),
        Cue::breaks(Break::Reset),
        Cue::garbage("good-key"),
    ] {
        let with_key = Cue {
            message: Some("Consumer 'api_key:good-key' has been suspended.".into()),
            ..cue
        };
        let error = meets(with_key).await;
        assert!(!format!("{error} {error:?}").contains("good-key"));
    }
}
