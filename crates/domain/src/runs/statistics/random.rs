//! Random numbers that are the same on every machine and with every release: what a comparison says
//! must not change because a crate's generator did. `SplitMix64`, which is enough for drawing rows.

use crate::runs::RunId;
use sha2::{Digest, Sha256};

/// Where the random numbers of a comparison begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The seed of two runs, whichever is named first: turned around, a comparison says the reverse.
    pub fn of(a: RunId, b: RunId) -> Self {
        let mut hash = Sha256::new();
        hash.update(a.min(b).0);
        hash.update(a.max(b).0);
        let digest: [u8; 32] = hash.finalize().into();
        let (first, _) = digest.split_at(8);
        Self(
            first
                .iter()
                .fold(0, |seed, byte| seed << 8 | u64::from(*byte)),
        )
    }
}

/// A sequence of random numbers.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: Seed) -> Self {
        Self(seed.0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of a list. Each is as likely as any other: what would favour some by their place in 2^32 is
    /// thrown away (Lemire, 2019). `unfair` is [`unfair`] of the list's length.
    #[inline]
    pub(super) fn one_of(&mut self, list: &[i64], unfair: u32) -> i64 {
        loop {
            let wide = (self.next() >> 32) * list.len() as u64;
            #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
            if wide as u32 >= unfair {
                return list[(wide >> 32) as usize];
            }
        }
    }
}

/// How many of the 2^32 numbers are too many to be shared out evenly among so many.
pub(super) fn unfair(length: u32) -> u32 {
    length.wrapping_neg() % length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_of_two_runs_is_theirs_alone_and_knows_no_order() {
        let run = |id| RunId(uuid::Uuid::from_u128(id));
        let (a, b) = (run(1), run(2));
        assert_eq!(Seed::of(a, b), Seed::of(b, a));
        assert_ne!(Seed::of(a, b), Seed::of(a, a));
        assert_ne!(Seed::of(a, b), Seed::of(a, run(3)));
    }

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The first of SplitMix64 from the seed 1234567, as its author's code prints them.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn each_of_a_list_is_as_likely_as_the_others() {
        let mut random = Random(1);
        let list = [0, 1, 2, 3, 4, 5, 6];
        let mut drawn = [0_u32; 7];
        for _ in 0..70_000 {
            let one = random.one_of(&list, unfair(7));
            drawn[usize::try_from(one).expect("a place")] += 1;
        }
        // Six standard deviations: 556.
        assert!(
            drawn.iter().all(|times| times.abs_diff(10_000) < 556),
            "{drawn:?}"
        );
    }
}
