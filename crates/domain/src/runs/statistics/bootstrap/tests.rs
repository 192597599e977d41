use proptest::prelude::*;

use super::*;
use crate::runs::RunId;

fn seed(number: u128) -> Seed {
    Seed::of(
        RunId(uuid::Uuid::from_u128(number)),
        RunId(uuid::Uuid::from_u128(number + 1)),
    )
}

fn thousandths(values: &[i64], seed: Seed) -> (f64, f64) {
    let interval = interval(values, seed).expect("rows");
    (interval.low / 1000.0, interval.high / 1000.0)
}

#[test]
fn the_level_is_what_scipy_says() {
    // from scipy.stats import norm, t; norm.cdf(-sqrt(n / (n - 1)) * t.ppf(.975, n - 1))
    for (rows, level) in [
        (6, 0.002_431_803),
        (7, 0.004_109_154),
        (10, 0.008_550_639),
        (20, 0.015_880_830),
        (50, 0.021_179_411),
        (200, 0.024_026_185),
        (20_000, 0.024_990_204),
    ] {
        let ours = super::level(rows);
        assert!((ours - level).abs() < 3e-6, "{rows}: {ours}");
    }
    assert!(super::level(2) < 1e-6, "every mean of two rows is within");
}

#[test]
fn it_is_what_scipy_draws_in_the_long_run() {
    // from scipy.stats import bootstrap; bootstrap((d,), np.mean, n_resamples=2_000_000, rng=1,
    //   batch=100_000, method="percentile", confidence_level=1 - 2 * level).confidence_interval
    let few = [-250, 0, 0, 250, 500, 100, 300, -100, 750, 200, 50, 400];
    let mut many = vec![0; 150];
    many.extend([[1000; 10]; 4].as_flattened());
    many.extend([-1000; 10]);
    for number in 0..20 {
        let (low, high) = thousandths(&few, seed(number));
        assert!((low - 0.0167).abs() < 0.035, "{low}");
        assert!((high - 0.3667).abs() < 0.035, "{high}");
        let (low, high) = thousandths(&many, seed(number));
        assert!((low - 0.085).abs() < 0.0101, "{low}");
        assert!((high - 0.215).abs() < 0.0101, "{high}");
    }
}

#[test]
fn one_row_has_none_and_equal_rows_one_without_width() {
    assert_eq!(interval(&[], seed(1)), None);
    assert_eq!(interval(&[5], seed(1)), None);
    assert_eq!(thousandths(&[250, 250, 250], seed(1)), (0.25, 0.25));
}

#[test]
fn what_many_rows_come_to_is_near_to_what_is_drawn() {
    let values: Vec<i64> = (0..3_000)
        .map(|row| [-1000, 0, 0, 500, 1000][row % 5])
        .collect();
    let (low, high) = thousandths(&values, seed(1));
    let limit = limit(&values, 3_000.0);
    assert!((limit.low / 1000.0 - low).abs() < 0.003, "{low} {limit:?}");
    assert!(
        (limit.high / 1000.0 - high).abs() < 0.003,
        "{high} {limit:?}"
    );
    let many = values.repeat(30);
    let (low, high) = thousandths(&many, seed(1));
    assert!(
        0.09 < low && low < 0.1 && 0.1 < high && high < 0.11,
        "{low} {high}"
    );
}

/// Of samples of `rows` rows, how many per cent have an interval that holds the true mean.
fn coverage(rows: usize, values: &[i64], mean: f64) -> usize {
    let mut random = Random::new(seed(7));
    let unfair = unfair(u32::try_from(values.len()).expect("few"));
    let samples = 300;
    let holding = (0..samples).filter(|sample| {
        let drawn: Vec<i64> = (0..rows).map(|_| random.one_of(values, unfair)).collect();
        let interval = interval(&drawn, seed(*sample)).expect("rows");
        interval.low <= mean && mean <= interval.high
    });
    holding.count() * 100 / 300
}

#[test]
fn it_holds_the_true_mean_in_about_95_of_100_samples() {
    // The standard deviation of 300 samples is 1.3 of a hundred.
    let spread: Vec<i64> = (-10..=10).collect();
    let skewed = [-2, -1, 0, 0, 0, 0, 1, 1, 2, 9];
    for (rows, values, mean) in [
        (8, &spread[..], 0.0),
        (25, &spread, 0.0),
        (40, &skewed, 1.0),
    ] {
        let held = coverage(rows, values, mean);
        assert!((91..=99).contains(&held), "{rows} rows: {held} %");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_holds_the_mean_and_turns_with_the_sign(
        values in prop::collection::vec(-1_000_000..=1_000_000_i64, 2..40), number in 0..1000_u128,
    ) {
        let drawn = interval(&values, seed(number)).expect("rows");
        let mean = float(values.iter().sum()) / float(i64::try_from(values.len()).expect("few"));
        prop_assert!(drawn.low <= mean && mean <= drawn.high);
        let negative: Vec<i64> = values.iter().map(|value| -value).collect();
        let turned = interval(&negative, seed(number)).expect("rows");
        prop_assert_eq!((turned.low.to_bits(), turned.high.to_bits()), ((-drawn.high).to_bits(), (-drawn.low).to_bits()));
    }
}
