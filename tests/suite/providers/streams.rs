//! Streams of every provider: in pieces, silent, cut, failing, and dropped.

use std::time::Duration;

use domain::providers::{
    ProviderError,
    generate::{Event, Finish, Reply},
};
use futures::StreamExt;
use integrations::llm::{Kind, Providers};
use tests::fakes::{
    gemini::{self, Break},
    stage::Cue,
};
use tokio::time::{sleep, timeout};

use super::support::{Fakes, WITH_A_WIRE, provider, question};

const WORDS: &str = "one two three four five six seven eight nine ten";

/// The words of a stream, and its end.
async fn streamed(
    providers: &Providers,
    kind: Kind,
) -> (Vec<String>, Result<Reply, ProviderError>) {
    let begun = provider(providers, kind)
        .stream(&question(kind, WORDS))
        .await;
    let mut words = Vec::new();
    let mut events = match begun {
        Ok(events) => events,
        Err(error) => return (words, Err(error)),
    };
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Text(text)) => words.push(text),
            Ok(Event::End(reply)) => {
                assert!(events.next().await.is_none(), "nothing follows the end");
                return (words, Ok(*reply));
            }
            Err(error) => {
                assert!(events.next().await.is_none(), "nothing follows an error");
                return (words, Err(error));
            }
        }
    }
    panic!("{kind:?}: a stream without an end");
}

#[tokio::test]
async fn words_come_in_pieces_and_the_whole_at_the_end() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("good-key", 20);
    for kind in [Kind::Gemini, Kind::OpenAi, Kind::Anthropic, Kind::Mock] {
        let (words, end) = streamed(&providers, kind).await;
        let reply = end.expect("a whole answer");
        assert!(words.len() > 2, "{kind:?}: {words:?}");
        assert_eq!(words.concat(), reply.text, "{kind:?}");
        let whole = provider(&providers, kind)
            .generate(&question(kind, WORDS))
            .await
            .expect("an answer");
        assert_eq!(reply, whole, "{kind:?}: both ways give the same answer");
    }
}

#[tokio::test]
async fn google_is_told_the_deadline_of_a_whole_answer_and_none_of_a_stream() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("good-key", 20);
    let asked = question(Kind::Gemini, WORDS);
    provider(&providers, Kind::Gemini)
        .generate(&asked)
        .await
        .expect("an answer");
    streamed(&providers, Kind::Gemini)
        .await
        .1
        .expect("an answer");
    let calls = fakes.gemini.requests();
    let deadlines = calls
        .iter()
        .map(|call| call.headers.get("x-server-timeout").map(String::as_str));
    assert_eq!(deadlines.collect::<Vec<_>>(), [Some("20"), None]);
}

#[tokio::test]
async fn a_stream_that_is_cut_after_its_first_words_is_truncated() {
    let fakes = Fakes::start().await;
    let cut = Cue {
        cut: Some(6),
        ..Cue::default()
    };
    fakes.gemini.script([gemini::Cue::breaks(Break::Cut)]);
    fakes.openai.script([cut.clone()]);
    fakes.anthropic.script([cut]);
    let providers = fakes.providers("good-key", 20);
    for kind in WITH_A_WIRE {
        let (words, end) = streamed(&providers, kind).await;
        let reply = end.expect("what was said");
        assert_eq!(reply.finish, Finish::Cut, "{kind:?}");
        assert!(
            !words.is_empty() && reply.usage.output > 0,
            "{kind:?}: {:?}",
            reply.usage
        );
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    let fakes = Fakes::start().await;
    let slow = Cue {
        slow_ms: 60_000,
        ..Cue::default()
    };
    fakes.gemini.script([gemini::Cue::slow(600_000)]);
    fakes.openai.script([slow.clone()]);
    fakes.anthropic.script([slow]);
    let providers = fakes.providers("good-key", 1);
    for kind in WITH_A_WIRE {
        let (words, end) = timeout(Duration::from_secs(10), streamed(&providers, kind))
            .await
            .expect("it gives up");
        let error = end.expect_err("no words came");
        assert_eq!(
            (words.len(), error.class()),
            (0, "provider_timeout"),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn an_error_in_the_middle_is_an_error() {
    let fakes = Fakes::start().await;
    let fails = Cue {
        fails_after: Some(6),
        ..Cue::default()
    };
    fakes.gemini.script([gemini::Cue {
        after_events: Some(1),
        ..gemini::Cue::status(503)
    }]);
    fakes.openai.script([fails.clone()]);
    fakes.anthropic.script([fails]);
    let providers = fakes.providers("good-key", 20);
    for kind in WITH_A_WIRE {
        let (words, end) = streamed(&providers, kind).await;
        assert_eq!(
            end.expect_err("an error").class(),
            "provider_overloaded",
            "{kind:?}"
        );
        assert!(!words.is_empty(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_refusal_before_the_first_words_is_an_error_of_the_call() {
    let fakes = Fakes::start().await;
    fakes.gemini.script([gemini::Cue::rate_limited(31.0)]);
    let limited = Cue::status(429).with("retry-after", "31");
    fakes.openai.script([limited.clone()]);
    fakes.anthropic.script([limited]);
    let providers = fakes.providers("good-key", 20);
    let then = "2026-11-20T12:00:31Z".parse().expect("a time");
    for kind in WITH_A_WIRE {
        let begun = provider(&providers, kind)
            .stream(&question(kind, WORDS))
            .await
            .map(drop);
        assert_eq!(
            begun,
            Err(ProviderError::RateLimited { retry_at: then }),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn an_error_as_the_first_event_is_an_error_of_the_call() {
    let fakes = Fakes::start().await;
    let fails = Cue {
        fails_after: Some(0),
        ..Cue::status(500)
    };
    fakes.openai.script([fails.clone()]);
    fakes.anthropic.script([fails]);
    let providers = fakes.providers("good-key", 20);
    for kind in [Kind::OpenAi, Kind::Anthropic] {
        let begun = provider(&providers, kind)
            .stream(&question(kind, WORDS))
            .await
            .map(drop);
        assert_eq!(
            begun.map_err(|error| error.class()),
            Err("provider_overloaded"),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_little_at_the_end_is_understood() {
    let fakes = Fakes::start().await;
    fakes.openai.script([Cue {
        terse: true,
        ..Cue::default()
    }]);
    let providers = fakes.providers("good-key", 20);
    let (_, end) = streamed(&providers, Kind::OpenAi).await;
    let reply = end.expect("a whole answer");
    assert_eq!((reply.finish, reply.usage.estimated), (Finish::Stop, true));
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_the_call() {
    let fakes = Fakes::start().await;
    let slow = Cue {
        slow_ms: 50,
        text: Some("word ".repeat(10_000)),
        ..Cue::default()
    };
    fakes.openai.script([slow.clone()]);
    fakes.anthropic.script([slow]);
    let providers = fakes.providers("good-key", 20);
    for kind in [Kind::OpenAi, Kind::Anthropic] {
        let mut events = provider(&providers, kind)
            .stream(&question(kind, "?"))
            .await
            .expect("a stream");
        assert!(matches!(events.next().await, Some(Ok(Event::Text(_)))));
        drop(events);
    }
    let quiet = async {
        while fakes.openai.under_way() + fakes.anthropic.under_way() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), quiet)
        .await
        .expect("the providers notice");
}
