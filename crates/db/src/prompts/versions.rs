//! Versions: what a prompt said at a time. Made, listed, compared, gone back to; never changed,
//! which the database itself sees to.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    documents::Sha256,
    page::{Limit, Page},
    prompts::{Body, PromptId, PromptVersionId},
    requests::RequestId,
    revision::Expected,
    templates::TemplateId,
    trackers::IssueId,
    users::{CompanyId, UserId},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ChangeError, NewPrompt, PromptChanges, Stored,
    bounded::{self, Filling},
    lock_own, visible_to,
};
use crate::{
    Connection,
    prepared::Prepare as _,
    schema::{prompt_versions, prompts},
};

/// A version.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize, utoipa::ToSchema)]
#[diesel(table_name = prompt_versions)]
#[serde(rename_all = "camelCase")]
pub struct PromptVersion {
    /// Its id: what a `promptVersionId` names.
    pub id: PromptVersionId,
    /// Of which prompt.
    pub prompt_id: PromptId,
    /// In which numbering; renaming a prompt begins the next one.
    pub lineage: i32,
    /// Its number there, from 1.
    pub version: i32,
    /// What it is called, such as `Generator 6`.
    pub label: String,
    /// What it says.
    pub body: Body,
    /// The SHA-256 of the body as canonical JSON, hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// About how many tokens its text has.
    pub tokens_estimate: i32,
    /// The run that called for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run_id: Option<Uuid>,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = prompt_versions)]
struct NewVersion<'a> {
    id: PromptVersionId,
    company_id: CompanyId,
    prompt_id: PromptId,
    lineage: i32,
    version: i32,
    label: String,
    body: &'a Body,
    sha256: Sha256,
    tokens_estimate: i32,
    run_id: Option<Uuid>,
    created_by: UserId,
}

/// Which version of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one of this number in the newest numbering that has any.
    Number(i32),
    /// The one of this id.
    Id(PromptVersionId),
}

impl std::str::FromStr for Which {
    type Err = domain::Fault;
    fn from_str(text: &str) -> Result<Self, domain::Fault> {
        let number = text.parse().ok().filter(|number| *number > 0);
        match (number, text.parse()) {
            (Some(number), _) => Ok(Self::Number(number)),
            (None, Ok(id)) => Ok(Self::Id(id)),
            (None, Err(_)) => Err(domain::Fault(
                "must be the number of a version, from 1, or its id".into(),
            )),
        }
    }
}

/// Makes a version of what a prompt says now, unless the newest of the present numbering says the
/// same; the second value tells whether it was made.
pub async fn create(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    expected: &Expected,
) -> Result<(PromptVersion, bool), ChangeError> {
    conn.transaction(async |conn| {
        let stored = lock_own(conn, viewer, id, expected).await?;
        Ok(ensure(conn, &stored, viewer.user_id, None).await?)
    })
    .await
}

/// Creates a generated prompt together with its first version.
pub(crate) async fn create_first(
    conn: &mut Connection,
    new: &NewPrompt,
    (issue, request, template): (Option<IssueId>, Option<RequestId>, TemplateId),
) -> QueryResult<PromptVersionId> {
    diesel::insert_into(prompts::table)
        .values((
            new,
            prompts::current_version.eq(1),
            prompts::issue_id.eq(issue),
            prompts::request_id.eq(request),
            prompts::template_id.eq(template),
        ))
        .execute(conn)
        .await?;
    let (id, body) = (PromptVersionId::new(), new.body());
    let version = NewVersion {
        id,
        company_id: new.company_id,
        prompt_id: new.id,
        lineage: 1,
        version: 1,
        label: new.kind.version_label(1),
        sha256: body.sha256(),
        tokens_estimate: body.tokens_estimate(),
        body: &body,
        run_id: None,
        created_by: new.owner_id,
    };
    diesel::insert_into(prompt_versions::table)
        .values(version)
        .execute(conn)
        .await?;
    Ok(id)
}

