//! Tables as people bring them: ten columns, with quotes, line ends within values, empty places and
//! characters of many scripts. The same seed gives the same table.

use std::fmt::Write as _;

use domain::datasets::export::{Object, csv_line, json_line};
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::Format;
use crate::bench::corpus::Writer;

const HEADERS: [&str; 10] = [
    "number", "name", "address", "city", "amount", "day", "state", "remark", "question", "answer",
];

const NAMES: [&str; 6] = ["Zoë", "Łukasz", "Ayşe", "José", "Søren", "Мария"];

const CITIES: [&str; 6] = ["Zürich", "Kraków", "東京", "São Paulo", "Αθήνα", "القاهرة"];

const STATES: [Option<&str>; 4] = [Some("open"), Some("paid"), Some(""), None];

/// A file, with how many rows it has.
pub struct Table {
    seed: u64,
    /// How it is written.
    pub format: Format,
    /// What is written.
    pub text: String,
    /// How many rows it has.
    pub rows: usize,
}

/// Values of a row.
type Cells = Vec<Option<String>>;

impl Table {
    /// A table that takes so many bytes when it is written.
    pub fn new(seed: u64, format: Format, bytes: usize) -> Self {
        let headers = HEADERS.map(str::to_owned);
        let mut out = Vec::with_capacity(bytes + 4096);
        if format == Format::Csv {
            csv_line(&mut out, HEADERS.map(Some));
        }
        let mut rows = 0;
        for cells in cells(seed) {
            match format {
                Format::Csv => csv_line(&mut out, cells.iter().map(Option::as_deref)),
                Format::JsonLines => {
                    let object = Object {
                        headers: &headers,
                        cells: &cells,
                    };
                    json_line(&mut out, object).expect("texts can be written");
                }
            }
            rows += 1;
            if out.len() >= bytes {
                break;
            }
        }
        let text = String::from_utf8(out).expect("texts are UTF-8");
        Self {
            seed,
            format,
            text,
            rows,
        }
    }

    /// The rows once more, as Postgres takes them by `COPY`, for the dataset of this id.
    pub fn lines(&self, id: &str) -> String {
        let mut out = String::with_capacity(self.text.len() * 2);
        for (index, cells) in cells(self.seed).take(self.rows).enumerate() {
            write!(out, "{id}\t{index}\t1\t\\N\t{{").expect("a string takes everything");
            for (place, cell) in cells.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                match cell {
                    Some(text) => value(&mut out, text),
                    None => out.push_str("NULL"),
                }
            }
            out.push_str("}\n");
        }
        out
    }
}

/// A value within a list, within a line.
fn value(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\\\""),
            '\\' => out.push_str("\\\\\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn cells(seed: u64) -> impl Iterator<Item = Cells> {
    let (mut random, mut writer) = (SmallRng::seed_from_u64(seed), Writer::new(seed));
    (0_u32..).map(move |number| {
        let mut pick = |count: usize| random.random_range(0..count);
        let (name, city, state) = (NAMES[pick(6)], CITIES[pick(6)], STATES[pick(4)]);
        let (whole, cents, day) = (pick(10_000), pick(100), 1 + pick(28));
        let quotes = pick(3) == 0;
        let mut words = |count| writer.sentence(count);
        let remark = if quotes {
            format!("\"{}\", said {name}, \"{}\"", words(3), words(4))
        } else {
            words(7)
        };
        vec![
            Some(number.to_string()),
            Some(format!("{name} {}", words(1))),
            Some(format!("{} {}\n{}", words(2), whole % 90, words(1))),
            Some(city.to_owned()),
            Some(format!("{whole}.{cents:02}")),
            Some(format!("2026-11-{day:02}")),
            state.map(str::to_owned),
            Some(remark),
            Some(format!("{}?", words(12))),
            Some(words(10)),
        ]
    })
}
