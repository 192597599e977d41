//! What can be followed, and how its events are read and written.

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use db::{
    Connection,
    runs::{self, events::Reach},
    workflows,
};
use diesel::QueryResult;
use domain::{
    auth::Viewer,
    runs::{CellId, RunId},
    workflows::{ExecutionId, task::TaskId},
};
use serde::Serialize;
use uuid::Uuid;

/// What can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A run.
    Run(RunId),
    /// An execution of a workflow.
    Execution(ExecutionId),
}

/// An event as it is sent, with its number.
pub type Written = (i64, Bytes);

impl Subject {
    /// Its id, whatever it is.
    pub fn id(self) -> Uuid {
        match self {
            Self::Run(id) => id.0,
            Self::Execution(id) => id.0,
        }
    }

    /// How far it has come; `None` if it is gone.
    pub async fn reach(self, conn: &mut Connection) -> QueryResult<Option<Reach>> {
        match self {
            Self::Run(id) => runs::events::reach(conn, id).await,
            Self::Execution(id) => workflows::events::reach(conn, id).await,
        }
    }

    /// Up to `limit` of its events after this number.
    pub async fn after(
        self,
        conn: &mut Connection,
        number: i64,
        limit: i64,
    ) -> QueryResult<Vec<Written>> {
        Ok(match self {
            Self::Run(id) => {
                let found = runs::events::after(conn, id, number, limit).await?;
                found.iter().map(of_run).collect()
            }
            Self::Execution(id) => {
                let found = workflows::events::after(conn, id, number, limit).await?;
                found.iter().map(of_execution).collect()
            }
        })
    }

    /// Whether the viewer may still see it.
    pub async fn is_open_to(self, conn: &mut Connection, viewer: &Viewer) -> QueryResult<bool> {
        match self {
            Self::Run(id) => runs::events::is_open_to(conn, viewer, id).await,
            Self::Execution(id) => workflows::events::is_open_to(conn, viewer, id).await,
        }
    }
}

/// What an event of a run says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunData<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell_id: Option<CellId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_index: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column_index: Option<i16>,
    at: DateTime<Utc>,
}

fn of_run(event: &runs::events::Event) -> Written {
    let data = RunData {
        kind: &event.kind,
        cell_id: event.cell_id,
        row_index: event.row_index,
        column_index: event.column_index,
        at: event.at,
    };
    (event.number, written(event.number, &data))
}

/// What an event of an execution says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionData<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<&'a TaskId>,
    at: DateTime<Utc>,
}

fn of_execution(event: &workflows::events::Event) -> Written {
    let data = ExecutionData {
        kind: &event.kind,
        task_id: event.task_id.as_ref(),
        at: event.at,
    };
    (event.number, written(event.number, &data))
}

/// An event as it is sent: JSON is one line.
fn written(number: i64, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("id: {number}\ndata: {data}\n\n").into()
}
