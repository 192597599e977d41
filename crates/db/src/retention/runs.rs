//! What belongs to a run or an execution, and is old once that has been over for long enough.

use std::ops::Range;

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{BATCH, Old, Pace};
use crate::{Connection, prepared::Prepare as _};

/// Runs that are looked at together.
const PAGE: i64 = 200;

/// Events of one kind of whole.
struct Story {
    settled: &'static str,
    first: &'static str,
    remove: &'static str,
}

const RUNS: Story = Story {
    settled: "SELECT id, last_event FROM runs
              WHERE company_id = $1 AND id > $2 AND finished_at < $3 ORDER BY id LIMIT $4",
    first: "SELECT min(number) AS first FROM run_events WHERE run_id = $1",
    remove: "DELETE FROM run_events WHERE run_id = $1 AND number >= $2 AND number < $3",
};

const EXECUTIONS: Story = Story {
    settled: "SELECT id, last_event FROM executions
              WHERE company_id = $1 AND id > $2 AND finished_at < $3 ORDER BY id LIMIT $4",
    first: "SELECT min(number) AS first FROM execution_events WHERE execution_id = $1",
    remove: "DELETE FROM execution_events WHERE execution_id = $1 AND number >= $2 AND number < $3",
};

#[derive(QueryableByName)]
struct Settled {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
    #[diesel(sql_type = sql_types::BigInt)]
    last_event: i64,
}

#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    first: Option<i64>,
}

#[derive(QueryableByName)]
struct Attempt {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

/// Removes the events of runs. Says how many.
pub async fn run_events(
    conn: &mut Connection,
    old: Old,
    pace: &mut impl Pace,
) -> QueryResult<usize> {
    events(conn, &RUNS, old, pace).await
}

/// Removes the events of executions of workflows. Says how many.
pub async fn execution_events(
    conn: &mut Connection,
    old: Old,
    pace: &mut impl Pace,
) -> QueryResult<usize> {
    events(conn, &EXECUTIONS, old, pace).await
}

async fn events(
    conn: &mut Connection,
    story: &Story,
    old: Old,
    pace: &mut impl Pace,
) -> QueryResult<usize> {
    let (mut after, mut removed) = (Uuid::nil(), 0);
    loop {
        let some = settled(conn, story, old, after).await?;
        let Some(last) = some.last() else {
            return Ok(removed);
        };
        after = last.id;
        for whole in some {
            let first: First = diesel::sql_query(story.first)
                .bind::<sql_types::Uuid, _>(whole.id)
                .prepared()
                .get_result(conn)
                .await?;
            let mut number = first.first.unwrap_or(i64::MAX);
            while number <= whole.last_event {
                let next = number + i64::from(BATCH);
                removed += remove(conn, story, whole.id, number..next).await?;
                number = next;
                if !pace.goes_on().await {
                    return Ok(removed);
                }
            }
        }
    }
}

async fn settled(
    conn: &mut Connection,
    story: &Story,
    old: Old,
    after: Uuid,
) -> QueryResult<Vec<Settled>> {
    diesel::sql_query(story.settled)
        .bind::<sql_types::Uuid, _>(old.company)
        .bind::<sql_types::Uuid, _>(after)
        .bind::<sql_types::Timestamptz, _>(old.before)
        .bind::<sql_types::BigInt, _>(PAGE)
        .prepared()
        .load(conn)
        .await
}

async fn remove(
    conn: &mut Connection,
    story: &Story,
    of: Uuid,
    numbers: Range<i64>,
) -> QueryResult<usize> {
    diesel::sql_query(story.remove)
        .bind::<sql_types::Uuid, _>(of)
        .bind::<sql_types::BigInt, _>(numbers.start)
        .bind::<sql_types::BigInt, _>(numbers.end)
        .prepared()
        .execute(conn)
        .await
}

/// Removes the single calls of runs: what they cost stays with cells and runs. Says how many.
pub async fn attempts(conn: &mut Connection, old: Old, pace: &mut impl Pace) -> QueryResult<usize> {
    let (mut after, mut removed) = (Uuid::nil(), 0);
    loop {
        let some = settled(conn, &RUNS, old, after).await?;
        let Some(last) = some.last() else {
            return Ok(removed);
        };
        after = last.id;
        for run in some {
            for batch in attempts_of(conn, run.id).await?.chunks(usize::from(BATCH)) {
                removed += diesel::sql_query("DELETE FROM attempts WHERE id = ANY ($1)")
                    .bind::<sql_types::Array<sql_types::Uuid>, _>(batch)
                    .prepared()
                    .execute(conn)
                    .await?;
                if !pace.goes_on().await {
                    return Ok(removed);
                }
            }
        }
    }
}

async fn attempts_of(conn: &mut Connection, run: Uuid) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Attempt> = diesel::sql_query("SELECT id FROM attempts WHERE run_id = $1")
        .bind::<sql_types::Uuid, _>(run)
        .prepared()
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
