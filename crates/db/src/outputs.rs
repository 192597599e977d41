//! Outputs: what models made of versions of prompts. They are seen by whoever sees the prompt, and
//! are never changed.

pub mod archive;
mod change;

pub(crate) use change::forget_of;
pub use change::{ChangeError, delete};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    documents::{DiscardFile, FileName, Sha256},
    jobs::JobId,
    outputs::{OutputId, OutputType},
    page::{Limit, Page},
    prompts::{PromptId, PromptVersionId},
    users::{CompanyId, UserId},
};
use serde::Serialize;

use crate::{
    Connection,
    horizon::horizon,
    jobs::{NewJob, enqueue, renounce},
    prompts::{Owner, visible_to},
    schema::{outputs, prompt_versions, prompts, users},
};

/// An output.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = outputs)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Its id.
    pub id: OutputId,
    /// The prompt it was made of.
    pub prompt_id: PromptId,
    /// The same as it was then.
    pub prompt_version_id: PromptVersionId,
    /// Who kept it.
    #[diesel(embed)]
    pub creator: Owner,
    /// The name it was sent under.
    pub file_name: FileName,
    /// What it is, by its content.
    pub content_type: OutputType,
    /// Its size.
    pub size_bytes: i64,
    /// The SHA-256 of its bytes, hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// The malware scanner that found nothing, with the version of its signatures; missing if
    /// scanning was switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanner: Option<String>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanned_at: Option<DateTime<Utc>>,
    /// When it was kept.
    pub created_at: DateTime<Utc>,
    /// When it was kept, or when the readers of its prompt last changed.
    pub updated_at: DateTime<Utc>,
    /// Where its bytes are.
    #[serde(skip)]
    pub storage_key: String,
}

/// An output to be kept; its bytes are stored already.
#[derive(Debug, Clone)]
pub struct NewOutput {
    /// Its id.
    pub id: OutputId,
    /// What it was made of.
    pub prompt_version_id: PromptVersionId,
    /// Its name.
    pub file_name: FileName,
    /// What it is.
    pub content_type: OutputType,
    /// Its size.
    pub size_bytes: i64,
    /// The SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Where its bytes are.
    pub storage_key: String,
    /// The scanner that found nothing, and when.
    pub scan: Option<(String, DateTime<Utc>)>,
}

#[derive(Insertable)]
#[diesel(table_name = outputs)]
struct Row<'a> {
    id: OutputId,
    company_id: CompanyId,
    prompt_id: PromptId,
    prompt_version_id: PromptVersionId,
    creator_id: UserId,
    file_name: &'a FileName,
    content_type: OutputType,
    size_bytes: i64,
    sha256: Sha256,
    storage_key: &'a str,
    scanner: Option<&'a str>,
    scanned_at: Option<DateTime<Utc>>,
}

impl<'a> Row<'a> {
    fn of(new: &'a NewOutput, viewer: &Viewer, prompt_id: PromptId) -> Self {
        Self {
            id: new.id,
            company_id: viewer.company_id,
            prompt_id,
            prompt_version_id: new.prompt_version_id,
            creator_id: viewer.user_id,
            file_name: &new.file_name,
            content_type: new.content_type,
            size_bytes: new.size_bytes,
            sha256: new.sha256,
            storage_key: &new.storage_key,
            scanner: new.scan.as_ref().map(|(scanner, _)| scanner.as_str()),
            scanned_at: new.scan.as_ref().map(|(_, at)| *at),
        }
    }
}

/// Promises that the bytes behind a key are removed within the hour. Given before they are stored, and
/// taken back by [`create`]: so no bytes stay without an output, whoever dies in between.
pub async fn promise_removal(
    conn: &mut Connection,
    viewer: &Viewer,
    key: &str,
) -> QueryResult<JobId> {
    promise_removal_after(conn, viewer, key, TimeDelta::hours(1)).await
}

