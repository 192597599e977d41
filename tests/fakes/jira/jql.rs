//! As much of Jira's query language as clients of ours speak: projects, keys, ids and times, joined by
//! `AND`, in an order.

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Utc};

use crate::fakes::issues::Row;

/// A question.
#[derive(Debug, Clone)]
pub(in crate::fakes) struct Query {
    clauses: Vec<Clause>,
    order: Vec<(Field, bool)>,
}

#[derive(Debug, Clone)]
enum Clause {
    In(Field, Vec<String>),
    Time(Field, String, DateTime<Utc>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Project,
    Key,
    Updated,
    Created,
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Plain(String),
    Quoted(String),
    Sign(String),
}

impl Query {
    /// Reads a question at this time, whose dates are of this zone.
    pub(in crate::fakes) fn parse(
        text: &str,
        now: DateTime<Utc>,
        zone: FixedOffset,
    ) -> Result<Self, String> {
        let words = words(text)?;
        let is_order =
            |word: &Word| matches!(word, Word::Plain(word) if word.eq_ignore_ascii_case("order"));
        let end = words.iter().position(is_order).unwrap_or(words.len());
        let mut clauses = Vec::new();
        let is_and =
            |word: &Word| matches!(word, Word::Plain(word) if word.eq_ignore_ascii_case("and"));
        for clause in words[..end]
            .split(is_and)
            .filter(|clause| !clause.is_empty())
        {
            clauses.push(self::clause(clause, now, zone)?);
        }
        let order = order(words.get(end + 2..).unwrap_or_default())?;
        Ok(Self { clauses, order })
    }

    /// Whether it restricts anything.
    pub(in crate::fakes) fn is_bounded(&self) -> bool {
        !self.clauses.is_empty()
    }

    /// Those that are asked for, in order.
    pub(in crate::fakes) fn select<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> Vec<&'a Row> {
        let fits = |row: &&Row| self.clauses.iter().all(|clause| clause.fits(row));
        let mut found: Vec<&Row> = rows.filter(fits).collect();
        found.sort_by(|a, b| {
            let by = |(field, is_down): &(Field, bool)| {
                let order = field.of(a).cmp(&field.of(b));
                if *is_down { order.reverse() } else { order }
            };
            let orders = self.order.iter().map(by);
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        found
    }
}

impl Clause {
    fn fits(&self, row: &Row) -> bool {
        match self {
            // Former keys of a project lead to it too.
            Self::In(Field::Project, names) => {
                names.iter().any(|name| row.project_keys.contains(name))
            }
            Self::In(_, names) => names
                .iter()
                .any(|name| *name == row.key || *name == row.id.to_string()),
            Self::Time(field, sign, than) => {
                let at = match field {
                    Field::Created => row.created,
                    _ => row.known().expect("only what is known is searched"),
                };
                match sign.as_str() {
                    ">=" => at >= *than,
                    ">" => at > *than,
                    "<=" => at <= *than,
                    _ => at < *than,
                }
            }
        }
    }
}

impl Field {
    fn parse(name: &str) -> Result<Self, String> {
        match name.to_lowercase().as_str() {
            "project" => Ok(Self::Project),
            "key" | "id" | "issue" | "issuekey" => Ok(Self::Key),
            "updated" | "updateddate" => Ok(Self::Updated),
            "created" | "createddate" => Ok(Self::Created),
            _ => Err(format!(
                "Field '{name}' does not exist or you do not have permission to view it."
            )),
        }
    }

    fn of(self, row: &Row) -> (i64, &str, u64) {
        match self {
            Self::Updated => (row.known().map_or(0, |at| at.timestamp_millis()), "", 0),
            Self::Created => (row.created.timestamp_millis(), "", 0),
            Self::Project | Self::Key => {
                let number = row
                    .key
                    .rsplit('-')
                    .next()
                    .and_then(|number| number.parse().ok());
                (0, row.project(), number.unwrap_or_default())
            }
        }
    }
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => {
                let (word, after) = quoted(&rest[1..], first)?;
                words.push(Word::Quoted(word));
                rest = after.trim_start();
                continue;
            }
            '(' | ')' | ',' => 1,
            '>' | '<' | '=' | '!' => 1 + usize::from(rest[1..].starts_with('=')),
            _ => rest
                .find(|char: char| char.is_whitespace() || "(),><=!\"'".contains(char))
                .unwrap_or(rest.len()),
        };
        let word = rest[..end].to_owned();
        words.push(if "(),><=!".contains(first) {
            Word::Sign(word)
        } else {
            Word::Plain(word)
        });
        rest = rest[end..].trim_start();
    }
    Ok(words)
}

