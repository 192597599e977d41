//! Removing outputs. Their files follow by jobs, of the same transaction.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    documents::DiscardFile,
    outputs::OutputId,
    prompts::PromptId,
    revision::Expected,
    users::{CompanyId, Role, UserId},
};

use super::find;
use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    schema::{outputs, prompts},
};

/// Jobs inserted by one statement.
const BATCH: usize = 1000;

/// Why an output was not removed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none that the viewer may see.
    #[error("not found")]
    NotFound,
    /// The viewer may see but not remove it.
    #[error("only who kept it, the prompt's owner or an admin may remove it")]
    Forbidden,
    /// It changed since the viewer read it.
    #[error("it changed in the meantime")]
    Stale,
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

/// Removes an output: who kept it may, the prompt's owner, and an admin.
pub async fn delete(
    conn: &mut Connection,
    viewer: &Viewer,
    id: OutputId,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        // Without the joins, which would lock the prompt and the person too.
        outputs::table
            .find(id)
            .select(outputs::id)
            .for_update()
            .first::<OutputId>(conn)
            .await?;
        let output = find(conn, viewer, id).await?;
        let owner: UserId = prompts::table
            .find(output.prompt_id)
            .select(prompts::owner_id)
            .first(conn)
            .await?;
        let may = [owner, output.creator.id].contains(&viewer.user_id);
        if !may && viewer.role != Role::Admin {
            return Err(ChangeError::Forbidden);
        }
        if !expected.accepts(output.updated_at) {
            return Err(ChangeError::Stale);
        }
        diesel::delete(outputs::table.find(id))
            .execute(conn)
            .await?;
        let job = discard(output.storage_key, viewer.company_id, output.creator.id);
        enqueue(conn, &[job]).await?;
        Ok(())
    })
    .await
}

/// Removes the outputs of a locked prompt that is about to go.
pub(crate) async fn forget_of(conn: &mut Connection, prompt: PromptId) -> QueryResult<()> {
    let gone: Vec<(String, CompanyId, UserId)> =
        diesel::delete(outputs::table.filter(outputs::prompt_id.eq(prompt)))
            .returning((
                outputs::storage_key,
                outputs::company_id,
                outputs::creator_id,
            ))
            .get_results(conn)
            .await?;
    let jobs = gone.into_iter().map(|(key, of, by)| discard(key, of, by));
    for batch in jobs.collect::<Vec<_>>().chunks(BATCH) {
        enqueue(conn, batch).await?;
    }
    Ok(())
}

fn discard(storage_key: String, company: CompanyId, creator: UserId) -> NewJob {
    let job = NewJob::new(&DiscardFile {
        storage_key: storage_key.clone(),
    });
    job.of(company, creator.0).once(storage_key)
}
