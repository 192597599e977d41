//! JSON, and JSON Lines: every value on a line that names its place, as in
//! `products[2].name: Kettle`, so that each is understood without the rest. Read as a stream:
//! no tree is built, however long an array may be.

use std::fmt::Write;

use domain::documents::{ExtractFault, Extracted};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{
    broken,
    draft::{Draft, title},
    text,
};

/// The values, a blank line between the records of an array.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    let json = text::read(bytes, None)?;
    let mut values = serde_json::Deserializer::from_str(&json);
    let mut written = Written::default();
    while values.end().is_err() {
        let place = Place {
            written: &mut written,
            list: Some(List { at: 0, open: false }),
        };
        if let Err(error) = place.deserialize(&mut values) {
            return Err(written.fault.take().unwrap_or_else(|| unreadable(&error)));
        }
    }
    written.draft.finish(ExtractFault::Empty)
}

/// Says where the file breaks its format, or that it is nested too deep to be followed.
fn unreadable(error: &serde_json::Error) -> ExtractFault {
    let (line, column) = (error.line(), error.column());
    if error.to_string().starts_with("recursion limit") {
        return ExtractFault::TooLarge("its values are nested more than 127 deep".into());
    }
    if error.is_eof() {
        return broken(format!("it ends within a value, in line {line}"));
    }
    broken(format!("it is not JSON at line {line}, column {column}"))
}

/// What has been written, and where the stream stands.
#[derive(Default)]
struct Written {
    draft: Draft,
    path: String,
    fault: Option<ExtractFault>,
}

impl Written {
    /// Writes a plain value on a line of its own, or behind the plain values before it.
    fn plain(&mut self, list: Option<List>, value: &str) -> Result<(), ExtractFault> {
        if list.is_some_and(|list| list.open) {
            self.draft.push(", ")?;
            return self.draft.push(value);
        }
        let path = list.map_or(self.path.as_str(), |list| &self.path[..list.at]);
        self.draft.gap("\n")?;
        if !path.is_empty() {
            self.draft.push(path)?;
            self.draft.push(": ")?;
        }
        self.draft.push(value)
    }
}

/// The array a value stands in: how long its path is, and whether its last line takes more values.
#[derive(Clone, Copy)]
struct List {
    at: usize,
    open: bool,
}

/// A place in the stream whose value is written as it is read; tells whether it was a plain one.
struct Place<'a> {
    written: &'a mut Written,
    list: Option<List>,
}

impl Place<'_> {
    /// Keeps a fault for the end: serde's errors carry only sentences.
    fn note<E: Error>(&mut self, result: Result<(), ExtractFault>) -> Result<(), E> {
        result.map_err(|fault| {
            self.written.fault = Some(fault);
            E::custom("the text has no room for this value")
        })
    }

    /// Writes a plain value.
    fn plain<E: Error>(mut self, value: &str) -> Result<bool, E> {
        let result = self.written.plain(self.list, value);
        self.note(result)?;
        Ok(true)
    }

    /// Leaves a blank line before a record, or before a section of the whole.
    fn begin<E: Error>(&mut self) -> Result<(), E> {
        if self.list.is_none() && self.written.path.contains(['.', '[']) {
            return Ok(());
        }
        let result = self.written.draft.gap("\n\n");
        self.note(result)
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = bool;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("a JSON value")
    }

    /// Nothing to say.
    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(self.list.is_some_and(|list| list.open))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        self.plain(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        self.plain(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        self.plain(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        let shortest = serde_json::Number::from_f64(value);
        self.plain(
            &shortest
                .map(|number| number.to_string())
                .unwrap_or_default(),
        )
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<bool, E> {
        match value.trim() {
            "" => self.visit_unit(),
            words => self.plain(words),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<bool, A::Error> {
        self.begin()?;
        let at = self.written.path.len();
        let mut open = false;
        for index in 0.. {
            // Writing to a `String` cannot fail.
            let _ = write!(self.written.path, "[{index}]");
            let item = Place {
                written: self.written,
                list: Some(List { at, open }),
            };
            let plain = items.next_element_seed(item)?;
            self.written.path.truncate(at);
            match plain {
                Some(plain) => open = plain,
                None => break,
            }
        }
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<bool, A::Error> {
        self.begin()?;
        let at = self.written.path.len();
        while let Some(key) = members.next_key::<String>()? {
            if at > 0 {
                self.written.path.push('.');
            }
            self.written.path.push_str(&title(&key));
            members.next_value_seed(Place {
                written: self.written,
                list: None,
            })?;
            self.written.path.truncate(at);
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Result<String, ExtractFault> {
        extract(json.as_bytes()).map(|extracted| extracted.text)
    }

    #[test]
    fn every_value_names_its_place_in_the_order_of_the_file() {
        let json = r#"{"shop": "Tea & Co", "open": true, "products": [
            {"name": "Kettle", "price": 29.5, "colours": ["red", "blue"], "note": null},
            {"name": "Cup", "size": {"ml": 250}}], "years": [1999, 2001]}"#;
        let lines = [
            "shop: Tea & Co",
            "open: true",
            "",
            "products[0].name: Kettle",
            "products[0].price: 29.5",
            "products[0].colours: red, blue",
            "",
            "products[1].name: Cup",
            "products[1].size.ml: 250",
            "",
            "years: 1999, 2001",
        ];
        assert_eq!(text(json), Ok(lines.join("\n")));
    }

    #[test]
    fn json_lines_are_records_too() {
        assert_eq!(text("{\"a\": 1}\n{\"a\": 2}\n"), Ok("a: 1\n\na: 2".into()));
    }

    #[test]
    fn a_value_alone_is_text() {
        assert_eq!(text("\"just a sentence\""), Ok("just a sentence".into()));
        assert_eq!(text("[1, 2, [3]]"), Ok("1, 2\n\n[2]: 3".into()));
        assert_eq!(text("[null, {}, \"\"]"), Err(ExtractFault::Empty));
    }

    #[test]
    fn an_escaped_nul_is_left_out() {
        assert_eq!(text(r#"{"a": "x\u0000y"}"#), Ok("a: xy".into()));
    }

    #[test]
    fn a_broken_file_is_told_where() {
        assert_eq!(
            text("{\"a\": 1,\n \"b\" 2}"),
            Err(broken("it is not JSON at line 2, column 6"))
        );
        assert_eq!(
            text("{\"a\": [1, 2"),
            Err(broken("it ends within a value, in line 1"))
        );
    }

    #[test]
    fn bottomless_nesting_is_refused() {
        let json = "[".repeat(100_000);
        assert!(matches!(text(&json), Err(ExtractFault::TooLarge(_))));
    }
}
