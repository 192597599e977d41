//! Strings of an instance: by their format, by what their name says they are, or from the words of
//! the prompt.

use serde_json::Value;

use crate::providers::mock::subject::Subject;

/// What is said where a name tells what is meant and the prompt's words would make no sense.
const USUAL: [(&str, &[&str]); 9] = [
    ("tone", &["Friendly", "Neutral", "Confident", "Formal"]),
    ("stance", &["Cooperative", "Advisory", "Encouraging"]),
    (
        "persona",
        &[
            "Experienced practitioner",
            "Patient teacher",
            "Careful editor",
        ],
    ),
    (
        "audience",
        &[
            "Newcomers",
            "Specialists",
            "Decision makers",
            "General public",
        ],
    ),
    ("tasktype", &["Explanation", "Summarization", "Generation"]),
    ("format", &["Plain text", "Bullet points", "Markdown"]),
    (
        "structure",
        &[
            "Introduction, main points, conclusion",
            "Problem and solution",
        ],
    ),
    ("length", &["About 200 words", "One paragraph"]),
    (
        "directives",
        &["Use plain language. State what is not known."],
    ),
];

/// Names of what holds whole sentences.
const LONG: [&str; 10] = [
    "text",
    "description",
    "content",
    "summary",
    "reason",
    "notes",
    "example",
    "answer",
    "body",
    "specifics",
];

/// A string at a path, of the length that the schema allows.
pub(super) fn fill(schema: &Value, path: &str, subject: &Subject) -> String {
    let text = match schema["format"].as_str() {
        Some("date") => "2026-01-31".to_owned(),
        Some("time") => "12:00:00Z".to_owned(),
        Some("date-time") => "2026-01-31T12:00:00Z".to_owned(),
        Some("email") => "someone@example.com".to_owned(),
        Some("uri" | "url") => "https://example.com/".to_owned(),
        Some("uuid") => uuid(subject.number(path)),
        _ => words(path, subject),
    };
    fitted(schema, text, subject)
}

/// Words for what the last name of the path means.
fn words(path: &str, subject: &Subject) -> String {
    let is_place = |name: &&str| name.parse::<usize>().is_ok();
    let name = path
        .rsplit('/')
        .find(|name| !is_place(name))
        .unwrap_or_default()
        .to_lowercase();
    let usual = USUAL.iter().find(|(part, _)| name.contains(part));
    if let Some((_, choices)) = usual {
        return choices[place(path, subject, choices.len())].to_owned();
    }
    if name.contains("prompt") {
        let field = subject.keyword("field");
        return format!("You are an expert in {field}. {}", subject.text);
    }
    if name.contains("keyword") && path.to_lowercase().ends_with(&name) {
        return subject.keywords.join(", ");
    }
    if LONG.iter().any(|part| name.contains(part)) {
        return subject.text.clone();
    }
    if name.contains("title") || name.contains("name") || name.contains("topic") {
        return subject.title.clone();
    }
    subject.keyword(path).to_owned()
}

/// The place of a choice. Elements of a list take turns, so that they differ.
fn place(path: &str, subject: &Subject, choices: usize) -> usize {
    let (list, element) = path.rsplit_once('/').unwrap_or_default();
    let turn = element.parse::<u64>();
    let number = turn.map_or_else(
        |_| subject.number(path),
        |turn| (subject.number(list) % 1000).wrapping_add(turn),
    );
    usize::try_from(number % choices as u64).unwrap_or_default()
}

fn uuid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{:012x}", number & 0xFFFF_FFFF_FFFF)
}

/// The text cut or lengthened to the bounds of the schema. An empty one becomes a word.
fn fitted(schema: &Value, mut text: String, subject: &Subject) -> String {
    if text.is_empty() {
        text.push_str(subject.keyword(""));
    }
    let bound = |name: &str| {
        schema[name]
            .as_u64()
            .and_then(|bound| usize::try_from(bound).ok())
    };
    let least = bound("minLength").unwrap_or(0).min(100_000);
    let mut length = text.chars().count();
    while length < least {
        text.push(' ');
        text.push_str(subject.keyword(&length.to_string()));
        length = text.chars().count();
    }
    match bound("maxLength") {
        Some(most) if length > most => text.chars().take(most).collect(),
        _ => text,
    }
}