/// The version of what a locked prompt says now: the newest one if it says the same, else a new
/// one. For whatever has to name the version it works with.
pub async fn ensure(
    conn: &mut Connection,
    stored: &Stored,
    by: UserId,
    run_id: Option<Uuid>,
) -> QueryResult<(PromptVersion, bool)> {
    let (prompt, body) = (&stored.prompt, stored.prompt.body());
    let sha256 = body.sha256();
    let newest = prompt_versions::table
        .filter(prompt_versions::prompt_id.eq(prompt.id))
        .filter(prompt_versions::lineage.eq(stored.lineage))
        .order(prompt_versions::version.desc())
        .select(PromptVersion::as_select())
        .first(conn)
        .await
        .optional()?;
    let number = match newest {
        Some(newest) if newest.sha256 == sha256 => return Ok((newest, false)),
        newest => newest.map_or(0, |newest| newest.version) + 1,
    };
    let new = NewVersion {
        id: PromptVersionId::new(),
        company_id: stored.company_id,
        prompt_id: prompt.id,
        lineage: stored.lineage,
        version: number,
        label: prompt.kind.version_label(number),
        sha256,
        tokens_estimate: body.tokens_estimate(),
        body: &body,
        run_id,
        created_by: by,
    };
    let version = diesel::insert_into(prompt_versions::table)
        .values(new)
        .returning(PromptVersion::as_returning())
        .get_result(conn)
        .await?;
    diesel::update(prompts::table.find(prompt.id))
        .set(prompts::current_version.eq(number))
        .execute(conn)
        .await?;
    Ok((version, true))
}

/// The versions of a prompt, newest first. Ends early where they are large.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    after: Option<(i32, i32)>,
    limit: Limit,
) -> QueryResult<Page<PromptVersion, (i32, i32)>> {
    require_visible(conn, viewer, id).await?;
    let mut query = prompt_versions::table
        .filter(prompt_versions::prompt_id.eq(id))
        .select((prompt_versions::id, bounded::weight_of_version()))
        .order((
            prompt_versions::lineage.desc(),
            prompt_versions::version.desc(),
        ))
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some((lineage, version)) = after {
        let (of, number) = (prompt_versions::lineage, prompt_versions::version);
        query = query.filter(of.lt(lineage).or(of.eq(lineage).and(number.lt(version))));
    }
    let found: Vec<(PromptVersionId, i64)> = query.prepared().load(conn).await?;
    let mut page = Filling::of(found, limit);
    loop {
        let ids = page.part();
        if ids.is_empty() {
            return Ok(page.page(|row: &PromptVersion| (row.lineage, row.version)));
        }
        page.take(read(conn, ids).await?);
    }
}

/// These versions, newest first.
async fn read(conn: &mut Connection, ids: Vec<PromptVersionId>) -> QueryResult<Vec<PromptVersion>> {
    prompt_versions::table
        .filter(prompt_versions::id.eq_any(ids))
        .select(PromptVersion::as_select())
        .order((
            prompt_versions::lineage.desc(),
            prompt_versions::version.desc(),
        ))
        .load(conn)
        .await
}

