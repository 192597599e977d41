//! Rows that an installation starts with: the models everybody knows, the one user of an installation without sign-in, and
//! example data for development. Everything has a fixed id and is added only where it is missing,
//! so that applying twice changes nothing.

pub mod models;
mod prompts;
mod requests;

use diesel::{dsl::count_star, prelude::*};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::users::{CompanyId, Role, UserId};
use uuid::Uuid;

use crate::{
    Connection,
    schema::{companies, users},
};

/// The company of an installation without sign-in.
pub const LOCAL_COMPANY: CompanyId = CompanyId(fixed(1));

/// The one user of an installation without sign-in.
pub const LOCAL_USER: UserId = UserId(fixed(2));

/// The company of the example data.
pub const EXAMPLE_COMPANY: CompanyId = CompanyId(fixed(16));

/// The people of the example data: one of each role.
const EXAMPLE_USERS: [Person; 4] = [
    Person(
        UserId(fixed(17)),
        "admin@example.com",
        "Ada Admin",
        Role::Admin,
    ),
    Person(
        UserId(fixed(18)),
        "lead@example.com",
        "Leo Lead",
        Role::Lead,
    ),
    Person(
        UserId(fixed(19)),
        "developer@example.com",
        "Dora Developer",
        Role::Developer,
    ),
    Person(
        UserId(fixed(20)),
        "requester@example.com",
        "Rob Requester",
        Role::Requester,
    ),
];

/// A fixed id that looks like one made in the first moment of 2024.
const fn fixed(number: u128) -> Uuid {
    Uuid::from_u128((0x018c_c251_f400_7000_8000 << 48) + number)
}

/// A person to be there: id, address, name, role.
struct Person(UserId, &'static str, &'static str, Role);

/// Adds the example data that is missing, all people with this password's hash, and names what was
/// added. For development only: everybody knows the addresses.
pub async fn apply(connection: &mut Connection, password_hash: &str) -> QueryResult<Vec<String>> {
    connection
        .transaction(async |connection| {
            let mut added = example_accounts(connection, password_hash).await?;
            added.extend(prompts::examples(connection).await?);
            added.extend(requests::examples(connection).await?);
            Ok(added)
        })
        .await
}

/// Companies besides the example and the local one: where there are any, this is no database to
/// develop on.
pub async fn foreign_companies(connection: &mut Connection) -> QueryResult<i64> {
    companies::table
        .filter(companies::id.ne_all([EXAMPLE_COMPANY, LOCAL_COMPANY]))
        .select(count_star())
        .first(connection)
        .await
}

/// Makes sure that the one user of an installation without sign-in exists.
pub async fn apply_local(connection: &mut Connection) -> QueryResult<()> {
    let local = Person(LOCAL_USER, "local@localhost", "Local user", Role::Admin);
    connection
        .transaction(async |connection| {
            add_company(connection, LOCAL_COMPANY, "Local").await?;
            add_user(connection, LOCAL_COMPANY, &local, None).await?;
            Ok(())
        })
        .await
}

async fn example_accounts(
    connection: &mut Connection,
    password_hash: &str,
) -> QueryResult<Vec<String>> {
    let mut added = Vec::new();
    if add_company(connection, EXAMPLE_COMPANY, "Example Company").await? {
        added.push("company Example Company".to_owned());
    }
    for person in &EXAMPLE_USERS {
        if add_user(connection, EXAMPLE_COMPANY, person, Some(password_hash)).await? {
            added.push(format!("user {} ({})", person.1, person.3));
        }
    }
    Ok(added)
}

async fn add_company(connection: &mut Connection, id: CompanyId, name: &str) -> QueryResult<bool> {
    let added = diesel::insert_into(companies::table)
        .values((companies::id.eq(id), companies::name.eq(name)))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    Ok(added > 0)
}

async fn add_user(
    connection: &mut Connection,
    company: CompanyId,
    Person(id, email, name, role): &Person,
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
