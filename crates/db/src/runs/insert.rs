//! The rows of a run that is started, within the transaction of its start.

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{auth::Viewer, runs::RunId};

use super::start::{NewRun, Rows, Source};
use crate::{
    Connection,
    models::Model,
    prepared::Prepare,
    prompts::{Stored, versions::PromptVersion},
    schema::{run_columns, runs},
};

/// The run, its first event and its columns.
#[expect(clippy::too_many_arguments, reason = "everything that the row names")]
pub async fn run(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewRun,
    id: RunId,
    source: &Source,
    grader: Option<&(&Stored, PromptVersion)>,
    rows: Option<&Rows>,
    count: i32,
) -> QueryResult<()> {
    let small = |n: u16| i16::try_from(n).unwrap_or(i16::MAX);
    let models = i32::try_from(new.columns()).unwrap_or(i32::MAX);
    let cells = count
        .saturating_mul(models)
        .saturating_mul(new.repeats.into());
    diesel::insert_into(runs::table)
        .values((
            (
                runs::id.eq(id),
                runs::company_id.eq(viewer.company_id),
                runs::owner_id.eq(viewer.user_id),
                runs::visibility.eq(new.visibility),
                runs::prompt_id.eq(source.prompt.map(|(id, _)| id)),
                runs::prompt_version_id.eq(source.prompt.map(|(_, version)| version)),
                runs::prompt_title.eq(&source.title),
                runs::version_label.eq(&source.label),
            ),
            (
                runs::grader_prompt_id.eq(grader.map(|(grader, _)| grader.prompt.id)),
                runs::grader_version_id.eq(grader.map(|(_, version)| version.id)),
                runs::grader_model_id.eq(new.grader_model.as_ref().map(|model| model.id)),
                runs::dataset_id.eq(new.dataset_id),
                runs::dataset_version.eq(rows.map(|rows| rows.version)),
                runs::plan.eq(&new.plan),
                runs::workflow_id.eq(source.workflow.map(|(id, _)| id)),
                runs::workflow_version_id.eq(source.workflow.map(|(_, version)| version)),
            ),
            (
                runs::row_count.eq(count),
                runs::repeats.eq(small(new.repeats)),
                runs::concurrency.eq(small(new.concurrency)),
                runs::budget.eq(new.budget),
                runs::cell_count.eq(cells),
                runs::open_cells.eq(cells),
                runs::last_event.eq(1_i64),
            ),
        ))
        .execute(conn)
        .await?;
    diesel::sql_query("INSERT INTO run_events (run_id, number, kind) VALUES ($1, 1, 'queued')")
        .bind::<sql_types::Uuid, _>(id)
        .execute(conn)
        .await?;
    columns(conn, new, id, count).await
}

async fn columns(conn: &mut Connection, new: &NewRun, id: RunId, count: i32) -> QueryResult<()> {
    let queued = count.saturating_mul(new.repeats.into());
    let models = new.models.iter().map(Some);
    // Of a workflow whose tasks name their models there is one column without any.
    let models = models.chain(new.models.is_empty().then_some(None));
    let columns: Vec<_> = (0..)
        .zip(models)
        .map(|(index, model): (i16, Option<&Model>)| {
            let name = model.map_or_else(
                || "workflow".to_owned(),
                |model| format!("{}/{}", model.provider, model.name),
            );
            (
                run_columns::run_id.eq(id),
                run_columns::column_index.eq(index),
                run_columns::model_id.eq(model.map(|model| model.id)),
                run_columns::model_name.eq(name),
                run_columns::queued.eq(queued),
            )
        })
        .collect();
    diesel::insert_into(run_columns::table)
        .values(columns)
        .execute(conn)
        .await?;
    Ok(())
}

/// Its cells: each row with each model, as often as it is repeated.
pub async fn cells(
    conn: &mut Connection,
    new: &NewRun,
    id: RunId,
    rows: Option<&Rows>,
    count: i32,
) -> QueryResult<()> {
    diesel::sql_query(include_str!("insert_cells.sql"))
        .bind::<sql_types::Uuid, _>(id)
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(new.dataset_id)
        .bind::<sql_types::Nullable<sql_types::Integer>, _>(rows.map(|rows| rows.version))
        .bind::<sql_types::Integer, _>(count)
        .bind::<sql_types::Integer, _>(i32::try_from(new.columns()).unwrap_or(i32::MAX))
        .bind::<sql_types::Integer, _>(i32::from(new.repeats))
        .prepared()
        .execute(conn)
        .await
        .map(|_| ())
}
