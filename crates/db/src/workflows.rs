//! Workflows as they are worked on. What is performed of them is in [`start`], how that goes on in
//! [`course`], reading it in [`executions`], stopping it and taking it up again in [`control`].

pub mod archive;
pub mod builtin;
pub mod control;
pub mod course;
pub mod events;
pub mod executions;
mod start;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    revision::Expected,
    users::{CompanyId, Role, UserId, Visibility},
    workflows::{Description, Tasks, WorkflowId, WorkflowName},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Connection,
    horizon::horizon,
    like,
    prompts::Owner,
    schema::{users, workflows},
};
pub use start::{NewExecution, StartError, Subject, linked, pin, start};

/// A workflow.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = workflows)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// What it is called.
    pub name: WorkflowName,
    /// What it is for.
    pub description: Description,
    /// Its tasks.
    pub tasks: Tasks,
    /// Whether it came with the company.
    pub is_default: bool,
    /// The state of a canvas, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_data: Option<Value>,
    /// Whose it is.
    #[diesel(embed)]
    pub owner: Owner,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Workflow {
    fn may_be_changed_by(&self, viewer: &Viewer) -> bool {
        self.owner.id == viewer.user_id || viewer.role == Role::Admin
    }
}

/// A workflow to be created.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = workflows)]
pub struct NewWorkflow {
    /// Its id.
    pub id: WorkflowId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its owner.
    pub owner_id: UserId,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// What it is called.
    pub name: WorkflowName,
    /// What it is for.
    pub description: Description,
    /// Its tasks.
    pub tasks: Tasks,
    /// The state of a canvas.
    pub graph_data: Option<Value>,
    /// Whether it comes with the company.
    pub is_default: bool,
}

/// Members of a workflow to be changed; what is `None` stays.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = workflows)]
#[expect(
    clippy::option_option,
    reason = "diesel's way to tell a member that stays from one that is taken away"
)]
pub struct WorkflowChanges {
    /// What it is called.
    pub name: Option<WorkflowName>,
    /// What it is for.
    pub description: Option<Description>,
    /// Its tasks.
    pub tasks: Option<Tasks>,
    /// The state of a canvas; `Some(None)` takes it away.
    pub graph_data: Option<Option<Value>>,
    /// Who besides may see it.
    pub visibility: Option<Visibility>,
}

impl WorkflowChanges {
    /// A workflow of these members; `Err` names those that it cannot be without.
    pub fn into_new(self, viewer: &Viewer, id: WorkflowId) -> Result<NewWorkflow, ChangeError> {
        let missing = [
            (self.name.is_none(), "name"),
            (self.tasks.is_none(), "tasks"),
        ];
        let (Some(name), Some(tasks)) = (self.name, self.tasks) else {
            let missing = missing.into_iter().filter(|(lacks, _)| *lacks);
            let missing = missing.map(|(_, member)| member).collect();
            return Err(ChangeError::Incomplete(missing));
        };
        Ok(NewWorkflow {
            id,
            company_id: viewer.company_id,
            owner_id: viewer.user_id,
            visibility: self.visibility.unwrap_or(Visibility::Private),
            name,
            description: self.description.unwrap_or_else(nothing),
            tasks,
            graph_data: self.graph_data.flatten(),
            is_default: false,
        })
    }

    fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.tasks.is_none()
            && self.graph_data.is_none()
            && self.visibility.is_none()
    }
}

fn nothing() -> Description {
    "".parse().expect("a description may be empty")
}

/// Why a workflow was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none that the viewer may see.
    #[error("not found")]
    NotFound,
    /// The viewer may see but not change it.
    #[error("only its owner or an admin may change it")]
    Forbidden,
    /// It changed since the viewer read it.
    #[error("it changed in the meantime")]
    Stale,
    /// To be created, it lacks these members.
    #[error("members are missing")]
    Incomplete(Vec<&'static str>),
    /// Postgres failed.
    #[error(transparent)]
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(cause: diesel::result::Error) -> Self {
        match cause {
            diesel::result::Error::NotFound => Self::NotFound,
            cause => Self::Database(cause),
        }
    }
}

/// The rows a viewer may see: their own, and those their company shares.
#[dsl::auto_type(no_type_alias)]
fn visible_to(company_id: CompanyId, user_id: UserId) -> _ {
    let own: dsl::Eq<workflows::owner_id, UserId> = workflows::owner_id.eq(user_id);
    workflows::company_id
        .eq(company_id)
        .and(own.or(workflows::visibility.eq("company")))
}

