//! A grade as a JSON number and as a Postgres `integer` of millionths.

use diesel::{
    deserialize::{self, FromSql},
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Integer,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Grade;

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.share())
    }
}

impl<'de> Deserialize<'de> for Grade {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(from)?;
        Self::from_share(share).ok_or_else(|| D::Error::custom("a grade is a number from 0 to 1"))
    }
}

impl ToSql<Integer, Pg> for Grade {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let millionths = i32::try_from(self.millionths())?;
        ToSql::<Integer, Pg>::to_sql(&millionths, &mut out.reborrow())
    }
}

impl FromSql<Integer, Pg> for Grade {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let millionths = <i32 as FromSql<Integer, Pg>>::from_sql(value)?;
        let grade = u32::try_from(millionths)
            .ok()
            .and_then(Self::from_millionths);
        grade.ok_or_else(|| format!("{millionths} millionths are no grade").into())
    }
}
