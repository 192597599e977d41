//! The helpers of templates: those of Handlebars (`if`, `unless`, `each`, `with`, `lookup`) and ours.

use chrono::{
    DateTime,
    format::{Item, StrftimeItems},
};
use serde_json::Value;

text_enum!(
    /// A helper.
    Helper {
        /// The block if a value is true, not empty and not 0.
        If = "if",
        /// The block unless it is.
        Unless = "unless",
        /// The block for each item of a list or member of an object.
        Each = "each",
        /// The block with a value as what is looked at.
        With = "with",
        /// A member by a name that is itself a value.
        Lookup = "lookup",
        /// A time in another form.
        FormatDate = "formatDate",
        /// Underscores as spaces, in upper case.
        FormatStatus = "formatStatus",
        /// The block if two values are the same.
        IfEquals = "ifEquals",
        /// The first characters of a text.
        Truncate = "truncate",
        /// In upper case.
        Upper = "upper",
        /// In lower case.
        Lower = "lower",
        /// The items of a list in one text.
        Join = "join",
        /// The block if a value is there.
        Exists = "exists",
    }
);

/// How a date is written unless a format is given.
const DAY: &str = "%Y-%m-%d";

/// How many characters are kept unless it is said.
const KEPT: u64 = 100;

/// The most characters of a format.
const MOST_FORMAT: usize = 200;

impl Helper {
    /// Whether it may stand around a block, and whether it may stand alone.
    pub(super) fn stands(self) -> (bool, bool) {
        match self {
            Self::If | Self::Unless | Self::Each | Self::With => (true, false),
            Self::IfEquals | Self::Exists => (true, true),
            _ => (false, true),
        }
    }

    /// The fewest and the most arguments.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Self::Lookup | Self::IfEquals => (2, 2),
            Self::FormatDate | Self::Truncate | Self::Join => (1, 2),
            _ => (1, 1),
        }
    }

    /// The options it knows.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            Self::If | Self::Unless => &["includeZero"],
            _ => &[],
        }
    }

    /// What it makes of values that are there.
    pub(super) fn text(self, values: &[&Value]) -> Result<String, String> {
        let first = values.first().copied().unwrap_or(&Value::Null);
        let text = || match first {
            Value::Object(_) | Value::Array(_) => {
                Err("needs a text, not a list or object".to_owned())
            }
            value => Ok(shown(value)),
        };
        match self {
            Self::FormatDate => format_date(first, values.get(1).copied()),
            Self::FormatStatus => Ok(text()?.replace('_', " ").to_uppercase()),
            Self::Truncate => truncate(&text()?, values.get(1).copied()),
            Self::Upper => Ok(text()?.to_uppercase()),
            Self::Lower => Ok(text()?.to_lowercase()),
            Self::Join => join(first, values.get(1).copied()),
            _ => Err("makes no text".into()),
        }
    }
}

/// A value as it is shown: a list or an object as indented JSON, nothing for null.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => {
            serde_json::to_string_pretty(value).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

/// Whether a value counts as yes: not false, 0, null or empty. An object does.
pub(super) fn is_true(value: &Value, zero_counts: bool) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => zero_counts || number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}

/// Whether two values are the same; numbers however they are written.
pub(super) fn are_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn format_date(value: &Value, format: Option<&Value>) -> Result<String, String> {
    let format = match format {
        None => DAY,
        Some(Value::String(format)) => format,
        Some(_) => return Err("needs a format as a text, such as \"%Y-%m-%d\"".into()),
    };
    let items = format_items(format)?;
    let time = match value {
        Value::Null => return Ok(String::new()),
        Value::String(time) => DateTime::parse_from_rfc3339(time),
        _ => return Err("needs a time as a text, such as 2026-01-31T12:00:00Z".into()),
    };
    let time = time.map_err(|_| "needs a time such as 2026-01-31T12:00:00Z".to_owned())?;
    let mut text = String::new();
    let written = std::fmt::write(
        &mut text,
        format_args!("{}", time.format_with_items(items.iter())),
    );
    written
        .map(|()| text)
        .map_err(|_| "cannot write this time in this format".into())
}

/// The parts of a format, if all are known.
pub(super) fn format_items(format: &str) -> Result<Vec<Item<'_>>, String> {
    if format.chars().count() > MOST_FORMAT {
        return Err(format!(
            "needs a format of at most {MOST_FORMAT} characters"
        ));
    }
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        return Err("needs a format such as \"%Y-%m-%d %H:%M\"".into());
    }
    Ok(items)
}

fn truncate(text: &str, most: Option<&Value>) -> Result<String, String> {
    let most = match most {
        None => KEPT,
        Some(most) => most.as_u64().ok_or("needs a count of characters")?,
    };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    match text.char_indices().nth(most) {
        Some((end, _)) => Ok(format!("{}...", &text[..end])),
        None => Ok(text.to_owned()),
    }
}

fn join(list: &Value, between: Option<&Value>) -> Result<String, String> {
    let between = match between {
        None => ", ",
        Some(Value::String(between)) => between,
        Some(_) => return Err("needs a text to put between the items".into()),
    };
    match list {
        Value::Null => Ok(String::new()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            let length: usize = items.iter().map(|item| item.len() + between.len()).sum();
            if length > super::render::MOST_BYTES {
                return Err("makes more text than a template may have".into());
            }
            Ok(items.join(between))
        }
        _ => Err("needs a list".into()),
    }
}
