//! What a search is asked for, in the body or in the address, where fields come one by one or with
//! commas between them.

use serde_json::Value;
use url::form_urlencoded;

use crate::fakes::stage::Heard;

/// A search.
#[derive(Debug, Default)]
pub(in crate::fakes) struct Asked {
    pub(in crate::fakes) question: String,
    pub(in crate::fakes) rows: usize,
    pub(in crate::fakes) first: usize,
    pub(in crate::fakes) fields: Vec<String>,
    pub(in crate::fakes) token: Option<String>,
}

impl Asked {
    /// What was asked for; without fields these are.
    pub(in crate::fakes) fn of(heard: &Heard, usual_fields: &[&str]) -> Self {
        let mut asked = Self {
            rows: 50,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(heard.query.as_bytes()) {
            asked.take(&name, &Value::from(value.into_owned()));
        }
        for (name, value) in heard.body.as_object().into_iter().flatten() {
            asked.take(name, value);
        }
        if asked.fields.is_empty() {
            asked.fields = usual_fields.iter().map(ToString::to_string).collect();
        }
        asked
    }

    fn take(&mut self, name: &str, value: &Value) {
        let text = value.as_str().unwrap_or_default();
        match name {
            "jql" => text.clone_into(&mut self.question),
            "maxResults" => self.rows = number(value).unwrap_or(self.rows),
            "startAt" => self.first = number(value).unwrap_or_default(),
            "nextPageToken" if !text.is_empty() => self.token = Some(text.to_owned()),
            "fields" => {
                let listed = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                let all = listed.chain([text]).flat_map(|names| names.split(','));
                let names = all.map(str::trim).filter(|name| !name.is_empty());
                self.fields.extend(names.map(str::to_owned));
            }
            _ => {}
        }
    }
}

fn number(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => usize::try_from(value.as_u64()?).ok(),
    }
}
