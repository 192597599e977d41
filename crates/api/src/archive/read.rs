//! Reading an import: every row that can be read, and every fault of those that cannot. Rows are
//! read one by one, and what has too many values is not built: small numbers and empty objects take
//! up to a hundred times their text in memory.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek as _},
};

use actix_web::{HttpRequest, http::header};
use chrono::{DateTime, Utc};
use db::{
    prompts::archive::{Import, ImportedPrompt},
    workflows::ImportedWorkflow,
};
use domain::{
    auth::Viewer,
    documents::Sha256,
    prompts::{HIGHEST_NUMBER, PromptId},
    workflows::WorkflowId,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zip::ZipArchive;

use super::{
    FAULTS, FORMAT, FORMAT_VERSION, MANIFEST, MOVES, PROMPTS, VERSIONS, browser,
    values::{self, MOST_VALUES},
};
use crate::{
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{self, Faults},
    prompts::PromptBody,
    workflows::WorkflowBody,
};

/// The most bytes of an archive once unpacked.
const UNPACKED_BYTES: u64 = 128 * 1024 * 1024;

/// The most bytes of a line: a prompt that was made member by member can be that large.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// The most rows of an import.
const ROWS: usize = 20_000;

/// The most files of an archive.
const FILES: usize = 1000;

/// The most names of what is not known here that an answer lists.
const IGNORED: usize = 100;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An archive.
    Zip,
    /// What a browser kept.
    Json,
}

impl Kind {
    /// By the content type.
    pub fn of(request: &HttpRequest) -> ApiResult<Self> {
        if extract::is_json(request) {
            return Ok(Self::Json);
        }
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.as_str() {
            "application/zip" | "application/x-zip-compressed" | "application/octet-stream" => {
                Ok(Self::Zip)
            }
            _ => Err(ApiError::new(
                Code::UnsupportedType,
                "Send an archive as `application/zip`, or a browser's export as `application/json`.",
            )),
        }
    }
}

/// What could be read, and what could not.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The rows.
    pub import: Import,
    /// The first faults of the others.
    pub faults: Vec<FieldFault>,
    /// How many faults there are.
    pub fault_count: usize,
    /// Files and members that are not known here, or the first of them.
    pub ignored: Vec<String>,
    rows: usize,
}

/// Reads an import from the beginning of its file.
pub fn read(kind: Kind, mut file: File, viewer: &Viewer) -> ApiResult<Parsed> {
    file.rewind().map_err(|cause| ApiError::internal(&cause))?;
    let mut parsed = Parsed::default();
    match kind {
        Kind::Zip => parsed.archive(file, viewer)?,
        Kind::Json => browser::read(file, &mut parsed, viewer)?,
    }
    Ok(parsed)
}

pub(super) fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::InvalidBody, detail)
}

impl Parsed {
    fn archive(&mut self, mut file: File, viewer: &Viewer) -> ApiResult<()> {
        let broken = |_| malformed("The body is no ZIP archive, or a broken one.");
        count_files(&mut file)?;
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        let mut left = UNPACKED_BYTES;
        check_manifest(&mut zip, &mut left)?;
        for place in 0..zip.len() {
            let entry = zip.by_index(place).map_err(broken)?;
            let name = entry.name().to_owned();
            match name.as_str() {
                MANIFEST => {}
                PROMPTS => self.lines("prompts", entry, &mut left, |parsed, index, value| {
                    parsed.prompt(index, value, viewer);
                })?,
                VERSIONS => self.lines(
                    "promptVersions",
                    entry,
                    &mut left,
                    |parsed, index, value| {
                        if let Some(row) = parsed.row("promptVersions", index, value) {
                            parsed.import.versions.push((index, row));
                        }
                    },
                )?,
                MOVES => self.lines(
                    "promptLabelMoves",
                    entry,
                    &mut left,
                    |parsed, index, value| {
                        if let Some(row) = parsed.row("promptLabelMoves", index, value) {
                            parsed.import.moves.push((index, row));
                        }
                    },
                )?,
                _ => self.ignore(&name),
            }
        }
        Ok(())
    }

