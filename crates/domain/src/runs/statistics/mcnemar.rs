//! The exact test of `McNemar`: whether one of two passes more rows than chance lets it. Only rows on
//! which the two differ say anything; if neither is better, each such row is a toss of a coin.

/// How likely so uneven a split, to either side, is by chance: of the rows on which the two differ,
/// one passed so many and the other so many. 1 where they differ nowhere.
pub fn mcnemar(only_a: u64, only_b: u64) -> f64 {
    let (fewer, tosses) = (only_a.min(only_b), only_a.saturating_add(only_b));
    if only_a == only_b {
        return 1.0;
    }
    (2.0 * tail(fewer, tosses)).min(1.0)
}

/// The chance of so many heads or fewer: the likeliest term by logarithms, since it can be smaller
/// than any float times two to the tosses, and the others by what each is of its neighbour.
fn tail(heads: u64, tosses: u64) -> f64 {
    let float = |count: u64| {
        #[expect(clippy::cast_precision_loss, reason = "rows are far fewer than 2^53")]
        let float = count as f64;
        float
    };
    let ways: f64 = (0..heads)
        .map(|head| (float(tosses - head) / float(head + 1)).log2())
        .sum();
    let mut term = 1.0;
    let mut sum = 1.0;
    for head in (1..=heads).rev() {
        term *= float(head) / float(tosses - head + 1);
        sum += term;
        if term < sum * f64::EPSILON / 4.0 {
            break;
        }
    }
    (ways - float(tosses)).exp2() * sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_what_statsmodels_says() {
        // from statsmodels.stats.contingency_tables import mcnemar as m
        // m([[0, b], [c, 0]], exact=True).pvalue
        for (b, c, p) in P_VALUES {
            let ours = mcnemar(b, c);
            assert!((ours - p).abs() <= p * 1e-9, "{b}, {c}: {ours}");
        }
    }

    const P_VALUES: [(u64, u64, f64); 11] = [
        (0, 0, 1.0),
        (0, 1, 1.0),
        (0, 5, 0.0625),
        (0, 6, 0.031_25),
        (2, 12, 0.012_939_453_125),
        (1, 9, 0.021_484_375),
        (10, 10, 1.0),
        (10, 25, 0.016_673_847_800_120_715),
        (300, 400, 0.000_178_476_314_485_624_4),
        (9_800, 10_200, 0.004_780_889_455_902_781),
        (0, 1_100, 0.0),
    ];

    proptest! {
        #[test]
        fn it_is_a_chance_and_does_not_care_which_is_which(a in 0..3_000_u64, b in 0..3_000_u64) {
            let p = mcnemar(a, b);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert_eq!(p.to_bits(), mcnemar(b, a).to_bits());
            // One more row to the side that is ahead makes chance no likelier.
            let (fewer, more) = (a.min(b), a.max(b));
            prop_assert!(mcnemar(fewer, more + 1) <= p);
        }
    }
}
