//! Embeddings as the wire has them: one function to it, one from it.

use domain::{
    documents::estimate_tokens,
    providers::{EMBEDDING_DIMENSIONS, EmbeddingTask, Embeddings, ProviderError, normalise},
};
use serde::{Deserialize, Serialize};

use super::{MAX_BATCH, MAX_REQUEST_BYTES};

#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<Request<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    model: &'a str,
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'static str>,
    output_dimensionality: usize,
}

#[derive(Serialize)]
struct Content {
    parts: [Part; 1],
}

#[derive(Serialize)]
struct Part {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    embeddings: Vec<Vector>,
    #[serde(default)]
    usage_metadata: Usage,
}

#[derive(Deserialize)]
struct Vector {
    values: Vec<f32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Usage {
    prompt_token_count: Option<u64>,
    total_token_count: Option<u64>,
}

/// The body of a `batchEmbedContents` call: one request per text, since parts of one content
/// would be fused to one vector.
pub(super) fn to_wire(
    model: &str,
    texts: &[&str],
    task: EmbeddingTask,
) -> Result<String, ProviderError> {
    if texts.len() > MAX_BATCH {
        let problem = format!(
            "{} texts in one batch, at most {MAX_BATCH} are taken",
            texts.len()
        );
        return Err(ProviderError::Invalid(problem));
    }
    let resource = if model.contains('/') {
        model.to_owned()
    } else {
        format!("models/{model}")
    };
    let requests = texts
        .iter()
        .map(|text| request(&resource, text, task))
        .collect();
    let body =
        serde_json::to_string(&Batch { requests }).expect("texts and numbers are always JSON");
    if body.len() > MAX_REQUEST_BYTES {
        let problem = format!(
            "a batch of {} bytes, at most {MAX_REQUEST_BYTES} are sent: send fewer texts",
            body.len()
        );
        return Err(ProviderError::TooLong(problem));
    }
    Ok(body)
}

fn request<'a>(resource: &'a str, text: &str, task: EmbeddingTask) -> Request<'a> {
    let (task_type, text) = if resource.ends_with("gemini-embedding-001") {
        (Some(task_type(task)), text.to_owned())
    } else {
        (None, instructed(text, task))
    };
    Request {
        model: resource,
        content: Content {
            parts: [Part { text }],
        },
        task_type,
        output_dimensionality: EMBEDDING_DIMENSIONS,
    }
}

const fn task_type(task: EmbeddingTask) -> &'static str {
    match task {
        EmbeddingTask::Document => "RETRIEVAL_DOCUMENT",
        EmbeddingTask::Query => "RETRIEVAL_QUERY",
    }
}

/// Later embedding models know no task type: the text itself says what it is for.
fn instructed(text: &str, task: EmbeddingTask) -> String {
    match task {
        EmbeddingTask::Document => format!("title: none | text: {text}"),
        EmbeddingTask::Query => format!("task: search result | query: {text}"),
    }
}

/// The vectors of an answer, checked and brought to length one: shortened vectors arrive shorter.
pub(super) fn from_wire(body: &[u8], texts: &[&str]) -> Result<Embeddings, ProviderError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    if answer.embeddings.len() != texts.len() {
        let problem = format!(
            "{} vectors for {} texts",
            answer.embeddings.len(),
            texts.len()
        );
        return Err(ProviderError::Malformed(problem));
    }
    let vectors = answer
        .embeddings
        .into_iter()
        .map(|vector| checked(vector.values))
        .collect::<Result<_, _>>()?;
    let usage = &answer.usage_metadata;
    let counted = usage.prompt_token_count.or(usage.total_token_count);
    Ok(Embeddings {
        vectors,
        tokens: counted.unwrap_or_else(|| estimated(texts)),
        tokens_estimated: counted.is_none(),
    })
}

fn estimated(texts: &[&str]) -> u64 {
    texts.iter().map(|text| estimate_tokens(text) as u64).sum()
}

