//! The texts of a task: its names, the paths of its values, its templates and functions.

use crate::{
    Fault,
    codec::trimmed,
    prompts::{PromptId, whole},
};

checked_text!(
    /// A task's name within its workflow: 1 to 100 letters, digits, `_` and `-`.
    TaskId,
    |text| {
        let fits = (1..=100).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits {
            Ok(text.to_owned())
        } else {
            Err(Fault("must have 1 to 100 letters, digits, `_` or `-`".into()))
        }
    }
);

checked_text!(
    /// What a task is called, 1 to 200 characters.
    TaskName,
    |text| trimmed(text, 1, 200)
);

/// Whether a character may stand in the name of a value.
fn names_a_value(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

checked_text!(
    /// Under which name a result is kept: 1 to 50 letters, digits, `_` and `-`.
    OutputKey,
    |text| {
        let text = text.trim();
        if (1..=50).contains(&text.chars().count()) && text.chars().all(names_a_value) {
            Ok(text.to_owned())
        } else {
            Err(Fault("must have 1 to 50 letters, digits, `_` or `-`".into()))
        }
    }
);

checked_text!(
    /// Where a value lies: names separated by dots, such as `userInput.text`. An empty one is none.
    DataPath,
    |text| {
        let text = text.trim();
        let names_all = text.split('.').all(|name| !name.is_empty() && name.chars().all(names_a_value));
        if text.is_empty() || (text.chars().count() <= 200 && names_all) {
            Ok(text.to_owned())
        } else {
            Err(Fault("must be names of letters, digits, `_` and `-`, separated by dots, such as `userInput.text`".into()))
        }
    }
);

impl DataPath {
    /// The name of the value that the path begins at; `None` if the path is empty.
    pub fn root(&self) -> Option<&str> {
        self.as_str()
            .split('.')
            .next()
            .filter(|name| !name.is_empty())
    }

    /// The name under which the value is shown to a task.
    pub fn last(&self) -> &str {
        self.as_str().rsplit('.').next().unwrap_or_default()
    }
}

checked_text!(
    /// A text with `{{ path }}` where values go, at most 200 000 characters.
    TemplateText,
    |text| whole(text, 200_000)
);

checked_text!(
    /// The body of a JavaScript function of `inputs`, at most 100 000 characters.
    FunctionBody,
    |text| whole(text, 100_000)
);

checked_text!(
    /// The id of a prompt; an empty text is none.
    PromptLink,
    |text| {
        let text = text.trim();
        let id = (!text.is_empty()).then(|| text.parse::<PromptId>()).transpose()?;
        Ok(id.map(|id| id.to_string()).unwrap_or_default())
    }
);

checked_text!(
    /// A word of at most 100 characters; an empty one says nothing.
    ProviderWord,
    |text| trimmed(text, 0, 100)
);

checked_text!(
    /// What a model is called; an empty text is none.
    ModelWord,
    |text| trimmed(text, 0, 300)
);
