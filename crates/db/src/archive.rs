//! Moving what somebody may see from one installation to another: out, as it was at one moment, and
//! in, whole or not at all. Each area has a file of its own, `<area>/archive.rs`, with the rows of
//! its lines; here is what they have in common, and their order.

mod export;
mod ids;
mod import;
mod report;

use chrono::{DateTime, Utc};
use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, ValuePointerRef, take_cf_content};
use diesel::{
    deserialize::{FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    serialize::{Output, ToSql},
    sql_types::Timestamptz,
};
use domain::users::{Email, PersonName, UserId};
use serde::Serialize;

use crate::schema::users;
pub use export::{Out, Part, StoredFile, export};
pub use ids::{Held, derived};
pub(crate) use ids::{free_ids, now_at_most};
pub use import::{Bundle, Import, import};
pub use report::{Dropped, Outcome, Report, RowFault, RowReport};

/// Rows that are read at once: of the largest some 60 MB.
pub(crate) const ROWS: i64 = 50;

/// The highest number that a row may bring along: numbering goes on from there.
pub const HIGHEST_NUMBER: i32 = 1_000_000;

/// A time in an archive, from 1970: Postgres has none long before our era.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, AsExpression, FromSqlRow,
)]
#[diesel(sql_type = Timestamptz)]
#[serde(transparent)]
pub struct At(pub DateTime<Utc>);

impl FromSql<Timestamptz, Pg> for At {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<Self> {
        <DateTime<Utc> as FromSql<Timestamptz, Pg>>::from_sql(value).map(Self)
    }
}

impl ToSql<Timestamptz, Pg> for At {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        <DateTime<Utc> as ToSql<Timestamptz, Pg>>::to_sql(&self.0, out)
    }
}

impl<E: DeserializeError> Deserr<E> for At {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let text = String::deserialize_from_value(value, location)?;
        let at = DateTime::parse_from_rfc3339(&text).ok();
        let at = at.map(|at| at.with_timezone(&Utc));
        at.filter(|at| *at >= DateTime::UNIX_EPOCH)
            .map(Self)
            .ok_or_else(|| {
                let msg = "must be a time from 1970, as RFC 3339 writes it".to_owned();
                let kind = ErrorKind::Unexpected { msg };
                take_cf_content(E::error::<V>(None, kind, location))
            })
    }
}

/// A line of `people.jsonl`: somebody whom another line names by their id.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = users)]
pub struct ArchivedPerson {
    /// Their id.
    pub id: UserId,
    /// By which they are known elsewhere.
    pub email: Email,
    /// What they are called.
    pub name: PersonName,
}