    /// Each line of a file as JSON.
    fn lines(
        &mut self,
        area: &str,
        entry: impl Read,
        left: &mut u64,
        mut take: impl FnMut(&mut Self, usize, Value),
    ) -> ApiResult<()> {
        // One byte more than is left: if that is reached, the archive is too large.
        let mut entry = BufReader::new(entry.take(*left + 1));
        let mut line = Vec::new();
        for index in 0.. {
            line.clear();
            let bytes = (&mut entry)
                .take(LINE_BYTES + 1)
                .read_until(b'\n', &mut line)
                .map_err(|_| malformed("The archive is broken."))?;
            if bytes as u64 > LINE_BYTES {
                return Err(too_large(&format!("{LINE_BYTES} bytes in a line")));
            }
            if bytes == 0 {
                return Ok(());
            }
            *left = left
                .checked_sub(bytes as u64)
                .ok_or_else(|| too_large(&format!("{UNPACKED_BYTES} bytes when unpacked")))?;
            self.count()?;
            match values::from_slice(&line) {
                Ok(Some(value)) => take(self, index, value),
                Ok(None) => self.crowded(area, index),
                Err(fault) => self.fault(area, index, "", format!("is not valid JSON: {fault}")),
            }
        }
        Ok(())
    }

    /// Remembers something that is not known here.
    pub(super) fn ignore(&mut self, name: &str) {
        if self.ignored.len() < IGNORED {
            self.ignored.push(name.chars().take(255).collect());
        }
    }

    /// A row with too many values.
    pub(super) fn crowded(&mut self, area: &str, index: usize) {
        let message = format!("must have at most {MOST_VALUES} values");
        self.fault(area, index, "", message);
    }

    /// Counts a row, before it is looked at.
    pub(super) fn count(&mut self) -> ApiResult<()> {
        self.rows += 1;
        if self.rows > ROWS {
            return Err(too_large(&format!("{ROWS} rows")));
        }
        Ok(())
    }

    /// A prompt as the API takes one, with its id and, from an archive, what else belongs to it.
    pub(super) fn prompt(&mut self, index: usize, value: Value, viewer: &Viewer) {
        let id = match value.get("id") {
            Some(Value::String(text)) if !text.is_empty() => id_of(text, viewer),
            Some(Value::Number(number)) => id_of(&number.to_string(), viewer),
            None | Some(_) => id_of(&format!("unnamed:{value}"), viewer),
        };
        let created_at = value
            .get("createdAt")
            .and_then(Value::as_str)
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|time| time.with_timezone(&Utc));
        let lineage = value.get("lineage").and_then(Value::as_i64).unwrap_or(1);
        let allowed = |lineage: &i32| (1..=HIGHEST_NUMBER).contains(lineage);
        let Some(lineage) = i32::try_from(lineage).ok().filter(allowed) else {
            let message = format!("must be 1 to {HIGHEST_NUMBER}");
            return self.fault("prompts", index, "lineage", message);
        };
        match deserr::deserialize::<PromptBody, _, Faults>(value) {
            Ok(body) => self.import.prompts.push(ImportedPrompt {
                index,
                id,
                members: body.changes(),
                lineage,
                created_at,
            }),
            Err(faults) => {
                for FieldFault { field, message } in faults.into_list() {
                    self.fault("prompts", index, &field, message);
                }
                return;
            }
        }
        let missing = self.import.prompts.last().map(|prompt| {
            let members = &prompt.members;
            [
                members.title.is_none().then_some("title"),
                members.prompt_text.is_none().then_some("promptText"),
            ]
        });
        let missing: Vec<_> = missing.into_iter().flatten().flatten().collect();
        if !missing.is_empty() {
            self.import.prompts.pop();
        }
        for member in missing {
            self.fault("prompts", index, member, "is required".to_owned());
        }
    }

    /// A workflow as the API takes one, with its id. Links to prompts that a browser named otherwise lead
    /// to the ids that these get.
    pub(super) fn workflow(&mut self, index: usize, mut value: Value, viewer: &Viewer) {
        let id = match value.get("id") {
            Some(Value::String(text)) if !text.is_empty() => id_of(text, viewer),
            _ => id_of(&format!("unnamed:{value}"), viewer),
        };
        let tasks = value.get_mut("tasks").and_then(Value::as_array_mut);
        for task in tasks.into_iter().flatten() {
            if let Some(Value::String(link)) = task.get_mut("promptId")
                && !link.trim().is_empty()
            {
                *link = id_of(link, viewer).to_string();
            }
        }
        let read = deserr::deserialize::<WorkflowBody, _, Faults>(value);
        let faults = match read.map(WorkflowBody::changes) {
            Ok(Ok(members)) if members.name.is_some() && members.tasks.is_some() => {
                let id = WorkflowId(id.0);
                return self
                    .import
                    .workflows
                    .push(ImportedWorkflow { index, id, members });
            }
            Ok(Ok(_)) => return self.fault("workflows", index, "", "needs name and tasks".into()),
            Ok(Err(refusal)) => refusal.errors,
            Err(faults) => faults.into_list(),
        };
        for FieldFault { field, message } in faults {
            self.fault("workflows", index, &field, message);
        }
    }

    fn row<T: DeserializeOwned>(&mut self, area: &str, index: usize, value: Value) -> Option<T> {
        serde_json::from_value(value)
            .map_err(|fault| self.fault(area, index, "", fault.to_string()))
            .ok()
    }

    fn fault(&mut self, area: &str, index: usize, member: &str, message: String) {
        self.fault_count += 1;
        if self.faults.len() == FAULTS {
            return;
        }
        let field = match member {
            "" | "body" => format!("{area}[{index}]"),
            member => format!("{area}[{index}].{member}"),
        };
        self.faults.push(FieldFault { field, message });
    }
}

