//! Changing a person. A company keeps an active admin whatever happens at the same time, and who
//! is let go loses every session.

use diesel::{dsl::count_star, prelude::*, result::Error as DieselError};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    audit::Actor,
    revision::Expected,
    users::{CompanyId, PersonName, Role, UserId},
};

use super::User;
use crate::{
    Connection,
    schema::{companies, users},
};

/// What may be changed of a person; `None` leaves it.
#[derive(Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChanges {
    /// What they are called.
    pub name: Option<PersonName>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
}

impl UserChanges {
    fn is_empty(&self) -> bool {
        self.name.is_none() && !self.concerns_power()
    }

    fn concerns_power(&self) -> bool {
        self.role.is_some() || self.is_active.is_some()
    }
}

/// Why a person was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Nobody of that id in the company.
    #[error("there is no such user")]
    NotFound,
    /// The company would be left without an active admin.
    #[error("the last active admin has to stay one")]
    LastAdmin,
    /// They changed since the caller looked.
    #[error("changed in the meantime")]
    Stale,
    /// Postgres.
    #[error(transparent)]
    Database(#[from] DieselError),
}

/// Changes a person of the actor's company. Whoever loses the right to sign in loses all sessions
/// too: the epoch is raised.
pub async fn update(
    connection: &mut Connection,
    id: UserId,
    changes: UserChanges,
    expected: &Expected,
    actor: &Actor,
) -> Result<User, UpdateError> {
    let company = actor.company_id;
    connection
        .transaction(async |connection| {
            if changes.concerns_power() {
                lock_admins(connection, company).await?;
            }
            let user = users::table
                .find(id)
                .filter(users::company_id.eq(company))
                .select(User::as_select())
                .for_no_key_update()
                .first(connection)
                .await
                .optional()?
                .ok_or(UpdateError::NotFound)?;
            if !expected.accepts(user.updated_at) {
                return Err(UpdateError::Stale);
            }
            if changes.is_empty() {
                return Ok(user);
            }
            let leaves = changes.is_active == Some(false) && user.is_active;
            apply(connection, id, changes, leaves).await?;
            require_admin(connection, company).await?;
            Ok(users::table
                .find(id)
                .select(User::as_select())
                .first(connection)
                .await?)
        })
        .await
}

async fn apply(
    connection: &mut Connection,
    id: UserId,
    changes: UserChanges,
    leaves: bool,
) -> QueryResult<()> {
    let epochs = i32::from(leaves);
    diesel::update(users::table.find(id))
        .set((changes, users::token_epoch.eq(users::token_epoch + epochs)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes changes to the admins of one company take turns: of two that remove each other, the
/// second sees what the first did.
async fn lock_admins(connection: &mut Connection, company: CompanyId) -> QueryResult<()> {
    companies::table
        .find(company)
        .select(companies::id)
        .for_no_key_update()
        .first::<CompanyId>(connection)
        .await?;
    Ok(())
}

async fn require_admin(connection: &mut Connection, company: CompanyId) -> Result<(), UpdateError> {
    let admins: i64 = users::table
        .filter(users::company_id.eq(company))
        .filter(users::role.eq(Role::Admin))
        .filter(users::is_active)
        .select(count_star())
        .first(connection)
        .await?;
    if admins == 0 {
        Err(UpdateError::LastAdmin)
    } else {
        Ok(())
    }
}
