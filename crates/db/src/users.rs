//! People and their companies. Every function names the company, except where an e-mail address
//! or an id that was proven alone says who somebody is.

mod update;

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::RunQueryDsl;
use domain::{
    audit::Actor,
    page::{Limit, Page},
    users::{CompanyId, Email, PersonName, Role, UserId},
};
use serde::{Deserialize, Serialize};

use crate::{Connection, schema::users};
pub use update::{UpdateError, UserChanges, update};

/// A person, without the password.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// Which.
    pub id: UserId,
    /// Of which company.
    pub company_id: CompanyId,
    /// The address they sign in with.
    pub email: Email,
    /// What they are called.
    pub name: PersonName,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in at all.
    pub is_active: bool,
    /// Access tokens and sessions of an older epoch are refused.
    pub token_epoch: i32,
    /// When they came to be.
    pub created_at: DateTime<Utc>,
    /// When something of them changed last.
    pub updated_at: DateTime<Utc>,
}

/// What has to be known of somebody at every request, small enough to be cached.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = users)]
pub struct Profile {
    /// Of which company.
    pub company_id: CompanyId,
    /// What they may do.
    pub role: Role,
    /// Whether they may do anything.
    pub is_active: bool,
    /// The epoch that an access token has to be of.
    pub token_epoch: i32,
}

/// A person to be added to a company.
#[derive(Debug)]
pub struct NewUser {
    /// The address they will sign in with.
    pub email: Email,
    /// What they are called.
    pub name: PersonName,
    /// What they may do.
    pub role: Role,
    /// The password's hash; none until they choose one.
    pub password_hash: Option<String>,
}

/// Why a person was not added.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Somebody has that address already, in this company or another.
    #[error("the address is taken")]
    EmailTaken,
    /// Postgres.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for CreateError {
    fn from(cause: DieselError) -> Self {
        match &cause {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, report)
                if report.constraint_name() == Some("users_email_key") =>
            {
                Self::EmailTaken
            }
            _ => Self::Database(cause),
        }
    }
}

/// What a request has to know of its caller; `None` if there is nobody of that id.
pub async fn profile(connection: &mut Connection, id: UserId) -> QueryResult<Option<Profile>> {
    users::table
        .find(id)
        .select(Profile::as_select())
        .first(connection)
        .await
        .optional()
}

/// A person of this company.
pub async fn find(
    connection: &mut Connection,
    company: CompanyId,
    id: UserId,
) -> QueryResult<Option<User>> {
    users::table
        .find(id)
        .filter(users::company_id.eq(company))
        .select(User::as_select())
        .first(connection)
        .await
        .optional()
}

/// Which people a list is to hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those of this role.
    pub role: Option<Role>,
    /// Also those who may no longer sign in.
    pub with_inactive: bool,
}

/// People of a company by name.
pub async fn list(
    connection: &mut Connection,
    company: CompanyId,
    filter: Filter,
    after: Option<(PersonName, UserId)>,
    limit: Limit,
) -> QueryResult<Page<User, (PersonName, UserId)>> {
    let mut query = users::table
        .filter(users::company_id.eq(company))
        .order((users::name, users::id))
        .limit(limit.rows() + 1)
        .select(User::as_select())
        .into_boxed();
    if let Some(role) = filter.role {
        query = query.filter(users::role.eq(role));
    }
    if !filter.with_inactive {
        query = query.filter(users::is_active);
    }
    if let Some((name, id)) = after {
        let later = users::name
            .gt(name.clone())
            .or(users::name.eq(name).and(users::id.gt(id)));
        query = query.filter(later);
    }
    let rows = query.load(connection).await?;
    Ok(Page::from_surplus(rows, limit, |user| {
        (user.name.clone(), user.id)
    }))
}

/// Adds a person to the actor's company.
pub async fn create(
    connection: &mut Connection,
    new: NewUser,
    actor: &Actor,
) -> Result<User, CreateError> {
    insert(connection, actor.company_id, UserId::new(), new).await
}

pub(crate) async fn insert(
    connection: &mut Connection,
    company: CompanyId,
    id: UserId,
    new: NewUser,
) -> Result<User, CreateError> {
    Ok(diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::company_id.eq(company),
            users::email.eq(new.email),
            users::name.eq(new.name),
            users::role.eq(new.role),
            users::password_hash.eq(new.password_hash),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .await?)
}
