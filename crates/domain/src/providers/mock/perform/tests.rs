use chrono::TimeZone;
use serde_json::json;

use super::*;
use crate::providers::generate::{Image, Sampling, Turn};

fn said(speaker: Speaker, text: &str) -> Turn {
    Turn {
        speaker,
        parts: vec![Part::Text(text.into())],
    }
}

fn asking(text: &str) -> Request {
    Request {
        model: "mock-1".into(),
        turns: vec![said(Speaker::User, text)],
        ..Request::default()
    }
}

fn asking_for_json(text: &str) -> Request {
    let schema = json!({ "type": "object", "properties": { "title": { "type": "string" } } });
    Request {
        output: Output::Json {
            name: "thing".into(),
            schema,
        },
        ..asking(text)
    }
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0)
        .single()
        .expect("a moment")
}

fn reply(request: &Request) -> Reply {
    perform(request, now()).result.expect("an answer")
}

#[test]
fn the_same_question_has_the_same_answer_and_another_has_another() {
    let tea = reply(&asking("How do I brew green tea?"));
    assert_eq!(tea, reply(&asking("How do I brew green tea?")));
    assert!(
        tea.text.contains("How do I brew green tea?"),
        "{}",
        tea.text
    );
    assert_ne!(tea.text, reply(&asking("How do I brew black tea?")).text);
    assert_eq!(
        (tea.finish, tea.model_version.as_str()),
        (Finish::Stop, "mock-1")
    );
}

#[test]
fn the_pieces_of_a_stream_are_the_text() {
    for text in ["", "one", " two  words\n", "Ünïcode — fine"] {
        assert_eq!(pieces(text).collect::<String>(), text);
    }
}

