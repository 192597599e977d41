//! The record of what happens at the door.

use db::{Connection, auth::NewSignInEvent, users::User};
use domain::{auth::SignInEventKind, users::Email};

use crate::{context::Client, error::ApiResult};

/// Records what somebody known did.
pub async fn record(
    connection: &mut Connection,
    kind: SignInEventKind,
    user: &User,
    client: &Client,
) -> ApiResult<()> {
    let whose = (Some(user.company_id), Some(user.id));
    write(connection, kind, whose, user.email.clone(), client).await
}

/// Records an attempt on an address, which may be nobody's.
pub async fn record_attempt(
    connection: &mut Connection,
    kind: SignInEventKind,
    user: Option<&User>,
    email: &Email,
    client: &Client,
) -> ApiResult<()> {
    let whose = (user.map(|user| user.company_id), user.map(|user| user.id));
    write(connection, kind, whose, email.clone(), client).await
}

async fn write(
    connection: &mut Connection,
    kind: SignInEventKind,
    (company_id, user_id): (
        Option<domain::users::CompanyId>,
        Option<domain::users::UserId>,
    ),
    email: Email,
    client: &Client,
) -> ApiResult<()> {
    let (ip, user_agent) = (client.ip.clone(), client.user_agent.clone());
    let event = NewSignInEvent {
        company_id,
        user_id,
        email,
        kind,
        ip,
        user_agent,
    };
    Ok(db::auth::record(connection, event).await?)
}
