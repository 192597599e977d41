use proptest::prelude::*;

use super::*;

fn read(text: &str) -> (Directives, String) {
    let mut directives = Directives::default();
    let rest = directives.take_from(text).expect("good directives");
    (directives, rest)
}

fn fault(text: &str) -> String {
    Directives::default()
        .take_from(text)
        .expect_err("a faulty directive")
        .to_string()
}

#[test]
fn directives_are_taken_out_of_the_text() {
    let (directives, rest) =
        read("Write [[mock: latency=2s,truncate ]]a poem[[mock:slow-stream]].");
    assert_eq!(rest, "Write a poem.");
    let expected = Directives {
        latency: Duration::from_secs(2),
        truncate: Some(Truncate::Half),
        pause: SLOW,
        ..Directives::default()
    };
    assert_eq!(directives, expected);
}

#[test]
fn a_text_without_directives_stays_as_it_is() {
    for text in ["", "[[mocking]] a [[bird]]", "{{mock}} [mock: latency=1s]"] {
        assert_eq!(read(text), (Directives::default(), text.to_owned()));
    }
}

#[test]
fn a_later_directive_overrules_an_earlier() {
    let (directives, _) = read("[[mock: error=timeout, rate-limit=31s]]");
    let until = Failure::RateLimited(Duration::from_secs(31));
    assert_eq!(directives.failure, Some(until));
}

#[test]
fn a_quoted_text_may_hold_what_else_would_end_it() {
    let (directives, rest) = read(r#"[[mock: say="a, \"b\" ]] c", usage=1000/200]]!"#);
    let said = Answer::Say(r#"a, "b" ]] c"#.into());
    assert_eq!(
        (directives.answer, directives.usage, rest.as_str()),
        (Some(said), Some((1000, 200)), "!")
    );
}

#[test]
fn what_nobody_knows_is_named() {
    let faults = [
        ("[[mock: eror=timeout]]", "no directive \"eror\""),
        ("[[mock: latency=fast]]", "latency cannot be \"fast\""),
        ("[[mock: latency=601s]]", "at most"),
        ("[[mock: latency]]", "latency cannot be \"\""),
        ("[[mock: error=http]]", "out-of-credit"),
        ("[[mock: error=]]", "error cannot be \"\""),
        ("[[mock: refuse=yes]]", "it takes nothing"),
        ("[[mock: truncate=-1]]", "a number of words"),
        ("[[mock: usage=5]]", "1000/200"),
        ("[[mock: unsure=20]]", "a share from 0 to 1"),
        ("[[mock: unsure]]", "a share from 0 to 1"),
        ("[[mock: judge=kindly]]", "it takes nothing"),
        (
            "[[mock: rate-limit=99999999999999h]]",
            "a time, such as 31s",
        ),
        ("[[mock: say=\"open]]", "JSON string"),
        ("[[mock: refuse, ]]", "is empty"),
        ("[[mock: ]]", "is empty"),
        ("[[mock: refuse", "not closed"),
        ("[[mock: refuse]", "not closed"),
        ("[[mock: Refuse]]", "no directive \"Refuse\""),
        ("[[mock: refuse break]]", "no directive \"refuse break\""),
    ];
    for (text, part) in faults {
        let fault = fault(text);
        let expected = if part == "at most" {
            "up to 10 minutes"
        } else {
            part
        };
        assert!(fault.contains(expected), "{text}: {fault}");
    }
}

proptest! {
    #[test]
    fn whatever_stands_in_a_directive_is_read_or_refused(inside in "\\PC{0,40}") {
        let _ = Directives::default().take_from(&format!("before [[mock: {inside}]] after"));
    }

    #[test]
    fn any_text_can_be_said(text in "\\PC{0,40}") {
        let quoted = serde_json::to_string(&text).expect("a string");
        let (directives, rest) = read(&format!("[[mock: say={quoted}]]"));
        prop_assert_eq!((directives.answer, rest), (Some(Answer::Say(text)), String::new()));
    }
}
