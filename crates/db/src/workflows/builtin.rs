//! The workflows that every company starts with. They are its own from then on: what it changes or
//! deletes stays so.

use std::sync::LazyLock;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    users::{CompanyId, Role, UserId, Visibility},
    workflows::{Description, Tasks, WorkflowId, WorkflowName},
};
use serde::Deserialize;

use super::{NewWorkflow, archive::ArchivedWorkflow};
use crate::{
    Connection,
    schema::{companies, users, workflows},
};

/// A workflow as it is written down here.
#[derive(Debug, Deserialize)]
struct Builtin {
    name: WorkflowName,
    description: Description,
    tasks: Tasks,
}

fn all() -> Vec<Builtin> {
    serde_json::from_str(include_str!("builtin.json")).expect("a test reads it")
}

/// Whether a workflow is one of these, just as it was given.
pub(super) fn is_as_given(row: &ArchivedWorkflow) -> bool {
    static GIVEN: LazyLock<Vec<Builtin>> = LazyLock::new(all);
    let is_plain =
        row.is_default && row.graph_data.is_none() && row.visibility == Visibility::Company;
    let same = |given: &Builtin| {
        (&given.name, &given.description, &given.tasks) == (&row.name, &row.description, &row.tasks)
    };
    is_plain && GIVEN.iter().any(same)
}

/// Gives a company its workflows unless it had them before; they belong to its first admin. Says how
/// many came.
pub async fn give(conn: &mut Connection, company: CompanyId) -> QueryResult<usize> {
    conn.transaction(async |conn| {
        let admin: Option<UserId> = users::table
            .filter(
                users::company_id
                    .eq(company)
                    .and(users::role.eq(Role::Admin)),
            )
            .order((users::created_at, users::id))
            .select(users::id)
            .first(conn)
            .await
            .optional()?;
        let Some(owner) = admin else {
            return Ok(0);
        };
        let lacks = companies::table
            .find(company)
            .filter(companies::has_workflows.eq(false));
        let marked = diesel::update(lacks)
            .set(companies::has_workflows.eq(true))
            .execute(conn)
            .await?;
        if marked == 0 {
            return Ok(0);
        }
        let rows: Vec<NewWorkflow> = all()
            .into_iter()
            .map(|builtin| new(builtin, company, owner))
            .collect();
        diesel::insert_into(workflows::table)
            .values(rows)
            .execute(conn)
            .await
    })
    .await
}

fn new(builtin: Builtin, company_id: CompanyId, owner_id: UserId) -> NewWorkflow {
    NewWorkflow {
        id: WorkflowId::new(),
        company_id,
        owner_id,
        visibility: Visibility::Company,
        name: builtin.name,
        description: builtin.description,
        tasks: builtin.tasks,
        graph_data: None,
        is_default: true,
    }
}

/// Gives every company its workflows that lacks them.
pub async fn give_all(conn: &mut Connection) -> QueryResult<()> {
    let lacking: Vec<CompanyId> = companies::table
        .filter(companies::has_workflows.eq(false))
        .select(companies::id)
        .load(conn)
        .await?;
    for company in lacking {
        give(conn, company).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::workflows::faults;

    use super::*;

    #[test]
    fn the_built_in_workflows_have_no_fault() {
        for builtin in all() {
            assert_eq!(faults::faults(&builtin.tasks.0), [], "{}", builtin.name);
        }
        assert_eq!(all().len(), 2);
    }
}
