//! CSV: every record as lines of `header: value`, so that each is understood without the rest.

use ::csv::{ReaderBuilder, StringRecord};
use domain::documents::{ExtractFault, Extracted};

use super::{broken, draft::Draft, text};

/// What may stand between two values.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How many records are looked at to learn about a table.
const SAMPLE: usize = 20;

/// The records, a blank line between them.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    let table = text::read(bytes, None)?;
    let mut records = records(&table, ragged_delimiter(&table).unwrap_or(b','));
    let first = records
        .next()
        .transpose()
        .map_err(|error| unreadable(&error))?
        .unwrap_or_default();
    let mut draft = Draft::default();
    let labels = if is_header(&first) {
        labels(&first)
    } else {
        Vec::new()
    };
    if labels.is_empty() {
        push_record(&mut draft, &labels, &first)?;
    }
    for record in records {
        push_record(
            &mut draft,
            &labels,
            &record.map_err(|error| unreadable(&error))?,
        )?;
    }
    if draft.chars() == 0 {
        draft.push(&labels.join("\n"))?;
    }
    draft.finish(ExtractFault::Empty)
}

/// Reads records, of whatever length each.
fn records(table: &str, delimiter: u8) -> impl Iterator<Item = Result<StringRecord, ::csv::Error>> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(table.as_bytes())
        .into_records()
}

/// What stands between the values: the candidate by which the first records all have the same
/// number of values, and the more the better. None if there is no such candidate.
pub fn delimiter(table: &str) -> Option<u8> {
    best_delimiter(table, |first, width| width == first)
}

/// As [`delimiter`], for files that call themselves tables: records may lack values at their end.
pub fn ragged_delimiter(table: &str) -> Option<u8> {
    delimiter(table).or_else(|| best_delimiter(table, |first, width| (2..=first).contains(&width)))
}

/// The candidate that makes the most columns, of those by which every record fits the first.
fn best_delimiter(table: &str, fits: impl Fn(usize, usize) -> bool) -> Option<u8> {
    let columns = |delimiter: &u8| {
        let sample = records(table, *delimiter).take(SAMPLE).flatten();
        let widths: Vec<usize> = sample.map(|record| record.len()).collect();
        let first = *widths.first()?;
        // A sample may end within a record.
        let whole = &widths[..widths.len().saturating_sub(usize::from(widths.len() > 2))];
        (first > 1 && whole.iter().all(|width| fits(first, *width))).then_some(first)
    };
    let best = DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| columns(delimiter))?;
    columns(best).map(|_| *best)
}

/// Names the columns, if the first record does: each value once, none empty, none a number.
fn is_header(first: &StringRecord) -> bool {
    let mut names: Vec<&str> = first.iter().map(str::trim).collect();
    names.sort_unstable();
    let distinct = names.windows(2).all(|pair| pair[0] != pair[1]);
    distinct
        && names
            .iter()
            .all(|name| !name.is_empty() && name.parse::<f64>().is_err())
}

/// The columns' names on one line each.
fn labels(header: &StringRecord) -> Vec<String> {
    header.iter().map(super::draft::title).collect()
}

/// Writes one record; an empty value says nothing and is left out.
fn push_record(
    draft: &mut Draft,
    labels: &[String],
    record: &StringRecord,
) -> Result<(), ExtractFault> {
    draft.gap("\n\n")?;
    let mut first = true;
    for (column, value) in record.iter().enumerate() {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        if !std::mem::take(&mut first) {
            draft.push("\n")?;
        }
        match labels.get(column) {
            Some(label) => draft.push(label)?,
            None => draft.push(&format!("column {}", column + 1))?,
        }
        draft.push(": ")?;
        draft.push(value)?;
    }
    Ok(())
}

/// Says where a table cannot be read.
fn unreadable(error: &::csv::Error) -> ExtractFault {
    match error.position() {
        Some(position) => broken(format!("line {} cannot be read", position.line())),
        None => broken("it cannot be read as a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &str) -> String {
        extract(table.as_bytes()).expect("there is text").text
    }

    #[test]
    fn every_record_is_understood_alone() {
        assert_eq!(
            text("\u{FEFF}name,symbol,note\r\nIron,Fe,\"hard, grey\"\r\nGold,Au,\r\n"),
            "name: Iron\nsymbol: Fe\nnote: hard, grey\n\nname: Gold\nsymbol: Au"
        );
    }

    #[test]
    fn the_delimiter_is_found() {
        assert_eq!(delimiter("a;b;c\n1,5;2,5;3\n2,5;3,5;4\n"), Some(b';'));
        assert_eq!(delimiter("a\tb\n1\t2\n"), Some(b'\t'));
        assert_eq!(
            delimiter("Dear all,\nthis is a letter, not a table, is it.\nBye\n"),
            None
        );
    }

    #[test]
    fn a_table_without_a_header_numbers_its_columns() {
        assert_eq!(
            text("1,2\n3,4\n"),
            "column 1: 1\ncolumn 2: 2\n\ncolumn 1: 3\ncolumn 2: 4"
        );
    }

    #[test]
    fn a_value_may_hold_line_ends_and_quotes() {
        assert_eq!(
            text("q,a\n\"one\ntwo\",\"say \"\"yes\"\"\"\n"),
            "q: one\ntwo\na: say \"yes\""
        );
    }

    #[test]
    fn a_ragged_table_loses_nothing() {
        assert_eq!(text("a,b\n1\n1,2,3\n"), "a: 1\n\na: 1\nb: 2\ncolumn 3: 3");
    }

    #[test]
    fn a_header_alone_is_still_text() {
        assert_eq!(text("name,symbol\n"), "name\nsymbol");
    }
}
