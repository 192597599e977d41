//! Rows that an installation starts with.

use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::users::{CompanyId, Role, UserId};
use uuid::Uuid;

use crate::{
    Connection,
    schema::{companies, users},
};

/// The company of an installation without sign-in.
pub const LOCAL_COMPANY: CompanyId =
    CompanyId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));

/// The one user of an installation without sign-in.
pub const LOCAL_USER: UserId = UserId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002));

/// Makes sure that the one user of an installation without sign-in exists.
pub async fn apply_local(connection: &mut Connection) -> QueryResult<()> {
    connection
        .transaction(async |connection| {
            company(connection, LOCAL_COMPANY, "Local").await?;
            user(
                connection,
                LOCAL_COMPANY,
                (LOCAL_USER, "local@localhost", "Local user", Role::Admin),
                None,
            )
            .await?;
            Ok(())
        })
        .await
}

async fn company(connection: &mut Connection, id: CompanyId, name: &str) -> QueryResult<bool> {
    let added = diesel::insert_into(companies::table)
        .values((companies::id.eq(id), companies::name.eq(name)))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    Ok(added > 0)
}

async fn user(
    connection: &mut Connection,
    company: CompanyId,
    (id, email, name, role): (UserId, &str, &str, Role),
    password_hash: Option<&str>,
) -> QueryResult<bool> {
    let added = diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::company_id.eq(company),
            users::email.eq(email),
            users::name.eq(name),
            users::role.eq(role),
            users::password_hash.eq(password_hash),
        ))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    Ok(added > 0)
}