#[test]
fn directives_shape_the_answer() {
    let text = |directive: &str| reply(&asking(&format!("Hello there [[mock: {directive}]]")));
    assert_eq!(text("echo").text, "Hello there");
    assert_eq!(text(r#"say="no, never""#).text, "no, never");
    assert_eq!(text("echo, truncate").text, "Hello ");
    assert_eq!(text("echo, truncate=1").finish, Finish::Truncated);
    assert_eq!(text("model-version=mock-2").model_version, "mock-2");
    let refused = text("refuse");
    assert!(matches!(refused.finish, Finish::Refused(_)) && refused.text.is_empty());
    let usage = text("usage=1000/200").usage;
    assert_eq!(
        (usage.input, usage.output, usage.estimated),
        (1000, 200, false)
    );
}

#[test]
fn directives_of_the_system_instruction_count_and_those_of_the_model_do_not() {
    let mut request = asking("Hello");
    request
        .turns
        .insert(0, said(Speaker::Model, "[[mock: error=timeout]]"));
    request.system = Some("Be kind. [[mock: latency=3s, slow-stream=7ms]]".into());
    let performance = perform(&request, now());
    assert!(performance.result.is_ok());
    assert_eq!(
        (performance.latency.as_secs(), performance.pause.as_millis()),
        (3, 7)
    );
}

/// How many of a thousand questions a model answers with what it is told to say.
fn known(model: &str, directives: &str, seed: Option<i64>) -> Vec<bool> {
    let knows = |number| {
        let mut request = asking(&format!("Question {number} [[mock: say=yes{directives}]]"));
        request.model = model.into();
        request.sampling.seed = seed;
        match reply(&request).text.as_str() {
            "yes" => true,
            "I do not know." => false,
            other => panic!("{other}"),
        }
    };
    (0..1000).map(knows).collect()
}

#[test]
fn an_unsure_model_does_not_know_its_share_of_answers_always_the_same() {
    let share = |answers: Vec<bool>| answers.into_iter().filter(|known| *known).count();
    assert_eq!(share(known("text-1", "", None)), 1000);
    assert_eq!(share(known("text-1", ", unsure=1", None)), 0);
    assert_eq!(share(known("weak-1", ", unsure=0", None)), 1000);
    let weak = known("weak-1", "", None);
    assert_eq!(weak, known("weak-1", "", None));
    assert_ne!(weak, known("weak-1", "", Some(7)));
    assert_ne!(weak, known("text-1", ", unsure=0.25", None));
    let weak = share(weak);
    assert!((700..800).contains(&weak), "{weak}");
}

#[test]
fn a_judge_compares_what_is_shown_with_what_is_expected() {
    let judged = |text: &str| reply(&asking(&format!("[[mock: judge]] {text}"))).text;
    let same = "<expected>Paris</expected> and <output>\n paris </output>";
    assert_eq!(judged(same), "yes");
    assert_eq!(
        judged("<expected>Paris</expected><output>Rome</output>"),
        "no"
    );
    assert_eq!(judged("<output>Rome</output>"), "no");
}

#[test]
fn failures_are_those_that_were_ordered() {
    let fails = |directive: &str| {
        let text = format!("[[mock: latency=1s, {directive}]]");
        let performance = perform(&asking(&text), now());
        assert_eq!(performance.latency.as_secs(), 1);
        performance.result.expect_err("a failure")
    };
    let until = now() + TimeDelta::seconds(31);
    assert_eq!(
        fails("rate-limit=31s"),
        ProviderError::RateLimited { retry_at: until }
    );
    assert_eq!(
        fails("quota-spent=31s"),
        ProviderError::QuotaSpent { until }
    );
    let names = [
        "overloaded",
        "unauthorized",
        "out-of-credit",
        "refused",
        "too-long",
        "invalid",
        "malformed",
        "timeout",
    ];
    let classes: Vec<_> = names
        .map(|name| fails(&format!("error={name}")).class())
        .into();
    let expected = [
        "provider_overloaded",
        "provider_unauthorized",
        "provider_out_of_credit",
        "provider_refused",
        "provider_input_too_long",
        "provider_invalid_request",
        "provider_malformed_answer",
        "provider_timeout",
    ];
    assert_eq!(classes, expected);
    assert!(fails("bogus").to_string().contains("bogus"));
}

#[test]
fn json_is_an_instance_unless_it_is_to_be_malformed() {
    let text = |prompt: &str| reply(&asking_for_json(prompt)).text;
    assert_eq!(text("Brew tea"), r#"{"title":"Brew tea"}"#);
    assert!(
        text("Brew tea [[mock: malformed=fenced]]")
            .contains("```json\n{\"title\":\"Brew tea\"}\n```")
    );
    assert!(serde_json::from_str::<Value>(&text("[[mock: malformed]]")).is_err());
}

#[test]
fn malformed_once_is_mended_when_the_model_sees_what_it_said() {
    let mut request = asking_for_json("Brew tea [[mock: malformed=once]]");
    let first = reply(&request).text;
    assert!(serde_json::from_str::<Value>(&first).is_err());
    request.turns.extend([
        said(Speaker::Model, &first),
        said(Speaker::User, "That was no JSON."),
    ]);
    assert!(serde_json::from_str::<Value>(&reply(&request).text).is_ok());
}

#[test]
fn the_limits_of_the_request_are_kept() {
    let mut request = asking("[[mock: echo]]one two three four five");
    request.sampling = Sampling {
        max_output_tokens: Some(2),
        ..Sampling::default()
    };
    let cut = reply(&request);
    assert_eq!(
        (cut.text.as_str(), cut.finish),
        ("one two ", Finish::Truncated)
    );
    request.sampling = Sampling {
        stop: vec![String::new(), " three".into()],
        temperature: Some(0.5),
        ..Sampling::default()
    };
    let stopped = reply(&request);
    assert_eq!(
        (stopped.text.as_str(), stopped.finish),
        ("one two", Finish::Stop)
    );
    assert_eq!(stopped.not_applied, ["temperature"]);
}

#[test]
fn a_stream_that_is_to_break_does_so_in_its_middle() {
    let performance = perform(&asking("[[mock: break, echo]]one two three four"), now());
    assert_eq!(performance.breaks_after, Some(2));
}

#[test]
fn pictures_are_painted_and_counted() {
    let mut request = asking("A cat");
    request.output = Output::Image;
    request.turns[0].parts.push(Part::Image(Image {
        media_type: "image/png".into(),
        bytes: vec![1],
    }));
    let painted = reply(&request);
    assert_eq!((painted.images.len(), painted.text.as_str()), (1, ""));
    let usage = painted.usage;
    assert_eq!(
        (usage.input, usage.output, usage.image_output),
        (2 + 258, 258, 258)
    );
}

#[test]
fn an_empty_request_is_answered_too() {
    assert!(!reply(&Request::default()).text.is_empty());
    assert!(!reply(&asking("")).text.is_empty());
}
