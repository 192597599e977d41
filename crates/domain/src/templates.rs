//! Templates: Markdown with Handlebars, and a JSON Schema of the variables. [`Body`] is a text that
//! was read, [`lint`] says what is wrong with it, [`render`] fills it in.
//!
//! The reader is ours. That of the `handlebars` crate needs a minute and a half for 190 kB of
//! backslashes and nine seconds for as much of `{{a}}`, and a template is somebody's input.

mod expression;
pub mod helpers;
mod lint;
mod path;
mod read;
mod render;
mod shape;
mod spaces;
mod tags;
mod tokens;
mod tree;

pub use lint::{Finding, FindingCode, Linted, lint};
pub use render::{Data, Failure, Rendered, render};
pub use tokens::tokens;
pub use tree::{Body, Place};

use serde_json::Value;

use crate::{
    Fault,
    codec::trimmed,
    prompts::{has_nul, whole},
};

id!(
    /// A template.
    TemplateId,
    /// What a template said at a time, for ever the same.
    TemplateVersionId,
);

checked_text!(
    /// What a template is called, 1 to 200 characters.
    TemplateName,
    |text| trimmed(text, 1, 200)
);

checked_text!(
    /// What a template says, 1 to 200 000 characters, kept as it is; not blank.
    BodyMd,
    |text| match whole(text, 200_000)? {
        blank if blank.trim().is_empty() => Err(Fault("must have 1 to 200000 characters".into())),
        text => Ok(text),
    }
);

/// Names that a template finds without declaring them: what it is filled in for.
pub const ROOTS: [&str; 5] = ["issue", "request", "tracker", "user", "company"];

/// The most bytes of a schema of variables.
const MOST_SCHEMA: usize = 100_000;

/// What is wrong with a schema of variables apart from what it says, if anything.
pub fn schema_fault(schema: &Value) -> Option<Fault> {
    if !schema.is_object() {
        return Some(Fault("must be an object, a JSON Schema".into()));
    }
    if has_nul(schema) {
        return Some(Fault("must not contain the NUL character".into()));
    }
    let fault = Fault(format!("must have at most {MOST_SCHEMA} bytes"));
    (schema.to_string().len() > MOST_SCHEMA).then_some(fault)
}

#[cfg(test)]
mod tests;
