//! What a browser kept, as JSON: a list of prompts, or an object that has one as `prompts`, as such
//! or as text. Rows are taken one by one as they are read.

use std::{
    fmt,
    io::{BufReader, Read},
};

use domain::auth::Viewer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    read::{Parsed, malformed},
    values::Bounded,
};
use crate::error::{ApiError, ApiResult};

/// Reads the rows of a browser's export.
pub fn read(from: impl Read, to: &mut Parsed, viewer: &Viewer) -> ApiResult<()> {
    let mut refusal = None;
    let mut from = serde_json::Deserializer::from_reader(BufReader::new(from));
    let whole = Whole(Rows {
        to,
        viewer,
        refusal: &mut refusal,
    });
    let read = whole.deserialize(&mut from).and_then(|()| from.end());
    match (refusal, read) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(())) => Ok(()),
        (None, Err(fault)) if fault.is_data() => Err(malformed(
            "Send a list of prompts, or an object that has one as `prompts`.",
        )),
        (None, Err(fault)) => Err(malformed(format!("The body is not valid JSON: {fault}."))),
    }
}

/// The list, or the object that has it.
struct Whole<'a>(Rows<'a>);

/// Where rows go, and why there may be no more.
struct Rows<'a> {
    to: &'a mut Parsed,
    viewer: &'a Viewer,
    refusal: &'a mut Option<ApiError>,
}

impl Rows<'_> {
    /// Ends the reading with this answer.
    fn refuse<E: Error>(&mut self, refusal: ApiError) -> E {
        *self.refusal = Some(refusal);
        E::custom("refused")
    }

    fn again(&mut self) -> Rows<'_> {
        Rows {
            to: self.to,
            viewer: self.viewer,
            refusal: self.refusal,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of prompts, or an object that has one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<(), A::Error> {
        self.0.visit_seq(from)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        let mut lists = 0;
        while let Some(name) = from.next_key::<String>()? {
            if name != "prompts" {
                from.next_value::<IgnoredAny>()?;
                self.0.to.ignore(&name);
                continue;
            }
            lists += 1;
            if lists > 1 {
                let refusal = malformed("The object has `prompts` more than once.");
                return Err(self.0.refuse(refusal));
            }
            from.next_value_seed(self.0.again())?;
        }
        self.0.to.ignored.sort();
        if lists == 0 {
            let refusal = malformed("The object has no list `prompts`.");
            return Err(self.0.refuse(refusal));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of prompts")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        for index in 0.. {
            let Some(row) = from.next_element_seed(Bounded)? else {
                break;
            };
            if let Err(refusal) = self.to.count() {
                return Err(self.refuse(refusal));
            }
            match row {
                Some(row) => self.to.prompt(index, row, self.viewer),
                None => self.to.crowded("prompts", index),
            }
        }
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let mut from = serde_json::Deserializer::from_str(text);
        let read = from.deserialize_seq(self.again()).and_then(|()| from.end());
        if read.is_err() && self.refusal.is_none() {
            let refusal = malformed("`prompts` is a text, but no list as JSON.");
            return Err(self.refuse(refusal));
        }
        read.map_err(E::custom)
    }
}
