//! The methods of a model: what each reads, checks and answers.

use actix_web::web::Bytes;
use serde_json::{Value, json};

use super::{
    catalog::{self, Model},
    embed::{self, Wanted},
    generate::Reply,
    prompt::Prompt,
    refusals::Refusal,
    script::Cue,
    shapes,
    state::State,
};

/// The most texts of a batch.
const MAX_BATCH: usize = 100;

/// The largest body of a batch.
const MAX_BATCH_BYTES: usize = 4_194_304;

/// A call of a method of a model.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) version: String,
    pub(super) model: String,
    pub(super) method: String,
    /// Whether a stream is wanted as events.
    pub(super) as_events: bool,
}

/// What a call is answered with.
pub(super) enum Answer {
    /// One body.
    Whole(Bytes),
    /// A reply in pieces.
    Events(Vec<Value>),
}

impl Call {
    /// The answer, or why there is none.
    pub(super) fn answer(&self, state: &State, body: &[u8], cue: &Cue) -> Result<Answer, Refusal> {
        let model = catalog::find(&self.model).filter(|model| model.does(&self.method));
        let model =
            model.ok_or_else(|| Refusal::no_model(&self.model, &self.version, &self.method))?;
        match self.method.as_str() {
            "batchEmbedContents" => embed_batch(state, model, body, cue),
            "embedContent" => embed_one(state, model, body, cue),
            "countTokens" => count(body),
            "streamGenerateContent" => stream(model, body, cue),
            _ => generate(model, body, cue),
        }
    }
}

fn generate(model: &Model, body: &[u8], cue: &Cue) -> Result<Answer, Refusal> {
    let request = shapes::read(body, shapes::GENERATE)?;
    Ok(whole(&Reply::to(&request, model, cue)?.whole()))
}

fn stream(model: &Model, body: &[u8], cue: &Cue) -> Result<Answer, Refusal> {
    let request = shapes::read(body, shapes::GENERATE)?;
    let mut events = Reply::to(&request, model, cue)?.events();
    if cue.status.is_some() {
        events.truncate(cue.after_events.unwrap_or(1));
        events.push(Refusal::from(cue).body());
    }
    Ok(Answer::Events(events))
}

/// Counts contents, or a whole request: only the second way counts the system instruction.
fn count(body: &[u8]) -> Result<Answer, Refusal> {
    let request = shapes::read(body, shapes::COUNT)?;
    let counted = match (&request["contents"], &request["generateContentRequest"]) {
        (Value::Null, whole) => whole,
        (_, Value::Null) => &request,
        _ => {
            return Err(Refusal::invalid(
                "contents and generateContentRequest cannot both be set.",
            ));
        }
    };
    let prompt = Prompt::read(counted)?;
    Ok(whole(
        &json!({ "totalTokens": prompt.tokens(), "promptTokensDetails": prompt.details() }),
    ))
}

fn embed_one(state: &State, model: &Model, body: &[u8], cue: &Cue) -> Result<Answer, Refusal> {
    let wanted = Wanted::read(&shapes::read(body, shapes::EMBED)?, model.name)?;
    state.embedded([wanted.fingerprint()].into_iter());
    Ok(Answer::Whole(
        embed::one(&wanted, model.name, !cue.without_usage).into(),
    ))
}

fn embed_batch(state: &State, model: &Model, body: &[u8], cue: &Cue) -> Result<Answer, Refusal> {
    if body.len() > MAX_BATCH_BYTES {
        return Err(Refusal::invalid(format!(
            "Request payload size exceeds the limit: {MAX_BATCH_BYTES} bytes."
        )));
    }
    let batch = shapes::read(body, shapes::EMBED_BATCH)?;
    let requests = batch["requests"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if requests.len() > MAX_BATCH {
        let rule = format!("at most {MAX_BATCH} requests can be in one batch");
        return Err(Refusal::invalid(format!(
            "* BatchEmbedContentsRequest.requests: {rule}\n"
        )));
    }
    let wanted: Vec<_> = requests
        .iter()
        .map(|request| Wanted::read(request, model.name))
        .collect::<Result<_, _>>()?;
    state.embedded(wanted.iter().map(Wanted::fingerprint));
    Ok(Answer::Whole(
        embed::batch(&wanted, model.name, !cue.without_usage).into(),
    ))
}

fn whole(body: &Value) -> Answer {
    Answer::Whole(body.to_string().into())
}
