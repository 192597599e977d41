//! How long answers took, as counts in fixed buckets: they add up over cells, columns and runs, and
//! percentiles come out of them with an error of at most 1/32.
//!
//! Up to 32 ms each millisecond has a bucket; beyond, each doubling has 16 of the same width. That is
//! whole-number arithmetic, so that the same time falls into the same bucket everywhere and always.

/// Buckets in a doubling, as a power of 2.
const POWER: u32 = 4;
const PER_DOUBLING: u32 = 1 << POWER;

/// How many buckets there are: enough for three days, and whatever is longer is in the last.
pub const BUCKETS: i16 = 400;

/// The longest time that has a bucket of its own, in milliseconds.
const LONGEST: u32 = (1 << 28) - 1;

/// The bucket of a time.
pub fn bucket(ms: u32) -> i16 {
    let ms = ms.min(LONGEST);
    let bucket = match ms.checked_ilog2() {
        Some(doublings) if doublings >= POWER => {
            let within = (ms >> (doublings - POWER)) & (PER_DOUBLING - 1);
            PER_DOUBLING * (doublings - POWER + 1) + within
        }
        _ => ms,
    };
    i16::try_from(bucket).unwrap_or(BUCKETS - 1)
}

/// The time that stands for a bucket: its middle.
pub fn middle(bucket: i16) -> u32 {
    let bucket = u32::from(bucket.clamp(0, BUCKETS - 1).unsigned_abs());
    match (bucket / PER_DOUBLING).checked_sub(1) {
        None => bucket,
        Some(shift) => {
            let first = (PER_DOUBLING + bucket % PER_DOUBLING) << shift;
            first + ((1 << shift) - 1) / 2
        }
    }
}

/// The time within which so many of a hundred answers came, in milliseconds: at 50 the median. The
/// buckets may come in any order and more than once. `None` without a time.
pub fn percentile(counts: &[(i16, u64)], percent: u8) -> Option<u32> {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let rank = (all * u64::from(percent.min(100))).div_ceil(100).max(1);
    let mut below = 0;
    let holding = counts.into_iter().find(|(_, count)| {
        below += count;
        below >= rank
    });
    holding.map(|(bucket, _)| middle(bucket))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_fall_into_400_buckets_in_their_order() {
        for (ms, expected) in [
            (0, 0),
            (1, 1),
            (31, 31),
            (32, 32),
            (33, 32),
            (34, 33),
            (3_600_000, 299),
            (LONGEST, 399),
            (u32::MAX, 399),
        ] {
            assert_eq!(bucket(ms), expected, "{ms}");
        }
    }

    #[test]
    fn each_bucket_holds_its_middle() {
        for each in 0..BUCKETS {
            assert_eq!(bucket(middle(each)), each);
        }
    }

    #[test]
    fn a_percentile_is_the_time_of_its_rank() {
        let counts = [(20, 1), (10, 98), (30, 1)];
        assert_eq!(percentile(&counts, 50), Some(10));
        assert_eq!(percentile(&counts, 98), Some(10));
        assert_eq!(percentile(&counts, 99), Some(20));
        assert_eq!(percentile(&counts, 100), Some(30));
        assert_eq!(percentile(&counts, 0), Some(10));
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[(3, 0)], 50), None);
    }

    proptest! {
        #[test]
        fn a_longer_time_is_never_in_an_earlier_bucket(a in 0..LONGEST, more in 0..100_000_u32) {
            prop_assert!(bucket(a) <= bucket(a + more));
        }

        #[test]
        fn percentiles_are_off_by_a_32nd_at_most(
            mut times in prop::collection::vec(prop_oneof![0..100_u32, 0..10_000_u32, 0..LONGEST], 1..200),
            percent in 0..=100_u8,
        ) {
            let counts: Vec<_> = times.iter().map(|ms| (bucket(*ms), 1)).collect();
            times.sort_unstable();
            let rank = (times.len() * usize::from(percent)).div_ceil(100).max(1);
            let exact = f64::from(times[rank - 1]);
            let told = f64::from(percentile(&counts, percent).expect("times"));
            prop_assert!((told - exact).abs() <= exact / 32.0, "{told} for {exact}");
        }
    }
}
