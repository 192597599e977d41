use proptest::prelude::*;

use super::*;
use crate::runs::RunId;

fn seed() -> Seed {
    let run = |number| RunId(uuid::Uuid::from_u128(number));
    Seed::of(run(1), run(2))
}

fn grade(millionths: u32) -> Grade {
    Grade::from_millionths(millionths).expect("a grade")
}

fn pair(row: i32, a: u32, b: u32) -> Pair {
    Pair {
        row,
        a: Some(grade(a)),
        b: Some(grade(b)),
    }
}

/// Rows of their own, each with these two grades.
fn rows(grades: &[(u32, u32)]) -> Vec<Pair> {
    (0..)
        .zip(grades)
        .map(|(row, (a, b))| pair(row, *a, *b))
        .collect()
}

fn compared(pairs: &[Pair]) -> Comparison {
    Comparison::of(pairs, seed())
}

const YES: u32 = 1_000_000;

#[test]
fn passes_are_judged_by_the_exact_test() {
    // statsmodels mcnemar([[0, 6], [0, 0]], exact=True).pvalue == 0.03125; with 5 it is 0.0625
    let six = compared(&rows(&[(0, YES); 6]));
    assert_eq!(
        (six.verdict, six.basis),
        (Verdict::Better, Some(Basis::Passes))
    );
    assert_eq!(
        (six.p_value, six.only_a, six.only_b),
        (Some(0.031_25), 0, 6)
    );
    let five = compared(&rows(&[(0, YES); 5]));
    assert_eq!((five.verdict, five.p_value), (Verdict::Tied, Some(0.0625)));
    let worse = compared(&rows(&[(YES, 0); 6]));
    assert_eq!(worse.verdict, Verdict::Worse);
    assert_eq!(worse.grades.map(|grades| grades.difference), Some(-1.0));
}

#[test]
fn grades_are_judged_by_their_interval_once_enough_rows_differ() {
    let up = [(200_000, 300_000), (300_000, 450_000), (500_000, 550_000)];
    let six = compared(&rows(&up.repeat(2)));
    assert_eq!(
        (six.verdict, six.basis),
        (Verdict::Better, Some(Basis::Grades))
    );
    let grades = six.grades.expect("grades");
    assert!((grades.difference - 0.1).abs() < 1e-12);
    assert!(grades.interval.is_some_and(|interval| interval.low > 0.0));
    // All five are better, and still it may be chance.
    let five = compared(&rows(&up.repeat(2)[..5]));
    assert_eq!(five.verdict, Verdict::Tied);
    let mixed = [(200_000, 300_000), (300_000, 200_000)].repeat(20);
    assert_eq!(compared(&rows(&mixed)).verdict, Verdict::Tied);
}

#[test]
fn tied_is_not_the_same_as_not_comparable() {
    let same = compared(&rows(&[(YES, YES), (0, 0)]));
    assert_eq!((same.verdict, same.p_value), (Verdict::Tied, Some(1.0)));
    let ungraded = Pair {
        row: 0,
        a: None,
        b: Some(Grade::ONE),
    };
    for pairs in [&[][..], &[ungraded]] {
        let nothing = compared(pairs);
        assert_eq!(nothing.verdict, Verdict::NotComparable);
        assert_eq!((nothing.basis, nothing.p_value), (None, None));
        assert_eq!((nothing.grades, nothing.pass_rates), (None, None));
        assert_eq!(nothing.left_out, u64::try_from(pairs.len()).expect("few"));
    }
}

#[test]
fn one_row_is_compared_and_has_no_interval() {
    let one = compared(&[pair(3, 0, YES), pair(3, 0, YES)]);
    assert_eq!((one.verdict, one.rows, one.pairs), (Verdict::Tied, 1, 2));
    let grades = one.grades.expect("grades");
    assert_eq!(
        (grades.a.to_bits(), grades.b.to_bits()),
        (0, 1.0_f64.to_bits())
    );
    assert_eq!(grades.interval, None);
    assert!(one.pass_rates.is_some_and(|rates| rates.interval.is_none()));
}

#[test]
fn pairs_without_a_grade_are_left_out_and_counted() {
    let mut pairs = rows(&[(0, YES), (YES, YES)]);
    pairs[1].b = None;
    let compared = compared(&pairs);
    assert_eq!(
        (compared.rows, compared.pairs, compared.left_out),
        (1, 1, 1)
    );
}

#[test]
fn repetitions_do_not_make_one_row_count_as_many() {
    // Ten repetitions of one row say what one says of the rows.
    let repeated = compared(&[pair(0, 0, YES); 10]);
    assert_eq!((repeated.rows, repeated.only_b), (1, 1));
    assert_eq!(repeated.verdict, Verdict::Tied);
    // One of three passes is no pass of the row, two are; its grade is their mean.
    let mixed = [pair(0, 0, YES), pair(0, YES, YES), pair(0, 0, 0)];
    let row = compared(&mixed);
    assert_eq!((row.only_a, row.only_b), (0, 1));
    let grades = row.grades.expect("grades");
    assert!((grades.difference - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(row.basis, Some(Basis::Grades));
}

#[test]
fn it_is_answered_in_camel_case() {
    let json = serde_json::to_value(compared(&rows(&[(0, YES); 2]))).expect("JSON");
    for member in ["verdict", "passRates", "pValue", "leftOut", "onlyA"] {
        assert!(json.get(member).is_some(), "{member}");
    }
    assert!(json.pointer("/grades/interval/low").is_some());
}

fn some_pairs() -> impl Strategy<Value = Vec<Pair>> {
    let grades = prop_oneof![
        Just(None),
        (0..=4_u32).prop_map(|step| Some(grade(step * 250_000)))
    ];
    let pair = (0..12_i32, grades.clone(), grades).prop_map(|(row, a, b)| Pair { row, a, b });
    prop::collection::vec(pair, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn turned_around_it_says_the_reverse(pairs in some_pairs()) {
        let turned: Vec<Pair> = pairs.iter().map(|p| Pair { a: p.b, b: p.a, ..*p }).collect();
        let (one, other) = (compared(&pairs), compared(&turned));
        let reverse = match one.verdict {
            Verdict::Better => Verdict::Worse,
            Verdict::Worse => Verdict::Better,
            same => same,
        };
        prop_assert_eq!(other.verdict, reverse);
        prop_assert_eq!((other.only_a, other.only_b), (one.only_b, one.only_a));
        prop_assert_eq!(other.p_value, one.p_value);
        let low = |of: &Comparison| of.grades.and_then(|grades| grades.interval).map(|of| of.low);
        let high = |of: &Comparison| of.grades.and_then(|grades| grades.interval).map(|of| -of.high);
        prop_assert_eq!(low(&other), high(&one));
    }

    #[test]
    fn the_order_of_pairs_does_not_matter(pairs in some_pairs()) {
        let backwards: Vec<Pair> = pairs.iter().rev().copied().collect();
        prop_assert_eq!(compared(&backwards), compared(&pairs));
    }

    #[test]
    fn its_intervals_hold_what_they_are_of(pairs in some_pairs()) {
        let compared = compared(&pairs);
        for measure in [compared.grades, compared.pass_rates].into_iter().flatten() {
            prop_assert!((measure.b - measure.a - measure.difference).abs() < 1e-9);
            if let Some(interval) = measure.interval {
                prop_assert!(interval.low <= measure.difference + 1e-12);
                prop_assert!(measure.difference <= interval.high + 1e-12);
            }
        }
    }
}
