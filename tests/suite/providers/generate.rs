//! Whole answers of every provider, through the factory.

use domain::providers::{
    ProviderError,
    generate::{Finish, Image, Output, Part, Sampling},
};
use integrations::llm::{Kind, SetupError};
use serde_json::{Value, json};
use tests::fakes::{gemini, stage::Cue};

use super::support::{Fakes, WITH_A_WIRE, address, provider, question};

#[tokio::test]
async fn every_provider_answers_in_the_same_words() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("good-key", 20);
    for kind in [Kind::Gemini, Kind::OpenAi, Kind::Anthropic, Kind::Mock] {
        let asked = question(kind, "How do ducks fly?");
        let reply = provider(&providers, kind)
            .generate(&asked)
            .await
            .expect("an answer");
        assert!(
            reply.text.contains("How do ducks fly?"),
            "{kind:?}: {}",
            reply.text
        );
        assert_eq!(
            (&reply.finish, reply.not_applied.len()),
            (&Finish::Stop, 0),
            "{kind:?}"
        );
        assert!(
            reply.usage.input > 0 && reply.usage.output > 0,
            "{kind:?}: {:?}",
            reply.usage
        );
        assert_eq!(reply.usage.estimated, kind == Kind::Mock, "{kind:?}");
        assert!(
            reply.model_version.starts_with(&asked.model),
            "{kind:?}: {}",
            reply.model_version
        );
    }
}