fn quoted(text: &str, mark: char) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut characters = text.char_indices();
    while let Some((at, char)) = characters.next() {
        match char {
            '\\' => word.extend(characters.next().map(|(_, char)| char)),
            char if char == mark => return Ok((word, &text[at + 1..])),
            char => word.push(char),
        }
    }
    Err("Error in the JQL Query: The quoted string has not been completed.".into())
}

fn clause(words: &[Word], now: DateTime<Utc>, zone: FixedOffset) -> Result<Clause, String> {
    let odd = || format!("Error in the JQL Query: {words:?} cannot be understood.");
    let [Word::Plain(field), rest @ ..] = words else {
        return Err(odd());
    };
    let field = Field::parse(field)?;
    match rest {
        [
            Word::Plain(word),
            Word::Sign(open),
            names @ ..,
            Word::Sign(close),
        ] if word.eq_ignore_ascii_case("in") && open == "(" && close == ")" => {
            let names = names.iter().filter_map(name).collect();
            Ok(Clause::In(field, names))
        }
        [Word::Sign(sign), value]
            if sign == "=" && matches!(field, Field::Project | Field::Key) =>
        {
            Ok(Clause::In(field, name(value).into_iter().collect()))
        }
        [Word::Sign(sign), value]
            if matches!(field, Field::Updated | Field::Created) && sign != "=" =>
        {
            Ok(Clause::Time(field, sign.clone(), time(value, now, zone)?))
        }
        _ => Err(odd()),
    }
}

fn name(word: &Word) -> Option<String> {
    match word {
        Word::Plain(word) | Word::Quoted(word) => Some(word.clone()),
        Word::Sign(_) => None,
    }
}

/// Milliseconds mean the same everywhere if they are not quoted; dates are of the zone; spans end now.
fn time(word: &Word, now: DateTime<Utc>, zone: FixedOffset) -> Result<DateTime<Utc>, String> {
    let text = name(word).unwrap_or_default();
    let odd = || format!("Date value '{text}' for field 'updated' is invalid.");
    if let (Word::Plain(_), Ok(milliseconds)) = (word, text.parse()) {
        return DateTime::from_timestamp_millis(milliseconds).ok_or_else(odd);
    }
    if let Some(span) = text.strip_prefix('-') {
        return self::span(span).map(|span| now - span).ok_or_else(odd);
    }
    let plain = text.replace('/', "-");
    let at = NaiveDateTime::parse_from_str(&plain, "%Y-%m-%d %H:%M").ok();
    let day = || {
        NaiveDate::parse_from_str(&plain, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    let at = at.or_else(day).ok_or_else(odd)?;
    let at = zone.from_local_datetime(&at).single().ok_or_else(odd)?;
    Ok(at.to_utc())
}

fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    match unit {
        'm' => Some(Duration::minutes(number)),
        'h' => Some(Duration::hours(number)),
        'd' => Some(Duration::days(number)),
        'w' => Some(Duration::weeks(number)),
        _ => None,
    }
}

fn order(words: &[Word]) -> Result<Vec<(Field, bool)>, String> {
    let is_comma = |word: &Word| matches!(word, Word::Sign(sign) if sign == ",");
    let one = |words: &[Word]| {
        let field = words.first().and_then(name).unwrap_or_default();
        let is_down = words
            .get(1)
            .and_then(name)
            .is_some_and(|way| way.eq_ignore_ascii_case("desc"));
        Ok((Field::parse(&field)?, is_down))
    };
    words
        .split(is_comma)
        .filter(|words| !words.is_empty())
        .map(one)
        .collect()
}
