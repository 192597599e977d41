//! Looking inside texts without reading each: a text is known by its runs of one to three
//! characters, and whoever contains a searched text has all runs of it. Postgres' own extension
//! for this, `pg_trgm`, is not to be had everywhere; arrays of numbers with an index are.
//!
//! A run is kept as a hash mixed with its company, so that the index is looked into for one
//! company alone. Hashes may collide: what they find is compared with the folded text again.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::users::CompanyId;

/// The longest runs.
const LONGEST: usize = 3;

/// The most runs a search asks for: more tell hardly more, and each costs a look.
const MOST_ASKED: usize = 24;

/// A text without case and compatibility forms: what differs only by them is found all the same.
pub fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The runs that a folded text is known by.
pub fn of_text(company: CompanyId, folded: &str) -> Vec<i32> {
    let bounds = bounds(folded);
    let mut grams = BTreeSet::new();
    for length in 1..=LONGEST {
        for window in bounds.windows(length + 1) {
            grams.insert(hash(company, &folded[window[0]..window[length]]));
        }
    }
    grams.into_iter().collect()
}

/// The runs to look for when a folded text is searched: its longest ones.
pub fn of_query(company: CompanyId, folded: &str) -> Vec<i32> {
    let bounds = bounds(folded);
    let length = LONGEST.min(bounds.len() - 1);
    let runs: Vec<_> = bounds
        .windows(length + 1)
        .map(|window| &folded[window[0]..window[length]])
        .collect();
    let step = runs.len().div_ceil(MOST_ASKED).max(1);
    let grams: BTreeSet<_> = runs
        .into_iter()
        .step_by(step)
        .map(|run| hash(company, run))
        .collect();
    grams.into_iter().collect()
}

/// Where characters begin, and the end.
fn bounds(text: &str) -> Vec<usize> {
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect()
}

/// FNV-1a, folded to 32 bits. Stored: it may never change.
fn hash(company: CompanyId, run: &str) -> i32 {
    let bytes = company.0.as_bytes().iter().chain(run.as_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folded = (hash ^ (hash >> 32)) & u64::from(u32::MAX);
    u32::try_from(folded).unwrap_or_default().cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn company() -> CompanyId {
        CompanyId(uuid::Uuid::from_u128(7))
    }

    #[test]
    fn case_and_compatibility_forms_do_not_matter() {
        assert_eq!(fold("Große Ａ ﬁ"), "große a fi");
    }

    #[test]
    fn companies_have_nothing_in_common() {
        let other = CompanyId(uuid::Uuid::from_u128(8));
        let ours = of_text(company(), "summarise");
        assert!(
            of_text(other, "summarise")
                .iter()
                .all(|gram| !ours.contains(gram))
        );
    }

    /// Written down when the first were stored.
    const HASH: i32 = -2_048_371_523;

    #[test]
    fn a_hash_stays_what_it_was() {
        assert_eq!(hash(company(), "abc"), HASH);
        assert_eq!(of_query(company(), "a").len(), 1);
        assert!(of_query(company(), "").len() <= 1);
    }

    proptest! {
        #[test]
        fn a_text_has_all_runs_of_what_it_contains(before in ".{0,20}", wanted in ".{1,60}", after in ".{0,20}") {
            let wanted = fold(&wanted);
            let text = format!("{}{wanted}{}", fold(&before), fold(&after));
            let grams = of_text(company(), &text);
            for gram in of_query(company(), &wanted) {
                prop_assert!(grams.contains(&gram));
            }
        }
    }
}
