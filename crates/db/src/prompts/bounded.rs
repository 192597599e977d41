//! Pages that stay within memory, however large their rows are: what a row may weigh is asked
//! first, without reading it; then as many are read as a page has room for.

use std::{
    collections::VecDeque,
    io::{self, Write},
};

use diesel::{dsl, expression::SqlLiteral, sql_types};
use domain::page::{Limit, Page};
use serde::Serialize;

/// About the most bytes of a page's rows as JSON: the rest follows on the next page. A single row
/// that is larger makes a page of its own.
const PAGE_BYTES: i64 = 16 * 1024 * 1024;

/// What a JSON column weighs at the most when it is read. Its true size is not to be had without
/// reading it where it is stored compressed, so the most that the method can do is assumed.
macro_rules! json_weight {
    ($column:literal) => {
        concat!(
            "coalesce(pg_column_size(",
            $column,
            ")::bigint * CASE pg_column_compression(",
            $column,
            ") WHEN 'pglz' THEN 100 WHEN 'lz4' THEN 256 ELSE 1 END, 0)"
        )
    };
}

/// What a prompt weighs. Lengths of texts are told without reading them. Metadata may be all small
/// numbers, which take several times their place in memory.
pub(super) fn weight_of_prompt() -> SqlLiteral<sql_types::BigInt> {
    dsl::sql(concat!(
        "octet_length(prompt_text)::bigint + coalesce(octet_length(example_output), 0)",
        " + coalesce(octet_length(notes), 0) + 8 * ",
        json_weight!("metadata"),
        " + ",
        json_weight!("source_document"),
        " + ",
        json_weight!("sfl_field"),
        " + ",
        json_weight!("sfl_tenor"),
        " + ",
        json_weight!("sfl_mode")
    ))
}

/// What a version weighs.
pub(super) fn weight_of_version() -> SqlLiteral<sql_types::BigInt> {
    dsl::sql(json_weight!("body"))
}

/// A page that is being filled, part by part.
pub(crate) struct Filling<I, T> {
    left: VecDeque<(I, i64)>,
    rows: Vec<T>,
    room: i64,
    /// Whether everything fits by its weight, so that nothing need be measured.
    fits: bool,
    more: bool,
}

impl<I, T: Serialize> Filling<I, T> {
    /// Of the rows with these ids and weights, in the order of the list, one more than the page
    /// shall have if more follow.
    pub(crate) fn of(found: Vec<(I, i64)>, limit: Limit) -> Self {
        let mut left = VecDeque::from(found);
        let most = usize::try_from(limit.rows()).unwrap_or(usize::MAX);
        let more = left.len() > most;
        left.truncate(most);
        Self {
            fits: left.iter().map(|(_, weight)| weight).sum::<i64>() <= PAGE_BYTES,
            rows: Vec::with_capacity(left.len()),
            room: PAGE_BYTES,
            left,
            more,
        }
    }

    /// The rows to read next: one, or as many as a page has room for.
    pub(crate) fn part(&mut self) -> Vec<I> {
        let (mut ids, mut sum) = (Vec::new(), 0);
        while let Some((id, weight)) = self.left.pop_front() {
            sum += weight;
            if sum > PAGE_BYTES && !ids.is_empty() {
                self.left.push_front((id, weight));
                break;
            }
            ids.push(id);
        }
        ids
    }

    /// Takes the rows of a part, in the order of the list, as far as there is room.
    pub(crate) fn take(&mut self, part: Vec<T>) {
        for row in part {
            self.room -= if self.fits { 0 } else { measure(&row) };
            if self.room < 0 && !self.rows.is_empty() {
                self.left.clear();
                self.more = true;
                return;
            }
            self.rows.push(row);
        }
    }

    /// The page.
    pub(crate) fn page<K>(self, key: impl FnOnce(&T) -> K) -> Page<T, K> {
        let next = if self.more {
            self.rows.last().map(key)
        } else {
            None
        };
        Page {
            rows: self.rows,
            next,
        }
    }
}

/// Bytes of a row as JSON.
fn measure(row: &impl Serialize) -> i64 {
    struct Count(i64);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Writing to a counter does not fail; a row that is no JSON would fail in the answer.
    let _ = serde_json::to_writer(&mut count, row);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills a page with rows of these bytes; gives the parts that were read, and the page.
    fn filled(bytes: &[usize], weight: i64, limit: i64) -> (Vec<usize>, Page<String, usize>) {
        let found = (0..bytes.len()).map(|place| (place, weight)).collect();
        let mut page = Filling::of(found, limit.try_into().expect("a limit"));
        let mut parts = Vec::new();
        loop {
            let part = page.part();
            if part.is_empty() {
                return (parts, page.page(String::len));
            }
            parts.push(part.len());
            let read = part.iter().map(|place| "x".repeat(bytes[*place]));
            page.take(read.collect());
        }
    }

    #[test]
    fn a_row_larger_than_a_page_is_a_page_of_its_own() {
        let size = 17 * 1024 * 1024;
        let (parts, page) = filled(&[size, 10, 10], PAGE_BYTES + 1, 10);
        assert_eq!(parts, [1, 1]);
        assert_eq!((page.rows.len(), page.next), (1, Some(size)));
        let (_, last) = filled(&[size], PAGE_BYTES + 1, 10);
        assert_eq!((last.rows.len(), last.next), (1, None));
    }

    #[test]
    fn what_only_might_be_large_fills_the_page_nevertheless() {
        let (parts, page) = filled(&[10; 9], PAGE_BYTES / 4, 8);
        assert_eq!(parts, [4, 4]);
        assert_eq!((page.rows.len(), page.next), (8, Some(10)));
        let (_, whole) = filled(&[10; 8], PAGE_BYTES / 4, 8);
        assert_eq!((whole.rows.len(), whole.next), (8, None));
    }
}