/// Whether the viewer may see the prompt; `NotFound` if not.
pub(super) async fn require_visible(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
) -> QueryResult<()> {
    prompts::table
        .filter(prompts::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(prompts::id)
        .first::<PromptId>(conn)
        .await
        .map(|_| ())
}

/// One version of a prompt that the viewer may see.
pub async fn find(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    which: Which,
) -> Result<PromptVersion, ChangeError> {
    match require_visible(conn, viewer, id).await {
        Err(diesel::result::Error::NotFound) => return Err(ChangeError::NotFound),
        seen => seen?,
    }
    of(conn, id, which).await?.ok_or(ChangeError::NoVersion)
}

/// The version of this id, if the viewer may see its prompt.
pub async fn visible(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptVersionId,
) -> QueryResult<Option<PromptVersion>> {
    prompt_versions::table
        .inner_join(prompts::table)
        .filter(prompt_versions::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(PromptVersion::as_select())
        .first(conn)
        .await
        .optional()
}

/// Two versions of a prompt: by default the newest, and the one made before it.
pub async fn pair(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    from: Option<Which>,
    to: Option<Which>,
) -> Result<(PromptVersion, PromptVersion), ChangeError> {
    match require_visible(conn, viewer, id).await {
        Err(diesel::result::Error::NotFound) => return Err(ChangeError::NotFound),
        seen => seen?,
    }
    let to = match to {
        Some(which) => of(conn, id, which).await?,
        None => newest(conn, id).await?,
    };
    let to = to.ok_or(ChangeError::NoVersion)?;
    let from = match from {
        Some(which) => of(conn, id, which).await?.ok_or(ChangeError::NoVersion)?,
        None => before(conn, &to).await?.unwrap_or_else(|| to.clone()),
    };
    Ok((from, to))
}

async fn newest(conn: &mut Connection, id: PromptId) -> QueryResult<Option<PromptVersion>> {
    prompt_versions::table
        .filter(prompt_versions::prompt_id.eq(id))
        .order((
            prompt_versions::lineage.desc(),
            prompt_versions::version.desc(),
        ))
        .select(PromptVersion::as_select())
        .first(conn)
        .await
        .optional()
}

/// The version that was made before this one.
async fn before(conn: &mut Connection, of: &PromptVersion) -> QueryResult<Option<PromptVersion>> {
    let (lineage, number) = (prompt_versions::lineage, prompt_versions::version);
    prompt_versions::table
        .filter(prompt_versions::prompt_id.eq(of.prompt_id))
        .filter(
            lineage
                .lt(of.lineage)
                .or(lineage.eq(of.lineage).and(number.lt(of.version))),
        )
        .order((lineage.desc(), number.desc()))
        .select(PromptVersion::as_select())
        .first(conn)
        .await
        .optional()
}

/// A version of a prompt, whoever asks.
pub(super) async fn of(
    conn: &mut Connection,
    id: PromptId,
    which: Which,
) -> QueryResult<Option<PromptVersion>> {
    let query = prompt_versions::table
        .filter(prompt_versions::prompt_id.eq(id))
        .select(PromptVersion::as_select())
        .order(prompt_versions::lineage.desc())
        .into_boxed();
    let query = match which {
        Which::Id(version) => query.filter(prompt_versions::id.eq(version)),
        Which::Number(number) => {
            let newest = diesel::alias!(prompt_versions as newest);
            let lineage = newest
                .filter(newest.field(prompt_versions::prompt_id).eq(id))
                .order(newest.field(prompt_versions::lineage).desc())
                .select(newest.field(prompt_versions::lineage))
                .limit(1);
            query
                .filter(prompt_versions::version.eq(number))
                .filter(prompt_versions::lineage.eq_any(lineage))
        }
    };
    query.first(conn).await.optional()
}

/// Makes a prompt say again what it said in a version. Title, notes and readers stay.
pub async fn restore(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    which: Which,
    expected: &Expected,
) -> Result<Stored, ChangeError> {
    conn.transaction(async |conn| {
        let stored = lock_own(conn, viewer, id, expected).await?;
        let version = of(conn, id, which).await?.ok_or(ChangeError::NoVersion)?;
        let body = version.body;
        let changes = PromptChanges {
            kind: Some(body.kind),
            prompt_text: Some(body.prompt_text),
            sfl_field: Some(body.sfl_field),
            sfl_tenor: Some(body.sfl_tenor),
            sfl_mode: Some(body.sfl_mode),
            example_output: Some(body.example_output),
            source_document: Some(body.source_document),
            metadata: Some(body.metadata),
            ..PromptChanges::default()
        };
        super::change::write(conn, stored, &changes).await
    })
    .await
}