/// Says where reading stopped, but nothing of what was read.
fn unreadable(error: &serde_json::Error) -> ProviderError {
    let problem = if error.is_data() {
        "it has another shape than expected"
    } else {
        "it is not JSON"
    };
    ProviderError::Malformed(format!("{problem} (column {})", error.column()))
}

fn checked(mut vector: Vec<f32>) -> Result<Vec<f32>, ProviderError> {
    let problem = if vector.len() != EMBEDDING_DIMENSIONS {
        format!(
            "a vector of {} dimensions instead of {EMBEDDING_DIMENSIONS}",
            vector.len()
        )
    } else if vector.iter().any(|x| !x.is_finite()) {
        "a vector with an infinite number".to_owned()
    } else if vector.iter().all(|x| *x == 0.0) {
        "a vector of zeros".to_owned()
    } else {
        normalise(&mut vector);
        return Ok(vector);
    };
    Err(ProviderError::Malformed(problem))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sent(model: &str, task: EmbeddingTask) -> Value {
        let body =
            to_wire(model, &["How do ducks fly?", "Zwei Enten"], task).expect("a small batch");
        serde_json::from_str(&body).expect("JSON")
    }

    fn answer(first: &[f64]) -> Value {
        let mut values = vec![0.0; EMBEDDING_DIMENSIONS];
        values[..first.len()].copy_from_slice(first);
        json!({ "embeddings": [{ "values": values }], "usageMetadata": { "promptTokenCount": 7 } })
    }

    fn received(answer: &Value, texts: &[&str]) -> Result<Embeddings, ProviderError> {
        from_wire(answer.to_string().as_bytes(), texts)
    }

    #[test]
    fn documents_to_the_wire() {
        insta::assert_json_snapshot!(sent("gemini-embedding-001", EmbeddingTask::Document));
    }

    #[test]
    fn a_question_to_the_wire_of_a_model_without_task_types() {
        insta::assert_json_snapshot!(sent("gemini-embedding-2", EmbeddingTask::Query));
    }

    #[test]
    fn vectors_from_the_wire() {
        let embeddings = received(&answer(&[3.0, -4.0]), &["a"]).expect("a good answer");
        let beginnings: Vec<_> = embeddings
            .vectors
            .iter()
            .map(|vector| &vector[..3])
            .collect();
        insta::assert_debug_snapshot!((beginnings, embeddings.tokens, embeddings.tokens_estimated));
    }

    #[test]
    fn tokens_that_nobody_counted_are_estimated_and_marked() {
        let mut uncounted = answer(&[1.0]);
        uncounted["usageMetadata"] = json!({});
        let embeddings = received(&uncounted, &["twelve chars"]).expect("a good answer");
        assert_eq!((embeddings.tokens, embeddings.tokens_estimated), (3, true));
    }

    #[test]
    fn answers_that_are_not_what_was_promised() {
        let short = json!({ "embeddings": [{ "values": [1.0] }] });
        let null = json!({ "embeddings": [{ "values": [null] }] });
        let problems = [
            received(&answer(&[1.0]), &["a", "b"]),
            received(&short, &["a"]),
            received(&null, &["a"]),
            received(&answer(&[1e39]), &["a"]),
            received(&answer(&[]), &["a"]),
            received(&json!({}), &["a"]),
            from_wire(b"<html>", &["a"]),
            from_wire(br#"{"embeddings":[{"val"#, &["a"]),
        ];
        let problems: Vec<_> = problems
            .map(|problem| problem.expect_err("a bad answer").to_string())
            .into();
        insta::assert_debug_snapshot!(problems);
    }

    #[test]
    fn a_batch_that_is_too_large_is_never_sent() {
        let text = "x".repeat(MAX_REQUEST_BYTES);
        let heavy = to_wire("m", &[&text], EmbeddingTask::Document).expect_err("too heavy");
        let many =
            to_wire("m", &["x"; MAX_BATCH + 1], EmbeddingTask::Document).expect_err("too many");
        assert_eq!(
            (heavy.class(), many.class()),
            ("provider_input_too_long", "provider_invalid_request")
        );
    }
}
