//! The models there are, and the pages of their list. No Imagen: it is gone.

use serde_json::{Value, json};

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Image,
    Embedding,
}

/// A model of the list.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The model that answers in its place.
    pub(super) answers_as: &'static str,
    pub(super) thinks: bool,
    input_limit: u32,
    output_limit: u32,
}

const WINDOW: u32 = 1_048_576;
const REPLY: u32 = 65_536;

const fn text(name: &'static str, answers_as: &'static str, thinks: bool) -> Model {
    Model {
        name,
        kind: Kind::Text,
        answers_as,
        thinks,
        input_limit: WINDOW,
        output_limit: REPLY,
    }
}

const fn other(name: &'static str, kind: Kind, input_limit: u32, output_limit: u32) -> Model {
    Model {
        name,
        kind,
        answers_as: name,
        thinks: false,
        input_limit,
        output_limit,
    }
}

const MODELS: &[Model] = &[
    text("gemini-4-argon", "gemini-4-argon", true),
    text("gemini-3.8-flash", "gemini-3.8-flash", true),
    text("gemini-3.7-flash", "gemini-3.8-flash", true),
    text("gemini-3.6-flash", "gemini-3.6-flash", true),
    text("gemini-3.5-flash", "gemini-3.6-flash", true),
    text("gemini-3.5-flash-lite", "gemini-3.5-flash-lite", false),
    text("gemini-3.1-flash-lite", "gemini-3.1-flash-lite", false),
    text("gemini-3.1-pro-preview", "gemini-3.1-pro-preview", true),
    text("gemini-3-flash-preview", "gemini-3-flash-preview", true),
    text("gemini-2.5-pro", "gemini-2.5-pro", true),
    text("gemini-2.5-flash", "gemini-2.5-flash", true),
    text("gemini-2.5-flash-lite", "gemini-2.5-flash-lite", false),
    text("gemini-flash-latest", "gemini-3.8-flash", true),
    text("gemini-flash-lite-latest", "gemini-3.5-flash-lite", false),
    text("gemini-pro-latest", "gemini-3.1-pro-preview", true),
    other("gemini-3.1-flash-image", Kind::Image, 131_072, 32_768),
    other("gemini-3-pro-image", Kind::Image, 131_072, 32_768),
    other("gemini-embedding-001", Kind::Embedding, 2_048, 1),
    other("gemini-embedding-2", Kind::Embedding, 8_192, 1),
];

/// The model of this name.
pub(super) fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
}

/// A page of the list: so many models from this place on, and where the next page starts.
pub(super) fn page(size: usize, token: &str) -> Option<Value> {
    let start = if token.is_empty() {
        0
    } else {
        token.strip_prefix("from-")?.parse().ok()?
    };
    let rest = MODELS.get(start..)?;
    let size = if size == 0 { 50 } else { size.min(1000) };
    let models: Vec<_> = rest.iter().take(size).map(Model::card).collect();
    let mut page = json!({ "models": models });
    if rest.len() > size {
        page["nextPageToken"] = format!("from-{}", start + size).into();
    }
    Some(page)
}

impl Model {
    pub(super) fn does(&self, method: &str) -> bool {
        self.methods().contains(&method)
            || (method == "streamGenerateContent" && self.does("generateContent"))
    }

    const fn methods(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Text | Kind::Image => &["generateContent", "countTokens", "batchGenerateContent"],
            Kind::Embedding => &["embedContent", "batchEmbedContents", "countTokens"],
        }
    }

    /// The model as the list shows it.
    pub(super) fn card(&self) -> Value {
        let mut card = json!({
            "name": format!("models/{}", self.name),
            "version": "001",
            "displayName": self.name.replace('-', " "),
            "description": "A model that answers from its input alone.",
            "inputTokenLimit": self.input_limit,
            "outputTokenLimit": self.output_limit,
            "supportedGenerationMethods": self.methods(),
        });
        if self.kind == Kind::Text {
            let sampling =
                json!({ "temperature": 1.0, "maxTemperature": 2.0, "topP": 0.95, "topK": 64 });
            card["thinking"] = self.thinks.into();
            for (name, value) in sampling.as_object().into_iter().flatten() {
                card[name] = value.clone();
            }
        }
        card
    }
}