#[tokio::test]
async fn the_wire_takes_json_pictures_and_every_wish() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("good-key", 20);
    for kind in WITH_A_WIRE {
        let mut asked = question(kind, "Describe it.");
        asked.capabilities.images_in = true;
        asked.system = Some("Be brief.".into());
        asked.sampling = Sampling {
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop: vec!["\n\n\n".into()],
            ..Sampling::default()
        };
        asked.turns[0].parts.push(Part::Image(Image {
            media_type: "image/png".into(),
            bytes: vec![1, 2, 3],
        }));
        asked.output = Output::Json {
            name: "picture".into(),
            schema: json!({ "type": "object", "required": ["title"], "properties": {
                "title": { "type": "string", "minLength": 1 }, "year": { "type": "integer" } } }),
        };
        let reply = provider(&providers, kind)
            .generate(&asked)
            .await
            .expect("an answer");
        let answer: Value = serde_json::from_str(&reply.text).expect("JSON");
        assert!(
            answer["title"].is_string() && answer["year"].is_i64(),
            "{kind:?}: {answer}"
        );
        let without_sampling = kind == Kind::Anthropic;
        assert_eq!(
            reply.not_applied.contains(&"temperature"),
            without_sampling,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_limit_of_tokens_truncates() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("good-key", 20);
    for kind in WITH_A_WIRE {
        let mut asked = question(kind, "Say something rather long about ducks and geese.");
        asked.sampling.max_output_tokens = Some(3);
        let reply = provider(&providers, kind)
            .generate(&asked)
            .await
            .expect("an answer");
        assert_eq!(reply.finish, Finish::Truncated, "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_withheld_is_refused() {
    let fakes = Fakes::start().await;
    fakes
        .gemini
        .script([gemini::Cue::blocks("PROHIBITED_CONTENT")]);
    let refusal = |finish: &str| Cue {
        finish: Some(finish.into()),
        ..Cue::says("No.")
    };
    fakes.openai.script([refusal("refusal")]);
    fakes.anthropic.script([refusal("refusal")]);
    let providers = fakes.providers("good-key", 20);
    for (kind, reason) in [
        (Kind::Gemini, "PROHIBITED_CONTENT"),
        (Kind::OpenAi, "No."),
        (Kind::Anthropic, "refusal"),
    ] {
        let reply = provider(&providers, kind)
            .generate(&question(kind, "?"))
            .await
            .expect("an answer");
        assert_eq!(reply.finish, Finish::Refused(reason.into()), "{kind:?}");
        assert!(reply.usage.input > 0, "{kind:?}");
    }
}

#[tokio::test]
async fn an_image_model_of_gemini_paints() {
    let fakes = Fakes::start().await;
    let mut asked = question(Kind::Gemini, "A cat");
    asked.model = "gemini-3.1-flash-image".into();
    asked.output = Output::Image;
    let providers = fakes.providers("good-key", 20);
    let reply = provider(&providers, Kind::Gemini)
        .generate(&asked)
        .await
        .expect("a picture");
    assert_eq!(reply.images[0].media_type, "image/png");
    assert!(reply.images[0].bytes.starts_with(b"\x89PNG"));
    assert_eq!(reply.usage.image_output, 1120);
}

#[tokio::test]
async fn a_check_costs_nothing_and_needs_a_good_key() {
    let fakes = Fakes::start().await;
    for (key, good) in [("good-key", true), ("bad-key", false)] {
        let providers = fakes.providers(key, 20);
        for kind in WITH_A_WIRE {
            let checked = provider(&providers, kind).check().await;
            let class = checked.as_ref().map_err(ProviderError::class);
            let expected = if good {
                Ok(&())
            } else {
                Err("provider_unauthorized")
            };
            assert_eq!(class, expected, "{kind:?}");
        }
    }
    let asked = [fakes.openai.heard(), fakes.anthropic.heard()].concat();
    assert!(asked.iter().all(|call| call.what.starts_with("GET")));
}

#[tokio::test]
async fn an_overloaded_provider_says_when_to_come_again() {
    let fakes = Fakes::start().await;
    fakes.gemini.script([gemini::Cue {
        retry_header: Some("7".into()),
        ..gemini::Cue::status(503)
    }]);
    fakes
        .openai
        .script([Cue::status(503).with("retry-after", "7")]);
    fakes
        .anthropic
        .script([Cue::status(529).with("retry-after", "7")]);
    let providers = fakes.providers("good-key", 20);
    let then = "2026-11-20T12:00:07Z".parse().ok();
    for kind in WITH_A_WIRE {
        let error = provider(&providers, kind)
            .generate(&question(kind, "?"))
            .await
            .expect_err("trouble");
        assert_eq!(
            (error.class(), error.retry_at()),
            ("provider_overloaded", then),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn garbage_and_broken_connections_are_told_apart() {
    let fakes = Fakes::start().await;
    let cut = || Cue {
        cut: Some(1),
        ..Cue::default()
    };
    fakes.gemini.script([
        gemini::Cue::garbage("<html>"),
        gemini::Cue::breaks(gemini::Break::Cut),
    ]);
    fakes.openai.script([Cue::garbage("<html>"), cut()]);
    fakes.anthropic.script([Cue::garbage("<html>"), cut()]);
    let providers = fakes.providers("good-key", 20);
    for kind in WITH_A_WIRE {
        let provider = provider(&providers, kind);
        for class in ["provider_malformed_answer", "provider_timeout"] {
            let error = provider
                .generate(&question(kind, "?"))
                .await
                .expect_err("no answer");
            assert_eq!(error.class(), class, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_given_up() {
    let fakes = Fakes::start().await;
    let late = Cue {
        delay_ms: 60_000,
        ..Cue::default()
    };
    fakes.gemini.script([gemini::Cue::delay(60_000)]);
    fakes.openai.script([late.clone()]);
    fakes.anthropic.script([late]);
    let providers = fakes.providers("good-key", 1);
    for kind in WITH_A_WIRE {
        let error = provider(&providers, kind)
            .generate(&question(kind, "?"))
            .await
            .expect_err("no answer");
        assert_eq!(
            error,
            ProviderError::Timeout("none within 1 seconds".into()),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_held_in_memory() {
    let fakes = Fakes::start().await;
    let endless = "x".repeat(33 * 1024 * 1024);
    fakes.openai.script([Cue::says(&endless)]);
    let providers = fakes.providers("good-key", 20);
    let asked = question(Kind::OpenAi, "?");
    let error = provider(&providers, Kind::OpenAi)
        .generate(&asked)
        .await
        .expect_err("too much");
    assert_eq!(error.class(), "provider_malformed_answer");
}

#[tokio::test]
async fn nothing_that_goes_wrong_shows_the_key() {
    let fakes = Fakes::start().await;
    let telling = Cue {
        message: Some("The key good-key of sk-proj-abcdefgh is suspended.".into()),
        ..Cue::status(403)
    };
    fakes.openai.script([telling.clone()]);
    fakes.anthropic.script([telling]);
    let providers = fakes.providers("good-key", 20);
    for kind in [Kind::OpenAi, Kind::Anthropic] {
        let error = provider(&providers, kind)
            .generate(&question(kind, "?"))
            .await
            .expect_err("a refusal");
        let shown = format!("{error} {error:?} {providers:?}");
        assert!(
            !shown.contains("good-key") && !shown.contains("sk-proj"),
            "{shown}"
        );
        assert!(shown.contains("[key]"), "{shown}");
    }
}

#[tokio::test]
async fn the_key_of_the_environment_goes_nowhere_else() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("own-key", 20);
    let elsewhere = address(&fakes.openai.url);
    for kind in [Kind::Gemini, Kind::Anthropic] {
        let refused = providers.provider(kind, None, Some(&elsewhere)).map(drop);
        assert!(matches!(refused, Err(SetupError::NoKey(_))), "{kind:?}");
    }
    let small = providers.provider(
        Kind::OpenAi,
        None,
        Some(&address(&format!("{}/v1/", fakes.openai.url))),
    );
    let mut asked = question(Kind::OpenAi, "Hello");
    asked.model = "llama-4".into();
    let reply = small
        .expect("no key is needed")
        .generate(&asked)
        .await
        .expect("an answer");
    assert!(reply.usage.estimated && reply.text.contains("Hello"));
    assert_eq!(fakes.openai.heard()[0].header("authorization"), "");
}

#[tokio::test]
async fn a_key_that_was_stored_takes_the_place_of_the_environments() {
    let fakes = Fakes::start().await;
    let providers = fakes.providers("own-key", 20);
    let stored = "stored-key".into();
    let anthropic = providers
        .provider(Kind::Anthropic, Some(&stored), None)
        .expect("a provider");
    anthropic.check().await.expect("a good key");
    assert_eq!(fakes.anthropic.heard()[0].header("x-api-key"), "stored-key");
}
