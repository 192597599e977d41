//! Copies of prompts, for applications that ask for the same one again and again.
//!
//! A copy carries owner, company and readers, so that whether the caller may see it is decided by
//! the very row that is shown. All copies of a prompt lie on one shelf of the cache, `prompt:<id>`,
//! and go together when anything of it changes; see [`queue::cache`] for why no slow reader brings
//! an old one back. For the case that Redis did not hear of a change, a copy is believed for
//! `PROMPT_TRUST_SECONDS`; an older one is compared with the row's revision, which is cheaper than
//! reading the row.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::prompts::{Prompt, Stored};
use domain::prompts::{ExampleOutput, LabelName, PromptId, PromptNotes, PromptVersionId};
use queue::cache::{Cache, Ticket};
use serde::{Deserialize, Serialize};

use crate::{App, error::ApiResult};

/// The most bytes that the texts of a prompt may have for a copy to be kept: Redis has other things
/// to keep.
const LONGEST: usize = 256 * 1024;

/// How long copies are kept after they were last stored or confirmed.
const LIFE: Duration = Duration::from_secs(3600);

/// A copy of a prompt.
#[derive(Debug, Serialize, Deserialize)]
pub struct Copy {
    /// The prompt; with the text of its version, if there is one.
    pub stored: Stored,
    /// The version that a label points at.
    pub version_id: Option<PromptVersionId>,
    /// When it was known to be as the row is.
    seen_at: DateTime<Utc>,
}

impl Copy {
    /// Whether it is shown without a look at the row.
    fn is_believed(&self, now: DateTime<Utc>, trust: TimeDelta) -> bool {
        // A clock that was set back must not keep copies alive.
        (TimeDelta::zero()..trust).contains(&(now - self.seen_at))
    }
}

/// A prompt, whoever asks: as it is worked on, or as the label's version says; without a version
/// if there is no such label.
pub async fn find(app: &App, id: PromptId, label: Option<&LabelName>) -> ApiResult<Option<Copy>> {
    let place = label.map_or("", LabelName::as_str);
    let (copy, ticket) = app.cache.look_on_shelf::<Copy>(&shelf(id), place).await;
    let now = Utc::now();
    let trust = TimeDelta::seconds(app.config.prompt_trust_seconds.into());
    match copy {
        Some(copy) if copy.is_believed(now, trust) => return Ok(Some(copy)),
        Some(copy) if is_current(app, &copy).await? => {
            let copy = Copy {
                seen_at: now,
                ..copy
            };
            keep(app, ticket, place, &copy).await;
            return Ok(Some(copy));
        }
        _ => {}
    }
    let copy = load(app, id, label, now).await?;
    if let Some(copy) = &copy
        && (label.is_none() || copy.version_id.is_some())
        && bytes(&copy.stored.prompt) <= LONGEST
    {
        keep(app, ticket, place, copy).await;
    }
    Ok(copy)
}

/// Bytes of the texts that may be long.
fn bytes(prompt: &Prompt) -> usize {
    let texts = [
        Some(prompt.prompt_text.as_str()),
        prompt.example_output.as_ref().map(ExampleOutput::as_str),
        prompt.notes.as_ref().map(PromptNotes::as_str),
        prompt
            .source_document
            .as_ref()
            .map(|document| document.content.as_str()),
    ];
    let audiences = prompt.sfl_tenor.target_audience.iter().map(str::len);
    texts.into_iter().flatten().map(str::len).sum::<usize>() + audiences.sum::<usize>()
}

async fn keep(app: &App, ticket: Ticket, place: &str, copy: &Copy) {
    app.cache.shelve(ticket, place, copy, LIFE).await;
}

async fn is_current(app: &App, copy: &Copy) -> ApiResult<bool> {
    let prompt = &copy.stored.prompt;
    let mut connection = app.pool.get().await?;
    let revision = db::prompts::revision(&mut connection, prompt.id).await?;
    Ok(revision.is_some_and(|(at, owner)| at == prompt.updated_at && owner == prompt.owner.name))
}

async fn load(
    app: &App,
    id: PromptId,
    label: Option<&LabelName>,
    now: DateTime<Utc>,
) -> ApiResult<Option<Copy>> {
    let mut connection = app.pool.get().await?;
    let found = match label {
        None => db::prompts::find(&mut connection, id)
            .await?
            .map(|stored| (stored, None)),
        Some(label) => db::prompts::labels::find(&mut connection, id, label).await?,
    };
    Ok(found.map(|(stored, version_id)| Copy {
        stored,
        version_id,
        seen_at: now,
    }))
}

fn shelf(id: PromptId) -> String {
    format!("prompt:{id}")
}

/// A change of a prompt under way. However it ends, copies of the prompt are forgotten: when it is
/// settled, before the caller hears of it; when its request is dropped, soon after.
pub struct Change {
    cache: Cache,
    shelf: Option<String>,
}

impl Change {
    /// To be called before the change.
    pub fn begin(app: &App, id: PromptId) -> Self {
        Self {
            cache: app.cache.clone(),
            shelf: Some(shelf(id)),
        }
    }

    /// Forgets the copies. To be called after the change has committed.
    pub async fn settle(mut self) {
        if let Some(shelf) = &self.shelf {
            self.cache.forget(shelf).await;
        }
        self.shelf = None;
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if let Some(shelf) = self.shelf.take() {
            let cache = self.cache.clone();
            actix_web::rt::spawn(async move { cache.forget(&shelf).await });
        }
    }
}