/// The same within this time.
pub async fn promise_removal_after(
    conn: &mut Connection,
    viewer: &Viewer,
    key: &str,
    after: TimeDelta,
) -> QueryResult<JobId> {
    let storage_key = key.to_owned();
    let job = NewJob::new(&DiscardFile { storage_key })
        .of(viewer.company_id, viewer.user_id.0)
        .at(Utc::now() + after);
    enqueue(conn, std::slice::from_ref(&job)).await?;
    Ok(job.id())
}

/// Keeps an output of a version that the viewer may see, and takes back the promise that its bytes are
/// removed; the second value is `false` when that version has the same bytes already, and the existing
/// output is given.
pub async fn create(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewOutput,
    promise: JobId,
) -> QueryResult<(Output, bool)> {
    conn.transaction(async |conn| {
        let prompt_id = lock_prompt(conn, viewer, new.prompt_version_id).await?;
        let inserted = diesel::insert_into(outputs::table)
            .values(Row::of(new, viewer, prompt_id))
            .on_conflict((outputs::prompt_version_id, outputs::sha256))
            .do_nothing()
            .execute(conn)
            .await?;
        if inserted > 0 {
            renounce(conn, promise).await?;
        }
        let same = same(conn, new.prompt_version_id, new.sha256).await?;
        Ok((same, inserted > 0))
    })
    .await
}

/// The prompt of a version, if the viewer may see it. Until the transaction ends it is neither
/// deleted nor shown to fewer.
async fn lock_prompt(
    conn: &mut Connection,
    viewer: &Viewer,
    version: PromptVersionId,
) -> QueryResult<PromptId> {
    prompt_versions::table
        .inner_join(prompts::table)
        .filter(prompt_versions::id.eq(version))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(prompts::id)
        .for_key_share()
        .first(conn)
        .await
}

/// The output of a version with these bytes. Not found is only a version that the viewer may not
/// see.
pub async fn find_same(
    conn: &mut Connection,
    viewer: &Viewer,
    version: PromptVersionId,
    sha256: Sha256,
) -> QueryResult<Option<Output>> {
    lock_prompt(conn, viewer, version).await?;
    same(conn, version, sha256).await.optional()
}

async fn same(
    conn: &mut Connection,
    version: PromptVersionId,
    sha256: Sha256,
) -> QueryResult<Output> {
    outputs::table
        .inner_join(users::table)
        .filter(outputs::prompt_version_id.eq(version))
        .filter(outputs::sha256.eq(sha256))
        .select(Output::as_select())
        .first(conn)
        .await
}

/// One output.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: OutputId) -> QueryResult<Output> {
    outputs::table
        .inner_join(prompts::table)
        .inner_join(users::table)
        .filter(outputs::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Output::as_select())
        .first(conn)
        .await
}

/// Which outputs are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this prompt.
    pub prompt: Option<PromptId>,
    /// Of this version.
    pub version: Option<PromptVersionId>,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Behind this one in the list.
    pub after: Option<(DateTime<Utc>, OutputId)>,
}

/// Lists outputs: newest first, or, when asked for changes, in the order of the changes, up to the
/// moment before which no commit can still appear.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Output, (DateTime<Utc>, OutputId)>> {
    let mut query = outputs::table
        .inner_join(prompts::table)
        .inner_join(users::table)
        .filter(outputs::company_id.eq(viewer.company_id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Output::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some(prompt) = filter.prompt {
        query = query.filter(outputs::prompt_id.eq(prompt));
    }
    if let Some(version) = filter.version {
        query = query.filter(outputs::prompt_version_id.eq(version));
    }
    let (changed, id) = (outputs::updated_at, outputs::id);
    if let Some(since) = filter.updated_since {
        let horizon = horizon(conn).await?;
        query = query
            .filter(changed.ge(since))
            .filter(changed.lt(horizon))
            .order((changed, id));
        if let Some((at, last)) = filter.after {
            query = query.filter(changed.gt(at).or(changed.eq(at).and(id.gt(last))));
        }
    } else {
        query = query.order(id.desc());
        if let Some((_, last)) = filter.after {
            query = query.filter(id.lt(last));
        }
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &Output| {
        (row.updated_at, row.id)
    }))
}
