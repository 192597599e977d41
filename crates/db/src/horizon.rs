//! Up to where a list of changes is complete.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types::Timestamptz};
use diesel_async::RunQueryDsl;

use crate::Connection;

/// The moment before which all changes are there for the next statement to see. It is asked before that
/// statement, never within it: a change that commits between the statement's snapshot and the question
/// would be in neither, and whoever polls would go on behind it.
pub async fn horizon(conn: &mut Connection) -> QueryResult<DateTime<Utc>> {
    diesel::select(dsl::sql::<Timestamptz>("changes_horizon()"))
        .get_result(conn)
        .await
}
