//! Getting in: registration, credentials, passwords, and the record of every attempt.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    auth::SignInEventKind,
    page::{Limit, Page},
    users::{CompanyId, CompanyName, Email, PersonName, Role, UserId},
};

use crate::{
    Connection,
    schema::{companies, sign_in_events, users},
    users::{CreateError, NewUser, User},
};

/// A company to be, and its first admin.
#[derive(Debug)]
pub struct NewCompany {
    /// What the company is called.
    pub name: CompanyName,
    /// The admin's address.
    pub email: Email,
    /// The admin's name.
    pub admin: PersonName,
    /// The hash of the admin's password.
    pub password_hash: String,
}

/// What a sign-in is checked against.
#[derive(Debug)]
pub struct Credentials {
    /// Who has that address.
    pub user: User,
    /// The hash of their password, if they have chosen one.
    pub password_hash: Option<String>,
}

/// Something that happened at the door.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sign_in_events)]
pub struct NewSignInEvent {
    /// The company, when the address is known.
    pub company_id: Option<CompanyId>,
    /// Who, when the address is known.
    pub user_id: Option<UserId>,
    /// The address given.
    pub email: Email,
    /// What happened.
    pub kind: SignInEventKind,
    /// From which network address.
    pub ip: String,
    /// With which program.
    pub user_agent: String,
}

/// Something that happened at the door, as recorded.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sign_in_events)]
pub struct SignInEvent {
    /// Its number: later events have higher ones.
    pub id: i64,
    /// Who, when the address is known.
    pub user_id: Option<UserId>,
    /// The address given.
    pub email: Email,
    /// What happened.
    pub kind: SignInEventKind,
    /// From which network address.
    pub ip: String,
    /// With which program.
    pub user_agent: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Makes a company with its first admin.
pub async fn register(connection: &mut Connection, new: NewCompany) -> Result<User, CreateError> {
    connection
        .transaction(async |connection| {
            let company = CompanyId::new();
            diesel::insert_into(companies::table)
                .values((companies::id.eq(company), companies::name.eq(new.name)))
                .execute(connection)
                .await?;
            let admin = NewUser {
                email: new.email,
                name: new.admin,
                role: Role::Admin,
                password_hash: Some(new.password_hash),
            };
            let admin = crate::users::insert(connection, company, UserId::new(), admin).await?;
            crate::workflows::builtin::give(connection, company).await?;
            Ok(admin)
        })
        .await
}

/// Who has this address, and the hash of their password.
pub async fn credentials(
    connection: &mut Connection,
    email: &Email,
) -> QueryResult<Option<Credentials>> {
    let found = users::table
        .filter(users::email.eq(email))
        .select((User::as_select(), users::password_hash))
        .first(connection)
        .await
        .optional()?;
    Ok(found.map(|(user, password_hash)| Credentials {
        user,
        password_hash,
    }))
}

/// A person whose id was proven.
pub async fn user(connection: &mut Connection, id: UserId) -> QueryResult<Option<User>> {
    users::table
        .find(id)
        .select(User::as_select())
        .first(connection)
        .await
        .optional()
}

/// Sets a password, and ends all sessions by raising the epoch.
pub async fn set_password(
    connection: &mut Connection,
    company: CompanyId,
    id: UserId,
    password_hash: String,
) -> QueryResult<User> {
    diesel::update(users::table.find(id).filter(users::company_id.eq(company)))
        .set((
            users::password_hash.eq(password_hash),
            users::token_epoch.eq(users::token_epoch + 1),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .await
}

/// Ends all sessions and access tokens of a person by raising the epoch.
pub async fn end_sessions(
    connection: &mut Connection,
    company: CompanyId,
    id: UserId,
) -> QueryResult<User> {
    diesel::update(users::table.find(id).filter(users::company_id.eq(company)))
        .set(users::token_epoch.eq(users::token_epoch + 1))
        .returning(User::as_returning())
        .get_result(connection)
        .await
}

/// Records what happened at the door.
pub async fn record(connection: &mut Connection, event: NewSignInEvent) -> QueryResult<()> {
    diesel::insert_into(sign_in_events::table)
        .values(event)
        .execute(connection)
        .await?;
    Ok(())
}

/// What happened at the door of a company, or of one person in it, newest first. Attempts on
/// unknown addresses belong to no company and are listed nowhere.
pub async fn events(
    connection: &mut Connection,
    company: CompanyId,
    user: Option<UserId>,
    before: Option<i64>,
    limit: Limit,
) -> QueryResult<Page<SignInEvent, i64>> {
    let mut query = sign_in_events::table
        .filter(sign_in_events::company_id.eq(company))
        .order(sign_in_events::id.desc())
        .limit(limit.rows() + 1)
        .select(SignInEvent::as_select())
        .into_boxed();
    if let Some(user) = user {
        query = query.filter(sign_in_events::user_id.eq(user));
    }
    if let Some(id) = before {
        query = query.filter(sign_in_events::id.lt(id));
    }
    let rows = query.load(connection).await?;
    Ok(Page::from_surplus(rows, limit, |event| event.id))
}
