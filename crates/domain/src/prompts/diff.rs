//! What changed from one version's body to another's: the text line by line, the rest by name.

use std::time::Duration;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};
use utoipa::ToSchema;

use super::Body;

text_enum!(
    /// What happened to a line.
    LineOp {
        /// It stands in both.
        Equal = "equal",
        /// It is new.
        Insert = "insert",
        /// It is gone.
        Delete = "delete",
    }
);

/// One line of the older or newer text, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineChange {
    /// What happened to it.
    pub op: LineOp,
    /// Its number in the older text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_line: Option<usize>,
    /// Its number in the newer text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_line: Option<usize>,
    /// The line with its end.
    pub text: String,
}

/// What differs between two bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The lines of both prompt texts, in order.
    pub lines: Vec<LineChange>,
    /// How many lines are new.
    pub inserted: usize,
    /// How many are gone.
    pub deleted: usize,
    /// The members besides the text that differ, such as `sflTenor.desiredTone`.
    pub members: Vec<String>,
}

impl Difference {
    /// From the older to the newer body. A text for which the shortest difference is not found
    /// within `patience` gets a longer, still correct one.
    pub fn between(old: &Body, new: &Body, patience: Duration) -> Self {
        let (before, after) = (old.prompt_text.as_str(), new.prompt_text.as_str());
        let diff = TextDiff::configure()
            .timeout(patience)
            .diff_lines(before, after);
        let lines: Vec<_> = diff
            .iter_all_changes()
            .map(|change| LineChange {
                op: match change.tag() {
                    ChangeTag::Equal => LineOp::Equal,
                    ChangeTag::Insert => LineOp::Insert,
                    ChangeTag::Delete => LineOp::Delete,
                },
                old_line: change.old_index().map(|index| index + 1),
                new_line: change.new_index().map(|index| index + 1),
                text: change.value().to_owned(),
            })
            .collect();
        let count = |op| lines.iter().filter(|line| line.op == op).count();
        Self {
            inserted: count(LineOp::Insert),
            deleted: count(LineOp::Delete),
            members: members(old, new),
            lines,
        }
    }
}

/// The members of either body whose values differ; those of objects by their own names.
fn members(old: &Body, new: &Body) -> Vec<String> {
    let as_json = |body: &Body| serde_json::to_value(body).unwrap_or_default();
    let mut differing = Vec::new();
    compare("", Some(&as_json(old)), Some(&as_json(new)), &mut differing);
    differing.retain(|name| name != "promptText");
    differing
}

fn compare(
    path: &str,
    old: Option<&serde_json::Value>,
    new: Option<&serde_json::Value>,
    differing: &mut Vec<String>,
) {
    if old == new {
        return;
    }
    let objects = old
        .and_then(|value| value.as_object())
        .zip(new.and_then(|value| value.as_object()));
    let Some((old, new)) = objects else {
        differing.push(path.to_owned());
        return;
    };
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        compare(&path, old.get(name), new.get(name), differing);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(text: &str, tone: &str) -> Body {
        let json = json!({
            "kind": "generator", "promptText": text, "sflField": {}, "metadata": {},
            "sflTenor": {"desiredTone": tone}, "sflMode": {},
        });
        serde_json::from_value(json).expect("a body")
    }

    #[test]
    fn lines_and_members_that_differ_are_named() {
        let (old, new) = (body("a\nb\nc", "Formal"), body("a\nc\nd", "Serious"));
        let difference = Difference::between(&old, &new, Duration::from_secs(1));
        assert_eq!(difference.members, ["sflTenor.desiredTone"]);
        assert!(difference.inserted > 0 && difference.deleted > 0);
        let side = |op| -> String {
            let lines = difference.lines.iter();
            lines
                .filter(|line| line.op != op)
                .map(|line| line.text.as_str())
                .collect()
        };
        assert_eq!(side(LineOp::Insert), "a\nb\nc");
        assert_eq!(side(LineOp::Delete), "a\nc\nd");
    }

    #[test]
    fn equal_bodies_do_not_differ() {
        let same = body("a\nb", "Formal");
        let difference = Difference::between(&same, &same, Duration::from_secs(1));
        assert!(difference.members.is_empty() && difference.inserted + difference.deleted == 0);
    }
}
