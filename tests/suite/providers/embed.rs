//! Texts become vectors.

use domain::providers::{Embedder, EmbeddingTask};
use tests::fakes::gemini::{Cue, FakeGemini};

use super::support::{config, embed, embedder};

fn near(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn vectors_come_in_the_order_of_their_texts_and_have_length_one() {
    let fake = FakeGemini::start().await;
    let texts = [
        "Ducks swim in the pond",
        "Interest rates rise",
        "A duck swims across a pond",
    ];
    let together = embed(&fake, &texts).await.expect("three vectors").vectors;
    for (text, vector) in texts.iter().zip(&together) {
        let alone = embed(&fake, &[text]).await.expect("one vector").vectors;
        assert_eq!(&alone[0], vector);
        assert!((near(vector, vector) - 1.0).abs() < 1e-5);
    }
    assert!(near(&together[0], &together[2]) > near(&together[0], &together[1]) + 0.2);
}

#[tokio::test]
async fn a_full_batch_is_one_call() {
    let fake = FakeGemini::start().await;
    let texts: Vec<_> = (0..100)
        .map(|number| format!("text number {number}"))
        .collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    assert_eq!(
        embed(&fake, &texts)
            .await
            .expect("a hundred vectors")
            .vectors
            .len(),
        100
    );
    let counters = fake.counters();
    assert_eq!(
        (
            counters.calls_of("batchEmbedContents"),
            counters.distinct_texts
        ),
        (1, 100)
    );
}

#[tokio::test]
async fn no_texts_are_no_call() {
    let fake = FakeGemini::start().await;
    assert!(
        embed(&fake, &[])
            .await
            .expect("nothing to do")
            .vectors
            .is_empty()
    );
    assert_eq!(fake.counters().calls_of("batchEmbedContents"), 0);
}

#[tokio::test]
async fn the_key_travels_in_a_header_and_the_deadline_beside_it() {
    let fake = FakeGemini::start().await;
    embedder(&config(&fake))
        .embed(&["a question"], EmbeddingTask::Query)
        .await
        .expect("a vector");
    let call = fake.requests().pop().expect("a call");
    assert_eq!(call.headers["x-goog-api-key"], "good-key");
    assert_eq!(call.headers["x-server-timeout"], "20");
    assert_eq!(call.json()["requests"][0]["taskType"], "RETRIEVAL_QUERY");
    assert_eq!(fake.counters().keys_in_url, 0);
}

#[tokio::test]
async fn usage_is_counted_or_else_estimated_and_marked() {
    let fake = FakeGemini::start().await;
    fake.script([Cue {
        without_usage: true,
        ..Cue::default()
    }]);
    let estimated = embed(&fake, &["exactly twenty chars"])
        .await
        .expect("a vector");
    let counted = embed(&fake, &["exactly twenty chars"])
        .await
        .expect("a vector");
    assert_eq!((estimated.tokens, estimated.tokens_estimated), (5, true));
    assert_eq!((counted.tokens, counted.tokens_estimated), (5, false));
}

#[tokio::test]
async fn a_later_model_and_the_other_version_work_as_well() {
    let fake = FakeGemini::start().await;
    let mut config = config(&fake);
    config.embedding_model = "gemini-embedding-2".into();
    config.api_version = "v1".into();
    let embedder = embedder(&config);
    let vectors = embedder
        .embed(&["one", "two"], EmbeddingTask::Document)
        .await
        .expect("two vectors")
        .vectors;
    assert_eq!(
        (vectors.len(), embedder.name()),
        (2, "gemini/gemini-embedding-2")
    );
}
