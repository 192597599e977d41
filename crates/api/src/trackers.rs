//! Trackers: connected by admins, tried and read. What they are signed in to with is sealed before it is
//! stored, and no answer ever holds it again.

mod auth;
mod oauth;
mod syncs;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, web::Json};
use db::trackers::{
    ChangeError, NewTracker, Site, TrackerChanges, TrackerView, secrets::SealedText,
};
use deserr::Deserr;
use domain::{
    models::keys::KeyText,
    trackers::{TrackerId, TrackerKind, TrackerName, TrackerState},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    extract::{Body, Faults, Member, Path},
};
use auth::{AuthBody, Checked};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(oauth::authorize)
        .service(oauth::callback)
        .service(list)
        .service(create)
        .service(find)
        .service(update)
        .service(delete)
        .service(syncs::test)
        .service(syncs::sync)
        .service(syncs::list);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("tracker"),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The tracker changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::NameTaken => Self::new(
                Code::Conflict,
                "Another tracker has this name. Take another one.",
            ),
            ChangeError::NeedsAuth => Self::new(
                Code::Conflict,
                "The tracker does not accept its sign-in any more. Send `auth` with another.",
            ),
            ChangeError::OtherSite { by_sign_in } => Self::invalid(
                if by_sign_in {
                    "auth.cloudId"
                } else {
                    "baseUrl"
                },
                "is another site than the one whose issues are here: connect another tracker for it",
            ),
            ChangeError::GrantSpent => Self::invalid(
                "auth.grantId",
                "was used meanwhile: sign in to Jira once more",
            ),
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("tracker"),
        other => other.into(),
    }
}

/// The answer while the operator has given no sealing key.
fn no_sealing_key() -> ApiError {
    ApiError::new(
        Code::Unavailable,
        "This installation cannot keep credentials yet. Ask its operator to set SEALING_KEYS, \
         such as `2026a:` and the output of `openssl rand -base64 32`.",
    )
}

/// A tracker to be connected.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct NewTrackerBody {
    /// What it is.
    #[deserr(rename = "type")]
    #[schema(rename = "type")]
    kind: TrackerKind,
    /// What it is called, 1 to 100 characters.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: TrackerName,
    /// Where people find it, such as `https://example.atlassian.net`; under a grant, the site says.
    #[deserr(default)]
    base_url: Option<String>,
    /// What it is signed in to with.
    auth: AuthBody,
    /// The projects to read (keys in Jira, numbers in Teamwork), at most 100; none are all.
    #[deserr(default)]
    #[schema(max_items = 100)]
    projects: Vec<String>,
    /// What proves its webhooks: 8 to 1000 visible ASCII characters.
    #[deserr(default)]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 1000)]
    webhook_secret: Option<KeyText>,
}

/// Members of a tracker to be changed. What is left out stays as it is.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct TrackerChangesBody {
    /// What it is called, 1 to 100 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[deserr(default)]
    name: Option<TrackerName>,
    /// Where people find it. Another address takes `auth` with it; another site is another tracker once
    /// there are issues.
    #[deserr(default)]
    base_url: Option<String>,
    /// What it is signed in to with from now on.
    #[deserr(default)]
    auth: Option<AuthBody>,
    /// The projects to read; none are all. What is not of these any more is gone at the next sweep.
    #[deserr(default)]
    #[schema(max_items = 100)]
    projects: Option<Vec<String>>,
    /// `active` or `paused`.
    #[deserr(default)]
    state: Option<TrackerState>,
    /// What proves its webhooks; `null` has none believed any more.
    #[deserr(default)]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 1000)]
    webhook_secret: Member<KeyText>,
}

fn seal_hooks(context: &Context<Admin>, id: TrackerId, secret: &KeyText) -> ApiResult<SealedText> {
    let gate = &context.app().gateway.trackers;
    let sealed = gate.seal_hooks(context.who.company_id, id, secret.reveal());
    sealed.ok_or_else(no_sealing_key)
}

fn seal_auth(context: &Context<Admin>, id: TrackerId, checked: &Checked) -> ApiResult<SealedText> {
    let gate = &context.app().gateway.trackers;
    let sealed = gate.seal(context.who.company_id, id, &checked.credentials);
    sealed.ok_or_else(no_sealing_key)
}

/// The trackers of your company, newest first.
#[utoipa::path(tag = "Trackers", responses((status = 200, body = [TrackerView])))]
#[get("/trackers")]
async fn list(context: Context<Admin>) -> ApiResult<Json<Vec<TrackerView>>> {
    let company = context.who.company_id;
    Ok(Json(
        db::trackers::list(&mut *context.db().await?, company).await?,
    ))
}

