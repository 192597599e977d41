//! What a browser kept, as JSON: a list of prompts, or an object that has lists of prompts, workflows
//! and requests, as such or as text. Rows are taken one by one as they are read.

mod requests;

use std::{
    fmt,
    io::{BufReader, Read},
};

use db::{
    archive::Bundle,
    prompts::archive::{Imported, ImportedPrompt},
};
use domain::auth::Viewer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    found::{Found, malformed},
    rows,
    values::Bounded,
};
use crate::error::{ApiError, ApiResult};

/// The most rows of a browser's export.
const ROWS: usize = 20_000;

/// What is read of a browser's export.
#[derive(Debug, Default)]
pub struct Kept {
    /// The rows.
    pub bundles: Vec<Bundle>,
    /// What is found.
    pub found: Found,
}

/// Reads the rows of a browser's export.
pub fn read(from: impl Read, to: &mut Kept, viewer: &Viewer) -> ApiResult<()> {
    let mut refusal = None;
    let mut from = serde_json::Deserializer::from_reader(BufReader::new(from));
    let whole = Whole(Rows {
        area: Area::Prompts,
        to,
        viewer,
        refusal: &mut refusal,
    });
    let read = whole.deserialize(&mut from).and_then(|()| from.end());
    match (refusal, read) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(())) => Ok(()),
        (None, Err(fault)) if fault.is_data() => Err(malformed(
            "Send a list of prompts, or an object that has lists as `prompts`, `workflows` or `requests`.",
        )),
        (None, Err(fault)) => Err(malformed(format!("The body is not valid JSON: {fault}."))),
    }
}

/// A prompt of which only its present state is known.
fn alone(prompt: ImportedPrompt) -> Bundle {
    Bundle::Prompt(Box::new(Imported {
        prompt,
        versions: Vec::new(),
        moves: Vec::new(),
    }))
}

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Area {
    Prompts,
    Workflows,
    Requests,
}

impl Area {
    fn of(name: &str) -> Option<Self> {
        match name {
            "prompts" => Some(Self::Prompts),
            "workflows" => Some(Self::Workflows),
            "requests" => Some(Self::Requests),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Prompts => "prompts",
            Self::Workflows => "workflows",
            Self::Requests => "requests",
        }
    }
}

/// The list of prompts, or the object that has lists.
struct Whole<'a>(Rows<'a>);

/// Where rows go, and why there may be no more.
struct Rows<'a> {
    area: Area,
    to: &'a mut Kept,
    viewer: &'a Viewer,
    refusal: &'a mut Option<ApiError>,
}

impl Rows<'_> {
    /// Ends the reading with this answer.
    fn refuse<E: Error>(&mut self, refusal: ApiError) -> E {
        *self.refusal = Some(refusal);
        E::custom("refused")
    }

    fn row(&mut self, index: usize, row: Value) {
        let (found, viewer) = (&mut self.to.found, self.viewer);
        let bundle = match self.area {
            Area::Prompts => rows::prompt(found, index, row, viewer, false).map(alone),
            Area::Workflows => rows::workflow(found, index, row, viewer),
            Area::Requests => requests::request(found, index, row, viewer),
        };
        self.to.bundles.extend(bundle);
    }

    fn again(&mut self, area: Area) -> Rows<'_> {
        Rows {
            area,
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
        let mut lists = Vec::new();
        while let Some(name) = from.next_key::<String>()? {
            let Some(area) = Area::of(&name) else {
                from.next_value::<IgnoredAny>()?;
                self.0.to.found.ignore(&name);
                continue;
            };
            if lists.contains(&area) {
                let refusal = malformed(format!("The object has `{name}` more than once."));
                return Err(self.0.refuse(refusal));
            }
            lists.push(area);
            from.next_value_seed(self.0.again(area))?;
        }
        self.0.to.found.ignored.sort();
        if lists.is_empty() {
            let refusal = malformed("The object has no list `prompts`, `workflows` or `requests`.");
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
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<(), A::Error> {
        for index in 0.. {
            let Some(row) = from.next_element_seed(Bounded)? else {
                break;
            };
            if let Err(refusal) = self.to.found.count(ROWS) {
                return Err(self.refuse(refusal));
            }
            match row {
                Some(row) => self.row(index, row),
                None => self.to.found.crowded(self.area.name(), index),
            }
        }
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let mut from = serde_json::Deserializer::from_str(text);
        let read = from
            .deserialize_seq(self.again(self.area))
            .and_then(|()| from.end());
        if read.is_err() && self.refusal.is_none() {
            let name = self.area.name();
            let refusal = malformed(format!("`{name}` is a text, but no list as JSON."));
            return Err(self.refuse(refusal));
        }
        read.map_err(E::custom)
    }
}
