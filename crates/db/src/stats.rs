//! Numbers of a company over time. Generations are written one by one and added up by [`fold`] in the
//! background; whoever reads takes the sums as far as they go and the events since. So no two
//! generations wait for each other over a counter, and no reader adds up a million events.

use chrono::{DateTime, Utc};
use diesel::{pg::Pg, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    models::Usd,
    stats::{Dimension, Interval, Period},
    users::CompanyId,
};
use uuid::Uuid;

use crate::{Connection, prepared::Prepare as _};

/// Events that one transaction adds up.
const BATCH: i64 = 20_000;

/// The days that are counted, and how finely: by whole months as far as may be.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    period: Period,
    interval: Interval,
}

impl Span {
    /// These days, told apart by this much at most.
    pub fn new(period: Period, interval: Interval) -> Self {
        Self { period, interval }
    }

    /// What `counted.sql` asks for.
    fn counted(self, statement: &str, company: CompanyId, by: &str) -> BoxedSqlQuery {
        let (start, end) = (self.period.start(), self.period.end());
        let (months, over) = match self.interval {
            Interval::Month => self.period.whole_months(),
            Interval::Hour | Interval::Day | Interval::Week => (start, start),
        };
        let grain = match self.interval {
            Interval::Hour => Interval::Hour,
            Interval::Day | Interval::Week | Interval::Month => Interval::Day,
        };
        diesel::sql_query(statement)
            .into_boxed()
            .bind::<sql_types::Uuid, _>(company)
            .bind::<sql_types::Timestamptz, _>(start)
            .bind::<sql_types::Timestamptz, _>(end)
            .bind::<sql_types::Text, _>(by.to_owned())
            .bind::<sql_types::Timestamptz, _>(months)
            .bind::<sql_types::Timestamptz, _>(over)
            .bind::<sql_types::Text, _>(grain)
    }
}

/// A statement whose binds are of no type that has a name.
type BoxedSqlQuery =
    diesel::query_builder::BoxedSqlQuery<'static, Pg, diesel::query_builder::SqlQuery>;

/// What was generated in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Generated {
    /// Its beginning.
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub at: DateTime<Utc>,
    /// Prompts.
    #[diesel(sql_type = sql_types::BigInt)]
    pub prompts: i64,
    /// Their tokens.
    #[diesel(sql_type = sql_types::BigInt)]
    pub tokens: i64,
}

/// What was generated in a stretch of time, and numbers of whom.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct GeneratedOf {
    /// The person, template or tracker.
    #[diesel(sql_type = sql_types::Uuid)]
    pub key: Uuid,
    /// How much.
    #[diesel(embed)]
    pub generated: Generated,
}

/// How much of a period is one person's, template's or tracker's.
#[derive(Debug, Clone, QueryableByName)]
pub struct Share {
    /// Whose.
    #[diesel(sql_type = sql_types::Uuid)]
    pub key: Uuid,
    /// What they are called, if they are still there.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub name: Option<String>,
    /// Prompts.
    #[diesel(sql_type = sql_types::BigInt)]
    pub prompts: i64,
    /// Their tokens.
    #[diesel(sql_type = sql_types::BigInt)]
    pub tokens: i64,
}

/// What was done in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Done {
    /// What was generated, and when the stretch begins.
    #[diesel(embed)]
    pub generated: Generated,
    /// Runs that were started.
    #[diesel(sql_type = sql_types::BigInt)]
    pub runs: i64,
    /// Their cells.
    #[diesel(sql_type = sql_types::BigInt)]
    pub cells: i64,
    /// What they cost so far.
    #[diesel(sql_type = sql_types::Numeric)]
    pub cost: Usd,
    /// Outputs that were kept.
    #[diesel(sql_type = sql_types::BigInt)]
    pub outputs: i64,
}

/// What was done, by stretches of time; those without anything are left out.
pub async fn done(conn: &mut Connection, company: CompanyId, span: Span) -> QueryResult<Vec<Done>> {
    let statement = concat!(
        include_str!("stats/counted.sql"),
        include_str!("stats/series.sql")
    );
    span.counted(statement, company, "company")
        .bind::<sql_types::Text, _>(span.interval)
        .prepared()
        .load(conn)
        .await
}

/// Who has the most.
pub async fn shares(
    conn: &mut Connection,
    company: CompanyId,
    span: Span,
    by: Dimension,
    most: i64,
) -> QueryResult<Vec<Share>> {
    let statement = concat!(
        include_str!("stats/counted.sql"),
        include_str!("stats/shares.sql")
    );
    span.counted(statement, company, by.as_str())
        .bind::<sql_types::BigInt, _>(most)
        .prepared()
        .load(conn)
        .await
}

/// What these generated, by stretches of a day or more.
pub async fn generated_of(
    conn: &mut Connection,
    company: CompanyId,
    span: Span,
    (by, keys): (Dimension, Vec<Uuid>),
) -> QueryResult<Vec<GeneratedOf>> {
    let statement = concat!(
        include_str!("stats/counted.sql"),
        include_str!("stats/series_of.sql")
    );
    span.counted(statement, company, by.as_str())
        .bind::<sql_types::Text, _>(span.interval)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(keys)
        .prepared()
        .load(conn)
        .await
}

#[derive(QueryableByName)]
struct Reach {
    #[diesel(sql_type = sql_types::Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    until: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Bool)]
    is_more: bool,
}

/// Adds up the next events of all companies; says whether there may be more.
pub async fn fold(conn: &mut Connection) -> QueryResult<bool> {
    conn.transaction(async |conn| {
        let reach: Reach = diesel::sql_query(include_str!("stats/until.sql"))
            .bind::<sql_types::BigInt, _>(BATCH)
            .prepared()
            .get_result(conn)
            .await?;
        diesel::sql_query(include_str!("stats/fold.sql"))
            .bind::<sql_types::Timestamptz, _>(reach.since)
            .bind::<sql_types::Timestamptz, _>(reach.until)
            .prepared()
            .execute(conn)
            .await?;
        Ok(reach.is_more)
    })
    .await
}
