//! The wire form of pgvector's `halfvec`: the number of dimensions and a zero as big-endian `u16`,
//! then each component as a big-endian half-precision float. The `pgvector` crate's own codec for
//! diesel would bring libpq along.

use std::io::Write;

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
};
use pgvector::HalfVector;

use crate::schema::sql_types::Halfvec;

/// A stored vector.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Halfvec)]
pub struct Embedding(pub HalfVector);

impl From<&[f32]> for Embedding {
    fn from(components: &[f32]) -> Self {
        Self(HalfVector::from_f32_slice(components))
    }
}

impl ToSql<Halfvec, Pg> for Embedding {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let components = self.0.as_slice();
        let mut bytes = Vec::with_capacity(4 + 2 * components.len());
        bytes.extend_from_slice(&u16::try_from(components.len())?.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        for component in components {
            bytes.extend_from_slice(&component.to_be_bytes());
        }
        out.write_all(&bytes)?;
        Ok(IsNull::No)
    }
}

impl FromSql<Halfvec, Pg> for Embedding {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bytes = value.as_bytes();
        let dimensions = u16::from_be_bytes(bytes.get(..2).ok_or("no dimensions")?.try_into()?);
        let components = bytes
            .get(4..4 + 2 * usize::from(dimensions))
            .ok_or("too short")?;
        Ok(Self(HalfVector::from(
            components
                .chunks_exact(2)
                .map(|pair| half::f16::from_be_bytes([pair[0], pair[1]]))
                .collect::<Vec<_>>(),
        )))
    }
}
