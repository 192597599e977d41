//! Invitations: how people join a company. A token is good once and for a while; only its hash is
//! kept.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*, result::Error as DieselError};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    audit::Actor,
    page::{Limit, Page},
    users::{CompanyId, Email, InvitationId, PersonName, Role, UserId},
};
use serde::Serialize;

use crate::{
    Connection,
    schema::{invitations, users},
    users::{CreateError, NewUser, User},
};

/// An invitation, without its token.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = invitations)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// Who is invited.
    pub email: Email,
    /// As what.
    pub role: Role,
    /// Who invited them.
    pub invited_by: UserId,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An invitation to be made.
#[derive(Debug)]
pub struct NewInvitation {
    /// Who is invited.
    pub email: Email,
    /// As what.
    pub role: Role,
    /// The hash of the token.
    pub token_hash: [u8; 32],
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// Who accepts an invitation.
#[derive(Debug)]
pub struct Newcomer {
    /// What they are called.
    pub name: PersonName,
    /// The hash of the password they chose.
    pub password_hash: String,
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// No invitation has that token, or it was accepted, withdrawn, or has expired.
    #[error("there is no such invitation")]
    Unknown,
    /// Somebody has the invited address already.
    #[error("the address is taken")]
    EmailTaken,
    /// Postgres.
    #[error(transparent)]
    Database(#[from] DieselError),
}

impl From<CreateError> for AcceptError {
    fn from(cause: CreateError) -> Self {
        match cause {
            CreateError::EmailTaken => Self::EmailTaken,
            CreateError::Database(cause) => Self::Database(cause),
        }
    }
}

/// Invites somebody who is not in the company yet, or has no password yet.
pub async fn create(
    connection: &mut Connection,
    new: NewInvitation,
    actor: &Actor,
) -> Result<Invitation, CreateError> {
    let colleagues = users::table
        .filter(users::company_id.eq(actor.company_id))
        .filter(users::email.eq(&new.email))
        .filter(users::password_hash.is_not_null());
    if diesel::select(diesel::dsl::exists(colleagues))
        .get_result(connection)
        .await?
    {
        return Err(CreateError::EmailTaken);
    }
    Ok(insert(connection, new, actor).await?)
}

/// Adds a person without a password, and invites them to choose one.
pub async fn create_with_user(
    connection: &mut Connection,
    user: NewUser,
    invitation: NewInvitation,
    actor: &Actor,
) -> Result<User, CreateError> {
    connection
        .transaction(async |connection| {
            let user =
                crate::users::insert(connection, actor.company_id, UserId::new(), user).await?;
            insert(connection, invitation, actor).await?;
            Ok(user)
        })
        .await
}

async fn insert(
    connection: &mut Connection,
    new: NewInvitation,
    actor: &Actor,
) -> QueryResult<Invitation> {
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(InvitationId::new()),
            invitations::company_id.eq(actor.company_id),
            invitations::email.eq(new.email),
            invitations::role.eq(new.role),
            invitations::token_hash.eq(new.token_hash.to_vec()),
            invitations::invited_by.eq(actor.user_id.ok_or(DieselError::NotFound)?),
            invitations::expires_at.eq(new.expires_at),
        ))
        .returning(Invitation::as_returning())
        .get_result(connection)
        .await
}

/// A company's invitations, newest first; accepted and expired ones too.
pub async fn list(
    connection: &mut Connection,
    company: CompanyId,
    before: Option<InvitationId>,
    limit: Limit,
) -> QueryResult<Page<Invitation, InvitationId>> {
    let mut query = invitations::table
        .filter(invitations::company_id.eq(company))
        .order(invitations::id.desc())
        .limit(limit.rows() + 1)
        .select(Invitation::as_select())
        .into_boxed();
    if let Some(id) = before {
        query = query.filter(invitations::id.lt(id));
    }
    let rows = query.load(connection).await?;
    Ok(Page::from_surplus(rows, limit, |invitation| invitation.id))
}

/// Withdraws an invitation that was not accepted; says whether there was one.
pub async fn delete(
    connection: &mut Connection,
    id: InvitationId,
    actor: &Actor,
) -> QueryResult<bool> {
    let open = invitations::table
        .find(id)
        .filter(invitations::company_id.eq(actor.company_id))
        .filter(invitations::accepted_at.is_null());
    Ok(diesel::delete(open).execute(connection).await? > 0)
}

/// Accepts an invitation: the newcomer joins, or somebody whom an admin added without a password
/// gets the one they chose.
pub async fn accept(
    connection: &mut Connection,
    token_hash: &[u8; 32],
    newcomer: Newcomer,
) -> Result<User, AcceptError> {
    connection
        .transaction(async |connection| {
            let (company, email, role) = take(connection, token_hash).await?;
            let new = NewUser {
                email,
                name: newcomer.name,
                role,
                password_hash: Some(newcomer.password_hash),
            };
            if let Some(user) = complete(connection, company, &new).await? {
                return Ok(user);
            }
            Ok(crate::users::insert(connection, company, UserId::new(), new).await?)
        })
        .await
}

/// Marks the invitation as accepted. Of two that accept it at once, the second finds none.
async fn take(
    connection: &mut Connection,
    token_hash: &[u8; 32],
) -> Result<(CompanyId, Email, Role), AcceptError> {
    let open = invitations::table
        .filter(invitations::token_hash.eq(token_hash.as_slice()))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::expires_at.gt(now));
    diesel::update(open)
        .set(invitations::accepted_at.eq(now))
        .returning((
            invitations::company_id,
            invitations::email,
            invitations::role,
        ))
        .get_result(connection)
        .await
        .optional()?
        .ok_or(AcceptError::Unknown)
}

/// Gives an account without a password what its owner chose.
async fn complete(
    connection: &mut Connection,
    company: CompanyId,
    new: &NewUser,
) -> QueryResult<Option<User>> {
    let waiting = users::table
        .filter(users::company_id.eq(company))
        .filter(users::email.eq(&new.email))
        .filter(users::password_hash.is_null())
        .filter(users::is_active);
    diesel::update(waiting)
        .set((
            users::name.eq(&new.name),
            users::password_hash.eq(&new.password_hash),
        ))
        .returning(User::as_returning())
        .get_result(connection)
        .await
        .optional()
}

/// What an invitation says to whoever holds its token, as long as it can be accepted.
pub async fn find_open(
    connection: &mut Connection,
    token_hash: &[u8; 32],
) -> QueryResult<Option<Invitation>> {
    invitations::table
        .filter(invitations::token_hash.eq(token_hash.as_slice()))
        .filter(invitations::accepted_at.is_null())
        .filter(invitations::expires_at.gt(now))
        .select(Invitation::as_select())
        .first(connection)
        .await
        .optional()
}
