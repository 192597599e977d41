//! The record of what happens at the door: written at every attempt, read by its owner and by the
//! admins of the company.

use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{DateTime, Utc};
use db::{
    Connection,
    auth::{NewSignInEvent, SignInEvent},
    users::User,
};
use deserr::Deserr;
use domain::{
    auth::SignInEventKind,
    page::{Limit, Page},
    users::{CompanyId, Email, UserId},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Access, Admin, Client, Context, Person},
    error::ApiResult,
    extract::{Faults, Query},
    page::Listing,
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_own).service(list);
}

/// Something that happened at the door.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignInEventView {
    /// Later events have higher numbers.
    id: i64,
    user_id: Option<UserId>,
    /// The address given.
    email: Email,
    kind: SignInEventKind,
    ip: String,
    user_agent: String,
    created_at: DateTime<Utc>,
}

impl From<SignInEvent> for SignInEventView {
    fn from(event: SignInEvent) -> Self {
        Self {
            id: event.id,
            user_id: event.user_id,
            email: event.email,
            kind: event.kind,
            ip: event.ip,
            user_agent: event.user_agent,
            created_at: event.created_at,
        }
    }
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OwnQuery {
    /// The most events to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// What happened at the door under your name, newest first.
#[utoipa::path(tag = "Accounts", params(OwnQuery), responses((status = 200, body = [SignInEventView])))]
#[get("/auth/events")]
async fn list_own(
    context: Context<Person>,
    request: HttpRequest,
    Query(query): Query<OwnQuery>,
) -> ApiResult<HttpResponse> {
    let who = &context.who;
    let listing = Listing::new(&request, who);
    let whose = (who.company_id, Some(who.user_id));
    answer(
        &context,
        &listing,
        whose,
        query.limit,
        query.cursor.as_deref(),
    )
    .await
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only what this person did.
    #[deserr(default)]
    user_id: Option<UserId>,
    /// The most events to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// What happened at the door of your company, newest first.
#[utoipa::path(tag = "Accounts", params(ListQuery), responses((status = 200, body = [SignInEventView])))]
#[get("/sign-in-events")]
async fn list(
    context: Context<Admin>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let whose = (context.who.company_id, query.user_id);
    answer(
        &context,
        &listing,
        whose,
        query.limit,
        query.cursor.as_deref(),
    )
    .await
}

async fn answer<A: Access>(
    context: &Context<A>,
    listing: &Listing<'_>,
    (company, user): (CompanyId, Option<UserId>),
    limit: Limit,
    cursor: Option<&str>,
) -> ApiResult<HttpResponse> {
    let before = listing.start(cursor)?;
    let mut connection = context.db().await?;
    let page = db::auth::events(&mut connection, company, user, before, limit).await?;
    let rows: Vec<SignInEventView> = page.rows.into_iter().map(SignInEventView::from).collect();
    Ok(listing.answer(&Page {
        rows,
        next: page.next,
    }))
}

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
    (company_id, user_id): (Option<CompanyId>, Option<UserId>),
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
