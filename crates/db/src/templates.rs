//! Templates: as they are now, and each of their versions. A company's templates are seen by its
//! developers; who may write them is the caller's to decide.

pub mod archive;

use chrono::{DateTime, Utc};
use diesel::{
    dsl,
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    revision::Expected,
    templates::{BodyMd, TemplateId, TemplateName, TemplateVersionId},
    users::{CompanyId, UserId},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Connection,
    horizon::horizon,
    like,
    prompts::Owner,
    schema::{prompt_template_versions as versions, prompt_templates as templates, users},
};

/// A template in a list.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = templates)]
#[serde(rename_all = "camelCase")]
pub struct TemplateSummary {
    /// Its id.
    pub id: TemplateId,
    /// What it is called.
    pub name: TemplateName,
    /// The number of its newest version.
    pub version: i32,
    /// The same by its id.
    pub version_id: TemplateVersionId,
    /// Who created it.
    #[diesel(embed)]
    pub creator: Owner,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A template.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = templates)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// The rest of it.
    #[diesel(embed)]
    #[serde(flatten)]
    pub summary: TemplateSummary,
    /// What it says: Markdown with Handlebars.
    pub body_md: BodyMd,
    /// The JSON Schema of its variables.
    #[serde(rename = "lintJson")]
    #[schema(value_type = Object)]
    pub lint: Value,
}

/// A version in a list.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = versions)]
#[serde(rename_all = "camelCase")]
pub struct TemplateVersionSummary {
    /// Its id.
    pub id: TemplateVersionId,
    /// Of which template.
    pub template_id: TemplateId,
    /// Its number, from 1.
    pub version: i32,
    /// Who saved it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// What a template said at a time.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = versions)]
#[serde(rename_all = "camelCase")]
pub struct TemplateVersion {
    /// The rest of it.
    #[diesel(embed)]
    #[serde(flatten)]
    pub summary: TemplateVersionSummary,
    /// What it says.
    pub body_md: BodyMd,
    /// The JSON Schema of its variables.
    #[serde(rename = "lintJson")]
    #[schema(value_type = Object)]
    pub lint: Value,
}

/// A template to be created.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// What it is called.
    pub name: TemplateName,
    /// What it says.
    pub body_md: BodyMd,
    /// The JSON Schema of its variables.
    pub lint: Value,
}

#[derive(Insertable)]
#[diesel(table_name = versions)]
struct NewVersion<'a> {
    id: TemplateVersionId,
    company_id: CompanyId,
    template_id: TemplateId,
    version: i32,
    body_md: &'a BodyMd,
    lint: &'a Value,
    created_by: UserId,
}

/// Why a template was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none.
    #[error("not found")]
    NotFound,
    /// It changed since it was read.
    #[error("it changed in the meantime")]
    Stale,
    /// Another one is called so.
    #[error("another template has this name")]
    NameTaken,
    /// Postgres failed.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for ChangeError {
    fn from(cause: DieselError) -> Self {
        match cause {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, report)
                if report.constraint_name() == Some("prompt_templates_name") =>
            {
                Self::NameTaken
            }
            cause => Self::Database(cause),
        }
    }
}

/// The templates of a company that are not deleted.
#[dsl::auto_type(no_type_alias)]
fn living(company_id: CompanyId) -> _ {
    templates::company_id
        .eq(company_id)
        .and(templates::deleted_at.is_null())
}

/// One template.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: TemplateId) -> QueryResult<Template> {
    templates::table
        .inner_join(users::table)
        .filter(templates::id.eq(id))
        .filter(living(viewer.company_id))
        .select(Template::as_select())
        .first(conn)
        .await
}

/// Which templates are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this in the name, whatever the case.
    pub text: Option<String>,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Before this one in the list.
    pub after: Option<(DateTime<Utc>, TemplateId)>,
}

/// The templates of a company: newest change first, or, with `updated_since`, in the order of their
/// changes.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<TemplateSummary, (DateTime<Utc>, TemplateId)>> {
    let mut query = templates::table
        .inner_join(users::table)
        .filter(living(viewer.company_id))
        .select(TemplateSummary::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some(text) = &filter.text {
        query = query.filter(templates::name.ilike(like::containing(text)));
    }
    let (changed, id) = (templates::updated_at, templates::id);
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
        query = query.order((changed.desc(), id.desc()));
        if let Some((at, last)) = filter.after {
            query = query.filter(changed.lt(at).or(changed.eq(at).and(id.lt(last))));
        }
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &TemplateSummary| {
        (row.updated_at, row.id)
    }))
}