/// Connects a tracker. Its credentials are sealed and not shown again; it is read soon.
#[utoipa::path(tag = "Trackers", request_body = NewTrackerBody, responses((status = 201, body = TrackerView)))]
#[post("/trackers")]
async fn create(
    context: Context<Admin>,
    Body(body): Body<NewTrackerBody>,
) -> ApiResult<HttpResponse> {
    let mut faults = Vec::new();
    let projects = auth::projects(body.kind, &body.projects, &mut faults);
    let checked = auth::check(&context, body.kind, &body.auth, &mut faults).await?;
    let base_url = match checked.as_ref().and_then(|checked| checked.site.as_deref()) {
        Some(site) => auth::address(&context, Some(site), &mut faults),
        None if body.auth.is_grant() => None,
        None => auth::address(&context, body.base_url.as_deref(), &mut faults),
    };
    let (Some(checked), Some(base_url), true) = (checked, base_url, faults.is_empty()) else {
        return Err(ApiError::faults(Code::Invalid, faults));
    };
    let id = TrackerId::new();
    let mut secrets = vec![seal_auth(&context, id, &checked)?];
    if let Some(secret) = &body.webhook_secret {
        secrets.push(seal_hooks(&context, id, secret)?);
    }
    let new = NewTracker {
        id,
        kind: body.kind,
        name: body.name,
        base_url,
        auth_kind: checked.credentials.kind(),
        projects,
        secrets,
        grant: checked.grant,
    };
    let tracker = db::trackers::create(&mut *context.db().await?, &new, &context.actor()).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/trackers/{id}")))
        .insert_header(header::ETag(etag::of(tracker.tracker.updated_at)))
        .json(tracker))
}

/// One tracker.
#[utoipa::path(tag = "Trackers", params(("id" = TrackerId, Path, description = "The tracker")),
    responses((status = 200, body = TrackerView), (status = 304, description = "Unchanged")))]
#[get("/trackers/{id}")]
async fn find(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<TrackerId>,
) -> ApiResult<HttpResponse> {
    let company = context.who.company_id;
    let found = db::trackers::find(&mut *context.db().await?, company, id).await;
    let tracker = found.map_err(missing)?;
    Ok(etag::answer(&request, tracker.tracker.updated_at, &tracker))
}

/// Changes the members that are sent. Other projects, another address or another sign-in make it be read
/// anew.
#[utoipa::path(tag = "Trackers", params(("id" = TrackerId, Path, description = "The tracker")),
    request_body = TrackerChangesBody, responses((status = 200, body = TrackerView)))]
#[patch("/trackers/{id}")]
async fn update(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<TrackerId>,
    Body(body): Body<TrackerChangesBody>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let company = context.who.company_id;
    let found = db::trackers::find(&mut *context.db().await?, company, id).await;
    let before = found.map_err(missing)?.tracker;
    let changes = changes(&context, &before, body).await?;
    let mut conn = context.db().await?;
    let tracker = db::trackers::update(&mut conn, company, id, &changes, &expected).await?;
    Ok(HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(tracker.tracker.updated_at)))
        .json(tracker))
}

async fn changes(
    context: &Context<Admin>,
    before: &db::trackers::Tracker,
    body: TrackerChangesBody,
) -> ApiResult<TrackerChanges> {
    let mut faults = Vec::new();
    let projects = body.projects.as_ref();
    let projects = projects.map(|given| auth::projects(before.kind, given, &mut faults));
    let checked = match &body.auth {
        Some(auth) => auth::check(context, before.kind, auth, &mut faults).await?,
        None => None,
    };
    let site = checked.as_ref().and_then(|checked| checked.site.as_deref());
    let base_url = match site.or(body.base_url.as_deref()) {
        Some(text) => auth::address(context, Some(text), &mut faults),
        None => None,
    };
    if body.auth.is_none() && base_url.as_ref().is_some_and(|url| *url != before.base_url) {
        // Or whoever changes the address would be sent the credentials.
        faults.push(FieldFault {
            field: "auth".into(),
            message: "must be sent again with another `baseUrl`".into(),
        });
    }
    if body.state == Some(TrackerState::ReconnectNeeded) {
        faults.push(FieldFault {
            field: "state".into(),
            message: "must be active or paused".into(),
        });
    }
    if !faults.is_empty() {
        return Err(ApiError::faults(Code::Invalid, faults));
    }
    let site = match &checked {
        Some(checked) => auth::site(context, before, checked).await?,
        None => Site::Untold,
    };
    let mut secrets = Vec::new();
    if let Some(checked) = &checked {
        secrets.push(seal_auth(context, before.id, checked)?);
    }
    if let Member::Given(secret) = &body.webhook_secret {
        secrets.push(seal_hooks(context, before.id, secret)?);
    }
    Ok(TrackerChanges {
        name: body.name,
        base_url,
        site,
        projects,
        state: body.state,
        auth_kind: checked.as_ref().map(|checked| checked.credentials.kind()),
        grant: checked.and_then(|checked| checked.grant),
        secrets,
        forget_hooks: body.webhook_secret == Member::Null,
    })
}

/// Deletes a tracker with its credentials. Its issues are shown to nobody any more.
#[utoipa::path(tag = "Trackers", params(("id" = TrackerId, Path, description = "The tracker")),
    responses((status = 204, description = "Deleted")))]
#[delete("/trackers/{id}")]
async fn delete(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<TrackerId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let company = context.who.company_id;
    db::trackers::delete(&mut *context.db().await?, company, id, &expected).await?;
    Ok(HttpResponse::NoContent().finish())
}
