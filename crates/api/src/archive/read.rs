//! Reading an import: twice, once for every fault and for the bytes that rows need, and once for
//! taking in what is without.

use std::{
    fs::File,
    io::Seek as _,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{HttpRequest, http::header};
use db::archive::Bundle;
use domain::auth::Viewer;
use futures::{SinkExt as _, channel::mpsc};
use uuid::Uuid;

use super::{
    Limits, browser,
    files::{AllKept, Needed, Shared},
    found::Found,
    rows::Reader,
    unpack::Unpacked,
};
use crate::{
    error::{ApiError, ApiResult, Code},
    extract,
};

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

/// Where the rows are.
#[derive(Clone)]
pub enum Source {
    /// What a browser kept.
    Browser(Vec<Bundle>),
    /// An archive.
    Archive(Shared),
}

/// What was read.
pub struct Read {
    /// Where the rows are.
    pub source: Source,
    /// What is found wrong with them.
    pub found: Found,
    /// The rows that need bytes.
    pub needed: Vec<Needed>,
    /// Every prompt.
    pub prompts: Vec<Uuid>,
}

/// Reads an import from the beginning of its file.
pub fn read(kind: Kind, mut file: File, viewer: &Viewer, limits: &Limits) -> ApiResult<Read> {
    file.rewind()?;
    match kind {
        Kind::Zip => read_archive(file, viewer, limits),
        Kind::Json => read_browser(file, viewer),
    }
}

fn read_browser(file: File, viewer: &Viewer) -> ApiResult<Read> {
    let mut kept = browser::Kept::default();
    browser::read(file, &mut kept, viewer)?;
    let browser::Kept {
        mut bundles,
        mut found,
    } = kept;
    // In one order for everybody: two imports at once must not wait for each other's locks.
    bundles.sort_by_key(place);
    bundles.dedup_by(|again, before| {
        let is_again = place(again).1 == place(before).1 && place(again).0 == place(before).0;
        if is_again {
            let (_, _, index) = place(again);
            found.fault(area(again), index, "", "has the id of an earlier one");
        }
        is_again
    });
    let prompts = bundles.iter().filter(|bundle| area(bundle) == "prompts");
    Ok(Read {
        prompts: prompts.map(|bundle| place(bundle).1).collect(),
        source: Source::Browser(bundles),
        found,
        needed: Vec::new(),
    })
}

/// Where a row goes among the others: requests, then prompts, then workflows, which refer to them.
fn place(bundle: &Bundle) -> (u8, Uuid, usize) {
    match bundle {
        Bundle::Request(request) => (0, request.row.id.0, request.index),
        Bundle::Prompt(prompt) => (1, prompt.prompt.id.0, prompt.prompt.index),
        Bundle::Workflow(workflow) => (2, workflow.id.0, workflow.index),
        _ => (3, Uuid::nil(), 0),
    }
}

fn area(bundle: &Bundle) -> &'static str {
    ["requests", "prompts", "workflows", ""][usize::from(place(bundle).0)]
}

fn read_archive(file: File, viewer: &Viewer, limits: &Limits) -> ApiResult<Read> {
    let mut found = Found::default();
    let archive = Unpacked::of(file, limits, &mut found)?;
    let mut reader = Reader {
        found: &mut found,
        viewer,
        limits: limits.datasets,
        kept: Arc::default(),
        missing: archive.missing.iter().cloned().collect(),
        needed: Vec::new(),
        prompts: Vec::new(),
    };
    reader.read(&archive, &mut |_| true)?;
    let (needed, prompts) = (reader.needed, reader.prompts);
    Ok(Read {
        source: Source::Archive(Arc::new(Mutex::new(archive))),
        found,
        needed,
        prompts,
    })
}

/// Passes on the rows, and their end; without that, they broke off.
pub fn send(
    source: Source,
    viewer: &Viewer,
    limits: &Limits,
    kept: AllKept,
    mut to: mpsc::Sender<Option<Bundle>>,
) {
    let mut pass = |bundle| futures::executor::block_on(to.send(bundle)).is_ok();
    let is_whole = match source {
        Source::Browser(bundles) => {
            let people = std::iter::once(Bundle::People(Vec::new()));
            people.chain(bundles).all(|bundle| pass(Some(bundle)))
        }
        Source::Archive(archive) => {
            let archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
            let mut reader = Reader {
                // What is wrong was found before.
                found: &mut Found::default(),
                viewer,
                limits: limits.datasets,
                kept: Arc::new(kept),
                missing: archive.missing.iter().cloned().collect(),
                needed: Vec::new(),
                prompts: Vec::new(),
            };
            reader
                .read(&archive, &mut |bundle| pass(Some(bundle)))
                .is_ok()
        }
    };
    if is_whole {
        // Nobody may be listening any more; then nobody needs to know.
        let _: bool = pass(None);
    }
}
