//! The edit distance of two texts, by Myers' bit vectors in Hyyrö's blocks: 64 cells of the table at
//! once, so that texts of tens of thousands of characters are compared in a moment.

use std::collections::HashMap;

/// The most characters of a text that is compared.
pub(super) const MOST: usize = 50_000;

const BITS: usize = 64;

/// The fewest characters to insert, delete or replace, so that one text becomes the other.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (a, b) = without_common_ends(&a, &b);
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return long.len();
    }
    let places = places(short);
    let none = vec![0; short.len().div_ceil(BITS)];
    let mut columns = vec![Column::FIRST; none.len()];
    let last = 1_u64 << ((short.len() - 1) % BITS);
    let mut distance = short.len();
    for character in long {
        let equal = places.get(character).unwrap_or(&none);
        distance = match advance(&mut columns, equal, last) {
            Step::Up => distance + 1,
            Step::Level => distance,
            Step::Down => distance - 1,
        };
    }
    distance
}

fn without_common_ends<'a>(a: &'a [char], b: &'a [char]) -> (&'a [char], &'a [char]) {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let ends = a.iter().rev().zip(b.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    (&a[..a.len() - end], &b[..b.len() - end])
}

/// Where each character stands in a text, as bits.
fn places(text: &[char]) -> HashMap<char, Vec<u64>> {
    let mut places = HashMap::new();
    for (place, character) in text.iter().enumerate() {
        let bits = places
            .entry(*character)
            .or_insert_with(|| vec![0; text.len().div_ceil(BITS)]);
        bits[place / BITS] |= 1 << (place % BITS);
    }
    places
}

/// 64 differences between neighbours in a column of the table: where it rises, and where it falls.
#[derive(Clone, Copy)]
struct Column {
    rises: u64,
    falls: u64,
}

/// The difference to the cell on the left.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Up,
    Level,
    Down,
}

impl Column {
    /// The first column counts up from 0.
    const FIRST: Self = Self {
        rises: !0,
        falls: 0,
    };

    /// Goes on to the next column: what happens above the block comes in, what happens in the row of
    /// this bit goes out.
    fn advance(&mut self, equal: u64, above: Step, bit: u64) -> Step {
        let vertical = equal | self.falls;
        let equal = equal | u64::from(above == Step::Down);
        let diagonal = ((equal & self.rises).wrapping_add(self.rises) ^ self.rises) | equal;
        let up = self.falls | !(diagonal | self.rises);
        let down = self.rises & diagonal;
        let out = match (up & bit, down & bit) {
            (0, 0) => Step::Level,
            (0, _) => Step::Down,
            _ => Step::Up,
        };
        let up = (up << 1) | u64::from(above == Step::Up);
        let down = (down << 1) | u64::from(above == Step::Down);
        self.rises = down | !(vertical | up);
        self.falls = up & vertical;
        out
    }
}

/// The whole column goes on; how its last row changes.
fn advance(columns: &mut [Column], equal: &[u64], last: u64) -> Step {
    let mut step = Step::Up;
    let blocks = columns.len();
    for (block, (column, equal)) in columns.iter_mut().zip(equal).enumerate() {
        let bit = if block + 1 == blocks {
            last
        } else {
            1 << (BITS - 1)
        };
        step = column.advance(*equal, step, bit);
    }
    step
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The table itself, row by row.
    fn by_table(a: &str, b: &str) -> usize {
        let b: Vec<char> = b.chars().collect();
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (line, from) in a.chars().enumerate() {
            let mut corner = row[0];
            row[0] = line + 1;
            for (place, to) in b.iter().enumerate() {
                let replaced = corner + usize::from(from != *to);
                corner = row[place + 1];
                row[place + 1] = replaced.min(corner + 1).min(row[place] + 1);
            }
        }
        row[b.len()]
    }

    #[test]
    fn the_textbook_is_right() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("für", "fur", 1),
            ("abc", "abc", 0),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn long_texts_take_a_moment() {
        let (a, b) = ("ab".repeat(MOST / 2), "ba".repeat(MOST / 2));
        assert_eq!(distance(&a, &b), 2);
    }

    proptest! {
        #[test]
        fn it_is_what_the_table_says(a in "[abc]{0,200}", b in "[abcd]{0,200}") {
            prop_assert_eq!(distance(&a, &b), by_table(&a, &b));
            prop_assert_eq!(distance(&b, &a), by_table(&a, &b));
        }
    }
}