fn too_large(limit: &str) -> ApiError {
    let detail = format!("An import has at most {limit}. Split it.");
    ApiError::new(Code::TooLarge, detail)
}

/// Refuses an archive of too many files: reading their names alone takes memory for each. No file
/// can be in it without this mark, and texts that are JSON do not contain it.
fn count_files(file: &mut File) -> ApiResult<()> {
    let failed = |cause: std::io::Error| ApiError::internal(&cause);
    let (mut bytes, mut kept, mut files) = (vec![0; 64 * 1024], 0, 0);
    loop {
        let read = file.read(&mut bytes[kept..]).map_err(failed)?;
        if read == 0 {
            return file.rewind().map_err(failed);
        }
        let end = kept + read;
        let marks = bytes[..end].windows(4).filter(|four| four == b"PK\x01\x02");
        files += marks.count();
        if files > FILES {
            return Err(too_large(&format!("{FILES} files")));
        }
        kept = end.min(3);
        bytes.copy_within(end - kept..end, 0);
    }
}

/// An id as it is, or, where a browser made up one of another form, always the same for it.
fn id_of(text: &str, viewer: &Viewer) -> PromptId {
    text.parse().unwrap_or_else(|_| {
        let named = format!("{}/{}/{text}", viewer.company_id, viewer.user_id);
        let Sha256(hash) = Sha256::of(named.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        PromptId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    })
}

fn check_manifest(zip: &mut ZipArchive<BufReader<File>>, left: &mut u64) -> ApiResult<()> {
    let unknown = || malformed("The archive has no manifest of this product.");
    let entry = zip.by_name(MANIFEST).map_err(|_| unknown())?;
    let mut text = Vec::new();
    let bytes = entry
        .take(65_536)
        .read_to_end(&mut text)
        .map_err(|_| unknown())?;
    *left = left.saturating_sub(bytes as u64);
    let manifest: Value = serde_json::from_slice(&text).map_err(|_| unknown())?;
    if manifest["format"] != FORMAT {
        return Err(unknown());
    }
    if manifest["formatVersion"] != FORMAT_VERSION {
        return Err(malformed(format!(
            "The archive is of format version {}; known here is {FORMAT_VERSION}.",
            manifest["formatVersion"]
        )));
    }
    Ok(())
}
