//! What a version keeps of a prompt: everything that decides what a model is told. The title and
//! the notes are about the prompt and not part of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ExampleOutput, Metadata, PromptKind, PromptText, SflField, SflMode, SflTenor, SourceDocument,
};
use crate::documents::{Sha256, estimate_tokens};

/// The body of a version.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// What the prompt is for.
    pub kind: PromptKind,
    /// What the model is told.
    pub prompt_text: PromptText,
    /// The subject matter.
    pub sfl_field: SflField,
    /// Who is taking part.
    pub sfl_tenor: SflTenor,
    /// The form of the answer.
    pub sfl_mode: SflMode,
    /// An example of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example_output: Option<ExampleOutput>,
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_document: Option<SourceDocument>,
    /// Temperature, model and the like.
    pub metadata: Metadata,
}

impl Body {
    /// The SHA-256 of the body as canonical JSON: members in the order of their names, no spaces.
    pub fn sha256(&self) -> Sha256 {
        let value = serde_json::to_value(self).unwrap_or_default();
        Sha256::of(canonical(&value).as_bytes())
    }

    /// About how many tokens the text has for a model.
    pub fn tokens_estimate(&self) -> i32 {
        i32::try_from(estimate_tokens(self.prompt_text.as_str())).unwrap_or(i32::MAX)
    }
}

/// JSON of which equal values have one form: members in the order of their names, no spaces.
pub(crate) fn canonical(value: &serde_json::Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

/// Sorted here, since whether the JSON library does so is up to whoever builds it.
fn write_canonical(value: &serde_json::Value, to: &mut String) {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            write_list(to, ['{', '}'], members, |(name, value), to| {
                to.push_str(&Value::from(name.as_str()).to_string());
                to.push(':');
                write_canonical(value, to);
            });
        }
        Value::Array(items) => write_list(to, ['[', ']'], items, write_canonical),
        scalar => to.push_str(&scalar.to_string()),
    }
}

fn write_list<T>(
    to: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    to.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            to.push(',');
        }
        write(item, to);
    }
    to.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(metadata: &serde_json::Value) -> Body {
        let json = json!({
            "kind": "generator", "promptText": "Hi {{a}}", "sflField": {}, "sflTenor": {},
            "sflMode": {}, "metadata": metadata,
        });
        serde_json::from_value(json).expect("a body")
    }

    #[test]
    fn equal_bodies_have_one_hash_and_others_another() {
        let one = body(&json!({"a": 1, "b": [true, null, {"z": 1, "y": 2}]})).sha256();
        let same = body(&json!({"b": [true, null, {"y": 2, "z": 1}], "a": 1})).sha256();
        assert_eq!(one, same);
        assert_ne!(one, body(&json!({"a": 1})).sha256());
    }

    #[test]
    fn canonical_json_sorts_members_and_has_no_spaces() {
        let mut text = String::new();
        let value = json!({"b": [1, "x\"y"], "a": {"d": null, "c": 1.5}});
        write_canonical(&value, &mut text);
        assert_eq!(text, r#"{"a":{"c":1.5,"d":null},"b":[1,"x\"y"]}"#);
    }
}
