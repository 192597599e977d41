use proptest::prelude::*;

use super::*;

fn graded(reply: &str) -> Option<f64> {
    from_grader(reply).ok().map(Grade::share)
}

#[test]
fn yes_no_and_the_numbers_of_both_scales_are_grades() {
    for (reply, grade) in [
        ("yes", 1.0),
        ("No", 0.0),
        ("YES.", 1.0),
        (" no!\n", 0.0),
        ("**Yes**", 1.0),
        ("\"no\"", 0.0),
        ("`5`.", 1.0),
        ("1", 0.0),
        ("1.", 0.0),
        ("2", 0.25),
        ("3", 0.5),
        ("4", 0.75),
        ("5", 1.0),
        ("5.0", 1.0),
        ("3.5", 0.625),
        ("1.0", 1.0),
        ("0", 0.0),
        ("0.0", 0.0),
        ("0.123456789", 0.123_457),
        (".5", 0.5),
        ("0.5.", 0.5),
    ] {
        assert_eq!(graded(reply), Some(grade), "{reply}");
    }
}

#[test]
fn anything_else_is_a_failure_and_never_a_zero() {
    for reply in [
        "",
        " ",
        "Partial",
        "yes and no",
        "Yes, because",
        "6",
        "5.1",
        "-1",
        "-0",
        "+1",
        "1e0",
        "4/5",
        "80%",
        "0,5",
        "1.0.0",
        "..",
        ".",
        "NaN",
        "inf",
        "infinity",
        "1 2",
        "٣",
        "null",
        "true",
        "<response></response>",
        "no.5",
        "99999999999999999999999999999999999999",
    ] {
        assert_eq!(graded(reply), None, "{reply}");
    }
}

#[test]
fn the_response_counts_and_the_thoughts_do_not() {
    for (reply, grade) in [
        ("<thinking>Hm, 3?</thinking>\n<response>5</response>", 1.0),
        ("<response>Yes</response> no", 1.0),
        ("<thinking>no</thinking> yes", 1.0),
        (
            "<thinking><response>1</response></thinking><response>4</response>",
            0.75,
        ),
    ] {
        assert_eq!(graded(reply), Some(grade), "{reply}");
    }
    assert_eq!(from_grader("<response>5"), Err(GraderFailure::OpenResponse));
    let failure = from_grader("<response>Partial</response>").expect_err("no grade");
    assert!(failure.to_string().ends_with("but: Partial"), "{failure}");
    let long = from_grader(&"é".repeat(5000))
        .expect_err("no grade")
        .to_string();
    assert!(long.chars().count() < 300);
}

#[test]
fn the_better_half_passes() {
    let grade = |share| Grade::from_share(share).expect("a grade");
    assert!(grade(0.5).passes() && grade(1.0).passes());
    assert!(!grade(0.499_999).passes() && !Grade::ZERO.passes());
}

#[test]
fn a_grade_is_a_number_from_0_to_1() {
    assert_eq!(
        serde_json::to_string(&Grade::ONE).ok().as_deref(),
        Some("1.0")
    );
    for json in ["-0.1", "1.000001", "\"0.5\"", "null", "1e400"] {
        assert!(serde_json::from_str::<Grade>(json).is_err(), "{json}");
    }
    assert_eq!(serde_json::from_str::<Grade>("1").ok(), Some(Grade::ONE));
    assert_eq!(Grade::from_share(f64::NAN), None);
    assert_eq!(Grade::from_millionths(1_000_001), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(millionths in 0..=1_000_000_u32) {
        let grade = Grade::from_millionths(millionths).expect("a grade");
        let json = serde_json::to_string(&grade).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Grade>(&json).expect("a grade"), grade);
        prop_assert_eq!(Grade::from_share(grade.share()), Some(grade));
    }

    #[test]
    fn no_reply_is_too_odd(reply in "\\PC{0,30}|[0-9.]{0,30}") {
        let _ = from_grader(&reply);
    }
}
