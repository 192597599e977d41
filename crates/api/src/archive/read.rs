//! Reading an import: every row that can be read, and every fault of those that cannot.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek as _},
};

use actix_web::{HttpRequest, http::header};
use chrono::{DateTime, Utc};
use db::prompts::archive::{Import, ImportedPrompt};
use domain::{
    auth::Viewer,
    documents::Sha256,
    prompts::{HIGHEST_NUMBER, PromptId},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zip::ZipArchive;

use super::{FORMAT, FORMAT_VERSION, MANIFEST, MOVES, PROMPTS, VERSIONS};
use crate::{
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{self, Faults},
    prompts::PromptBody,
};

/// The most bytes of an archive once unpacked.
const UNPACKED_BYTES: u64 = 128 * 1024 * 1024;

/// The most bytes of a line: a prompt that was made member by member can be that large.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// The most rows of an import.
const ROWS: usize = 20_000;

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
    /// The faults of the others.
    pub faults: Vec<FieldFault>,
    /// Files and members that are not known here.
    pub ignored: Vec<String>,
    rows: usize,
}

/// Reads an import from the beginning of its file.
pub fn read(kind: Kind, mut file: File, viewer: &Viewer) -> ApiResult<Parsed> {
    file.rewind().map_err(|cause| ApiError::internal(&cause))?;
    let mut parsed = Parsed::default();
    match kind {
        Kind::Zip => parsed.archive(file, viewer)?,
        Kind::Json => {
            let value = serde_json::from_reader(BufReader::new(file))
                .map_err(|fault| malformed(format!("The body is not valid JSON: {fault}.")))?;
            parsed.browser(value, viewer)?;
        }
    }
    Ok(parsed)
}

fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::InvalidBody, detail)
}

impl Parsed {
    fn archive(&mut self, file: File, viewer: &Viewer) -> ApiResult<()> {
        let broken = |_| malformed("The body is no ZIP archive, or a broken one.");
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
                _ => self.ignored.push(name),
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
            match serde_json::from_slice(&line) {
                Ok(value) => take(self, index, value),
                Err(fault) => self.fault(area, index, "", format!("is not valid JSON: {fault}")),
            }
        }
        Ok(())
    }

    /// What a browser kept: a list of prompts, or an object that has one, as such or as text.
    fn browser(&mut self, value: Value, viewer: &Viewer) -> ApiResult<()> {
        let list = match value {
            Value::Array(list) => list,
            Value::Object(mut members) => {
                let prompts = members.remove("prompts");
                self.ignored = members.into_iter().map(|(name, _)| name).collect();
                match prompts {
                    Some(Value::Array(list)) => list,
                    Some(Value::String(text)) => serde_json::from_str(&text)
                        .map_err(|_| malformed("`prompts` is a text, but no list as JSON."))?,
                    _ => return Err(malformed("The object has no list `prompts`.")),
                }
            }
            _ => {
                return Err(malformed(
                    "Send a list of prompts, or an object that has one as `prompts`.",
                ));
            }
        };
        for (index, value) in list.into_iter().enumerate() {
            self.count()?;
            self.prompt(index, value, viewer);
        }
        Ok(())
    }

    fn count(&mut self) -> ApiResult<()> {
        self.rows += 1;
        if self.rows > ROWS {
            return Err(too_large(&format!("{ROWS} rows")));
        }
        Ok(())
    }

    /// A prompt as the API takes one, with its id and, from an archive, what else belongs to it.
    fn prompt(&mut self, index: usize, value: Value, viewer: &Viewer) {
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

    fn row<T: DeserializeOwned>(&mut self, area: &str, index: usize, value: Value) -> Option<T> {
        serde_json::from_value(value)
            .map_err(|fault| self.fault(area, index, "", fault.to_string()))
            .ok()
    }

    fn fault(&mut self, area: &str, index: usize, member: &str, message: String) {
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
