//! The wire form of Postgres' `tsvector`: the number of words as a big-endian `u32`, then each word
//! with a zero behind it, the number of its places as `u16`, and the places as `u16`. Words must
//! come in the order of their bytes, or Postgres sorts them again.

use std::io::Write;

use diesel::{
    expression::AsExpression,
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
};
use domain::documents::terms::Lexemes;

use crate::schema::sql_types::Tsvector;

/// The words of a passage, to be stored.
#[derive(Debug, Clone, AsExpression)]
#[diesel(sql_type = Tsvector)]
pub struct Terms(pub Lexemes);

impl ToSql<Tsvector, Pg> for Terms {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let mut bytes = vec![0; 4];
        let mut count: u32 = 0;
        for (word, places) in self.0.iter() {
            count += 1;
            bytes.extend_from_slice(word.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(&u16::try_from(places.len())?.to_be_bytes());
            for place in places {
                bytes.extend_from_slice(&place.to_be_bytes());
            }
        }
        bytes[..4].copy_from_slice(&count.to_be_bytes());
        out.write_all(&bytes)?;
        Ok(IsNull::No)
    }
}