/// Creates a template with its first version.
pub async fn create(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewTemplate,
) -> Result<Template, ChangeError> {
    conn.transaction(async |conn| {
        let (id, version_id) = (TemplateId::new(), TemplateVersionId::new());
        diesel::insert_into(templates::table)
            .values((
                templates::id.eq(id),
                templates::company_id.eq(viewer.company_id),
                templates::creator_id.eq(viewer.user_id),
                templates::name.eq(&new.name),
                templates::body_md.eq(&new.body_md),
                templates::lint.eq(&new.lint),
                templates::version_id.eq(version_id),
            ))
            .execute(conn)
            .await?;
        keep(conn, viewer, id, (1, version_id), new).await?;
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

async fn keep(
    conn: &mut Connection,
    viewer: &Viewer,
    template_id: TemplateId,
    (version, id): (i32, TemplateVersionId),
    says: &NewTemplate,
) -> QueryResult<usize> {
    diesel::insert_into(versions::table)
        .values(NewVersion {
            id,
            company_id: viewer.company_id,
            template_id,
            version,
            body_md: &says.body_md,
            lint: &says.lint,
            created_by: viewer.user_id,
        })
        .execute(conn)
        .await
}

/// Locks a template, as it was when it was read.
async fn lock(
    conn: &mut Connection,
    viewer: &Viewer,
    id: TemplateId,
    expected: &Expected,
) -> Result<Template, ChangeError> {
    // Without the join, which would lock its creator too.
    templates::table
        .filter(templates::id.eq(id))
        .filter(living(viewer.company_id))
        .select(templates::id)
        .for_update()
        .first::<TemplateId>(conn)
        .await?;
    let template = find(conn, viewer, id).await?;
    if expected.accepts(template.summary.updated_at) {
        Ok(template)
    } else {
        Err(ChangeError::Stale)
    }
}

/// Makes a template say this. Another text or schema is a new version; what says the same already is
/// not written at all.
pub async fn update(
    conn: &mut Connection,
    viewer: &Viewer,
    id: TemplateId,
    says: &NewTemplate,
    expected: &Expected,
) -> Result<Template, ChangeError> {
    conn.transaction(async |conn| {
        let before = lock(conn, viewer, id, expected).await?;
        let (mut version, mut version_id) = (before.summary.version, before.summary.version_id);
        let is_another = before.body_md != says.body_md || before.lint != says.lint;
        if !is_another && before.summary.name == says.name {
            return Ok(before);
        }
        if is_another {
            (version, version_id) = (version + 1, TemplateVersionId::new());
            keep(conn, viewer, id, (version, version_id), says).await?;
        }
        diesel::update(templates::table.find(id))
            .set((
                templates::name.eq(&says.name),
                templates::body_md.eq(&says.body_md),
                templates::lint.eq(&says.lint),
                templates::version.eq(version),
                templates::version_id.eq(version_id),
            ))
            .execute(conn)
            .await?;
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

/// Deletes a template. Its row and versions stay for what was made of them; its name is free again.
pub async fn delete(
    conn: &mut Connection,
    viewer: &Viewer,
    id: TemplateId,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        lock(conn, viewer, id, expected).await?;
        diesel::update(templates::table.find(id))
            .set(templates::deleted_at.eq(dsl::now))
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

/// The versions of a template, newest first.
pub async fn versions(
    conn: &mut Connection,
    viewer: &Viewer,
    id: TemplateId,
    before: Option<i32>,
    limit: Limit,
) -> QueryResult<Page<TemplateVersionSummary, i32>> {
    find(conn, viewer, id).await?;
    let rows = versions::table
        .filter(versions::template_id.eq(id))
        .filter(versions::version.lt(before.unwrap_or(i32::MAX)))
        .order(versions::version.desc())
        .limit(limit.rows() + 1)
        .select(TemplateVersionSummary::as_select())
        .load(conn)
        .await?;
    Ok(Page::from_surplus(
        rows,
        limit,
        |row: &TemplateVersionSummary| row.version,
    ))
}

/// One version of a template, by its number.
pub async fn version(
    conn: &mut Connection,
    viewer: &Viewer,
    id: TemplateId,
    number: i32,
) -> QueryResult<TemplateVersion> {
    versions::table
        .inner_join(templates::table)
        .filter(versions::template_id.eq(id))
        .filter(versions::version.eq(number))
        .filter(living(viewer.company_id))
        .select(TemplateVersion::as_select())
        .first(conn)
        .await
}
