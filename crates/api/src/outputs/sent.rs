//! The form in which an output is sent.

use actix_multipart::Field;
use domain::{outputs::MOST_BYTES, prompts::PromptVersionId};
use futures::TryStreamExt;
use utoipa::ToSchema;

use super::keep::known;
use crate::{
    error::{ApiError, ApiResult, Code, FieldFault},
    form::{self, Form, Spooled},
};

/// The form of an output.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the form; its parts are read one by one"
)]
pub struct OutputForm {
    /// What it was made of.
    prompt_version_id: PromptVersionId,
    /// The output, at most 5 MiB: as a file of any type …
    #[schema(format = Binary)]
    file: Option<String>,
    /// … or as a text. One of the two.
    text: Option<String>,
}

/// What was sent.
pub struct Sent {
    /// What it was made of.
    pub version: PromptVersionId,
    /// The output.
    pub spooled: Spooled,
    /// Whether it came as a text, which has no name.
    pub is_text: bool,
}

/// The most parts of a form.
const MOST_PARTS: usize = 20;

/// The parts of a form, as far as they have come.
#[derive(Default)]
struct Parts {
    version: Option<PromptVersionId>,
    output: Option<Spooled>,
    is_text: bool,
    outputs: usize,
    count: usize,
    faults: Vec<FieldFault>,
}

/// Reads a form to its end, and tells all its faults at once.
pub async fn read(mut form: Form) -> ApiResult<Sent> {
    let mut parts = Parts::default();
    let unreadable = |cause: actix_multipart::MultipartError| form::unreadable(&cause);
    while let Some(field) = form.0.try_next().await.map_err(unreadable)? {
        parts.take(field).await?;
        parts.count += 1;
        if parts.count > MOST_PARTS {
            parts.fault("file", "is in a form of too many parts: send one output");
            break;
        }
    }
    parts.whole()
}

impl Parts {
    async fn take(&mut self, field: Field) -> ApiResult<()> {
        match field.name().unwrap_or_default() {
            "promptVersionId" => match form::text(field).await?.parse() {
                Ok(id) if self.version.is_none() => self.version = Some(id),
                Ok(_) => self.fault("promptVersionId", "must be given once"),
                Err(domain::Fault(message)) => self.fault("promptVersionId", &message),
            },
            "file" | "text" if self.outputs > 0 => {
                self.outputs += 1;
                form::skip(field, MOST_BYTES).await?;
            }
            "file" => self.keep(form::spool(field, MOST_BYTES).await?),
            "text" => {
                // Without an ending, which would have a say in its type.
                let name = known("output")?;
                let spooled = form::spool_as(field, name, MOST_BYTES).await?;
                if !is_text(&spooled).await? {
                    self.fault("text", "must be UTF-8; send anything else as `file`");
                }
                self.is_text = true;
                self.keep(spooled);
            }
            // View state that a form sends along is none of our business.
            _ => form::skip(field, MOST_BYTES).await?,
        }
        Ok(())
    }

    fn keep(&mut self, spooled: Spooled) {
        self.outputs += 1;
        self.output = Some(spooled);
    }

    fn fault(&mut self, field: &str, message: &str) {
        self.faults.push(FieldFault {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }

    fn whole(mut self) -> ApiResult<Sent> {
        let misses_version = !self.faults.iter().any(|it| it.field == "promptVersionId");
        if self.version.is_none() && misses_version {
            self.fault("promptVersionId", "is required");
        }
        match self.outputs {
            0 => self.fault(
                "file",
                "is required: send the output as `file`, or as `text`",
            ),
            1 => {}
            _ => self.fault(
                "file",
                "is one too many: send one output, as `file` or as `text`",
            ),
        }
        match (self.version, self.output) {
            (Some(version), Some(spooled)) if self.faults.is_empty() => Ok(Sent {
                version,
                spooled,
                is_text: self.is_text,
            }),
            _ => Err(ApiError::faults(Code::Invalid, self.faults)),
        }
    }
}

async fn is_text(spooled: &Spooled) -> ApiResult<bool> {
    let bytes = tokio::fs::read(spooled.file.path()).await;
    let bytes = bytes.map_err(|cause| ApiError::internal(&cause))?;
    Ok(std::str::from_utf8(&bytes).is_ok())
}