/// One workflow that the viewer may see.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: WorkflowId) -> QueryResult<Workflow> {
    workflows::table
        .inner_join(users::table)
        .filter(workflows::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Workflow::as_select())
        .first(conn)
        .await
}

/// Which workflows are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The viewer's own only.
    pub own: bool,
    /// With this in the name, whatever the case.
    pub text: Option<String>,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Before this one in the list.
    pub after: Option<(DateTime<Utc>, WorkflowId)>,
}

/// The workflows a viewer may see: newest change first, or, with `updated_since`, in the order of
/// their changes.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Workflow, (DateTime<Utc>, WorkflowId)>> {
    let mut query = workflows::table
        .inner_join(users::table)
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Workflow::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if filter.own {
        query = query.filter(workflows::owner_id.eq(viewer.user_id));
    }
    if let Some(text) = &filter.text {
        query = query.filter(workflows::name.ilike(like::containing(text)));
    }
    let (changed, id) = (workflows::updated_at, workflows::id);
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
    Ok(Page::from_surplus(rows, limit, |row: &Workflow| {
        (row.updated_at, row.id)
    }))
}

/// Creates a workflow.
pub async fn create(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewWorkflow,
) -> QueryResult<Workflow> {
    conn.transaction(async |conn| {
        diesel::insert_into(workflows::table)
            .values(new)
            .execute(conn)
            .await?;
        find(conn, viewer, new.id).await
    })
    .await
}

/// Locks a workflow that the viewer may change, as it was when they read it.
async fn lock_own(
    conn: &mut Connection,
    viewer: &Viewer,
    id: WorkflowId,
    expected: &Expected,
) -> Result<Workflow, ChangeError> {
    // Without the join, which would lock the owner too.
    workflows::table
        .find(id)
        .select(workflows::id)
        .for_update()
        .first::<WorkflowId>(conn)
        .await?;
    let workflow = find(conn, viewer, id).await?;
    if !workflow.may_be_changed_by(viewer) {
        return Err(ChangeError::Forbidden);
    }
    if !expected.accepts(workflow.updated_at) {
        return Err(ChangeError::Stale);
    }
    Ok(workflow)
}

/// Changes the members of a workflow that are given.
pub async fn update(
    conn: &mut Connection,
    viewer: &Viewer,
    id: WorkflowId,
    changes: &WorkflowChanges,
    expected: &Expected,
) -> Result<Workflow, ChangeError> {
    conn.transaction(async |conn| {
        lock_own(conn, viewer, id, expected).await?;
        change(conn, viewer, id, changes).await
    })
    .await
}

async fn change(
    conn: &mut Connection,
    viewer: &Viewer,
    id: WorkflowId,
    changes: &WorkflowChanges,
) -> Result<Workflow, ChangeError> {
    if !changes.is_empty() {
        diesel::update(workflows::table.find(id))
            .set(changes)
            .execute(conn)
            .await?;
    }
    Ok(find(conn, viewer, id).await?)
}

/// Changes the members of a workflow that are given, or creates it with this id; the second value
/// says that it was created.
pub async fn put(
    conn: &mut Connection,
    viewer: &Viewer,
    id: WorkflowId,
    changes: &WorkflowChanges,
    expected: &Expected,
) -> Result<(Workflow, bool), ChangeError> {
    conn.transaction(async |conn| {
        let there: i64 = workflows::table.find(id).count().get_result(conn).await?;
        if there == 0 {
            if *expected != Expected::Any {
                return Err(ChangeError::Stale);
            }
            let new = changes.clone().into_new(viewer, id)?;
            let created = diesel::insert_into(workflows::table)
                .values(&new)
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            if created > 0 {
                return Ok((find(conn, viewer, id).await?, true));
            }
        }
        lock_own(conn, viewer, id, expected).await?;
        Ok((change(conn, viewer, id, changes).await?, false))
    })
    .await
}

/// Deletes a workflow. What was performed of it stays.
pub async fn delete(
    conn: &mut Connection,
    viewer: &Viewer,
    id: WorkflowId,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        lock_own(conn, viewer, id, expected).await?;
        diesel::delete(workflows::table.find(id))
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}
