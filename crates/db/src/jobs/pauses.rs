//! Pauses of kinds: of the operator for everybody, and of a company's admins for the company. They are
//! rows, so that they outlive restarts; dispatch and claim read them each time, so that nobody has to
//! be told.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    jobs::{JobKind, PauseNote},
    users::{CompanyId, UserId},
};
use serde::Serialize;

use crate::{
    Connection,
    schema::{company_job_pauses, job_pauses, users},
};

/// For whom a kind is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PauseScope)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// For the company, by its admins.
    Company,
    /// For everybody, by whoever operates the installation.
    Installation,
}

/// Who paused something.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pauser {
    /// Which person.
    pub id: UserId,
    /// What they are called.
    pub name: String,
}

/// A kind that is paused.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = JobPause)]
#[serde(rename_all = "camelCase")]
pub struct PauseRow {
    /// What is not begun.
    pub kind: JobKind,
    /// For whom. What holds for the installation is resumed on its command line.
    pub scope: Scope,
    /// Whose it is.
    #[serde(skip)]
    pub company_id: Option<CompanyId>,
    /// What whoever paused it wants others to know.
    pub note: Option<String>,
    /// Who paused it; `null` if the operator did.
    pub paused_by: Option<Pauser>,
    /// Since when.
    pub paused_at: DateTime<Utc>,
}

/// Has jobs of this kind not begun any more; those that run go on. A second time changes the note alone.
pub async fn pause(
    conn: &mut Connection,
    kind: JobKind,
    note: Option<&PauseNote>,
) -> QueryResult<()> {
    conn.transaction(async |conn| {
        diesel::insert_into(job_pauses::table)
            .values((job_pauses::kind.eq(kind), job_pauses::note.eq(note)))
            .on_conflict(job_pauses::kind)
            .do_update()
            .set(job_pauses::note.eq(note))
            .execute(conn)
            .await?;
        call_back(conn, kind, None).await
    })
    .await
}

/// Has jobs of this kind begun again.
pub async fn resume(conn: &mut Connection, kind: JobKind) -> QueryResult<()> {
    diesel::delete(job_pauses::table.find(kind))
        .execute(conn)
        .await
        .map(|_| ())
}

/// The same as [`pause`] for one company.
pub async fn pause_for(
    conn: &mut Connection,
    company: CompanyId,
    kind: JobKind,
    by: Option<UserId>,
    note: Option<&PauseNote>,
) -> QueryResult<()> {
    use company_job_pauses as pauses;
    conn.transaction(async |conn| {
        diesel::insert_into(pauses::table)
            .values((
                pauses::company_id.eq(company),
                pauses::kind.eq(kind),
                pauses::note.eq(note),
                pauses::paused_by.eq(by),
            ))
            .on_conflict((pauses::company_id, pauses::kind))
            .do_update()
            .set(pauses::note.eq(note))
            .execute(conn)
            .await?;
        call_back(conn, kind, Some(company)).await
    })
    .await
}

/// The same as [`resume`] for one company. Whether it was paused.
pub async fn resume_for(
    conn: &mut Connection,
    company: CompanyId,
    kind: JobKind,
) -> QueryResult<bool> {
    let gone = diesel::delete(company_job_pauses::table.find((company, kind)))
        .execute(conn)
        .await?;
    Ok(gone > 0)
}

/// What was handed out and not begun waits with the others; its message finds nothing to do.
async fn call_back(
    conn: &mut Connection,
    kind: JobKind,
    company: Option<CompanyId>,
) -> QueryResult<()> {
    diesel::sql_query(
        "UPDATE jobs SET dispatched_at = NULL WHERE id IN (
             SELECT id FROM jobs
             WHERE kind = $1 AND state = 'queued' AND dispatched_at IS NOT NULL
               AND ($2 IS NULL OR company_id = $2)
             FOR UPDATE SKIP LOCKED)",
    )
    .bind::<sql_types::Text, _>(kind)
    .bind::<sql_types::Nullable<sql_types::Uuid>, _>(company)
    .execute(conn)
    .await
    .map(drop)
}

/// The kinds that are paused for everybody.
pub async fn paused(conn: &mut Connection) -> QueryResult<Vec<JobKind>> {
    job_pauses::table
        .select(job_pauses::kind)
        .order(job_pauses::kind)
        .load(conn)
        .await
}

/// Whether a kind is paused for everybody.
pub async fn paused_everywhere(conn: &mut Connection, kind: JobKind) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(job_pauses::table.find(kind)))
        .get_result(conn)
        .await
}

type Row = (
    CompanyId,
    JobKind,
    Option<String>,
    DateTime<Utc>,
    Option<(UserId, String)>,
);

/// What is paused for a company, by itself or for everybody; without one, all that is.
pub async fn pauses(
    conn: &mut Connection,
    company: Option<CompanyId>,
) -> QueryResult<Vec<PauseRow>> {
    use company_job_pauses as pauses;
    let everywhere: Vec<(JobKind, Option<String>, DateTime<Utc>)> = job_pauses::table
        .select((job_pauses::kind, job_pauses::note, job_pauses::paused_at))
        .order(job_pauses::kind)
        .load(conn)
        .await?;
    let mut of_companies = pauses::table
        .left_join(users::table.on(users::id.nullable().eq(pauses::paused_by)))
        .select((
            pauses::company_id,
            pauses::kind,
            pauses::note,
            pauses::paused_at,
            (users::id, users::name).nullable(),
        ))
        .order((pauses::kind, pauses::company_id))
        .into_boxed();
    if let Some(company) = company {
        of_companies = of_companies.filter(pauses::company_id.eq(company));
    }
    let of_companies: Vec<Row> = of_companies.load(conn).await?;
    let everywhere = everywhere
        .into_iter()
        .map(|(kind, note, paused_at)| PauseRow {
            kind,
            scope: Scope::Installation,
            company_id: None,
            note,
            paused_by: None,
            paused_at,
        });
    let of_companies = of_companies
        .into_iter()
        .map(|(company, kind, note, paused_at, by)| PauseRow {
            kind,
            scope: Scope::Company,
            company_id: Some(company),
            note,
            paused_by: by.map(|(id, name)| Pauser { id, name }),
            paused_at,
        });
    Ok(everywhere.chain(of_companies).collect())
}
