//! Signing in to Jira Cloud. Whoever leaves for Atlassian comes back in the same browser or under the same
//! sign-in, or what comes back is nobody's: else somebody could be talked into granting a stranger
//! their Jira.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time},
    get,
};
use db::trackers::grants::{self, Grant};
use deserr::Deserr;
use domain::{
    auth::{Via, secrets::Secret},
    trackers::{
        TrackerError, TrackerGrantId,
        oauth::{Departure, Site, TokenPair},
    },
};
use integrations::{sealing::Sealed, trackers::atlassian::Atlassian};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use utoipa::{IntoParams, ToSchema};

use super::no_sealing_key;
use crate::{
    App,
    auth::settings::Environment,
    context::{Admin, Context, Public},
    error::{ApiError, ApiResult, Code},
    extract::{Faults, Query},
};

/// The cookie of a browser that left.
const COOKIE: &str = "tracker_sign_in";

/// Seconds that a sign-in may take.
const TRIP: i64 = 15 * 60;

/// Seconds that a site may be chosen for.
const CHOICE: i64 = 60 * 60;

/// What somebody was granted, until they choose a site. Its JSON is only ever sealed.
#[derive(Serialize, Deserialize)]
pub struct Granted {
    /// The tokens.
    pub pair: TokenPair,
    /// The sites among which to choose.
    pub sites: Vec<GrantedSite>,
}

/// A Jira site that was granted.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedSite {
    /// What to connect it by.
    pub cloud_id: String,
    /// What it is called.
    pub name: String,
    /// Where people find it.
    pub url: String,
}

impl From<Site> for GrantedSite {
    fn from(site: Site) -> Self {
        Self {
            cloud_id: site.cloud_id,
            name: site.name,
            url: site.url,
        }
    }
}

/// Where to go.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DepartureView {
    /// The address of Atlassian's page of consent, to be opened in this browser.
    url: String,
    /// Seconds that the sign-in may take.
    expires_in: i64,
}

/// What was granted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GrantView {
    /// What to connect a tracker by, once.
    grant_id: TrackerGrantId,
    /// The sites among which to choose.
    sites: Vec<GrantedSite>,
    /// Seconds that there are for it.
    expires_in: i64,
}

fn app(app: &App) -> ApiResult<Atlassian> {
    let found = app.gateway.trackers.app();
    found.map_err(|_| {
        ApiError::new(
            Code::Unavailable,
            "This installation has no OAuth app for Jira. Ask its operator to set JIRA_CLIENT_ID and \
             JIRA_CLIENT_SECRET, or connect Jira by an API token.",
        )
    })
}

/// Where Atlassian sends people back to.
fn back_to(app: &App) -> String {
    let home = app.config.public_url.trim_end_matches('/');
    format!("{home}/api/trackers/jira/callback")
}

/// Begins a sign-in to Jira Cloud: the address to open in this browser.
#[utoipa::path(tag = "Trackers", responses((status = 200, body = DepartureView)))]
#[get("/trackers/jira/authorize")]
pub async fn authorize(context: Context<Admin>) -> ApiResult<HttpResponse> {
    if let Via::ApiKey(..) = context.who.via {
        return Err(ApiError::new(
            Code::Forbidden,
            "An API key may not sign in to Jira. Sign in and use the access token.",
        ));
    }
    let (atlassian, departure) = (app(context.app())?, Departure::new());
    let (id, browser) = (TrackerGrantId::new(), Secret::random());
    let verifier = departure.verifier.reveal().to_owned();
    let gate = &context.app().gateway.trackers;
    let sealed = gate.seal_grant(context.who.company_id, id, verifier);
    let sealed = sealed.ok_or_else(no_sealing_key)?;
    let grant = Grant {
        id,
        company_id: context.who.company_id,
        user_id: context.who.user_id,
        browser_hash: browser.hash().to_vec(),
        sealed: sealed.bytes,
        sealing_key_id: sealed.key_id,
    };
    let mut conn = context.db().await?;
    grants::begin(&mut conn, &grant, &departure.state.hash(), TRIP).await?;
    let back = back_to(context.app());
    Ok(HttpResponse::Ok()
        .cookie(cookie(context.app(), browser.reveal()))
        .json(DepartureView {
            url: atlassian.address(&departure, &back),
            expires_in: TRIP,
        }))
}

fn cookie(app: &App, text: &str) -> Cookie<'static> {
    Cookie::build(COOKIE, text.to_owned())
        .path("/api/trackers/jira/callback")
        .http_only(true)
        // Atlassian's page leads here, which is another site.
        .same_site(SameSite::Lax)
        .secure(app.config.accounts.app_env == Environment::Production)
        .max_age(time::Duration::seconds(TRIP))
        .finish()
}

/// What Atlassian sends people back with.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase)]
#[into_params(parameter_in = Query)]
struct ReturnQuery {
    /// Which sign-in it is.
    state: String,
    /// What the tokens are given for.
    #[deserr(default)]
    code: Option<String>,
    /// Why there is none.
    #[deserr(default)]
    error: Option<String>,
}

/// Where Atlassian sends people back to: gets the tokens, and answers with the sites among which to choose.
#[utoipa::path(tag = "Trackers", params(ReturnQuery), security(()), responses((status = 200, body = GrantView),
    (status = 422, description = "Consent was not given"), (status = 502, description = "Atlassian gave no tokens")))]
#[get("/trackers/jira/callback")]
pub async fn callback(
    context: Context<Public>,
    request: HttpRequest,
    Query(query): Query<ReturnQuery>,
) -> ApiResult<HttpResponse> {
    let grant = come_back(&context, &request, &query.state).await?;
    let code = query.code.filter(|code| !code.is_empty());
    let Some(code) = code else {
        let said = query.error.unwrap_or_default();
        let said: String = said
            .chars()
            .filter(char::is_ascii_graphic)
            .take(60)
            .collect();
        let detail = format!(
            "Atlassian gave no consent ({said}). Begin again at /api/trackers/jira/authorize."
        );
        return Err(ApiError::new(Code::Invalid, detail));
    };
    let (gate, atlassian) = (&context.app().gateway.trackers, app(context.app())?);
    let verifier = open(&context, &grant)?;
    let departure = Departure {
        state: Secret::random(),
        verifier: verifier
            .expose_secret()
            .parse()
            .map_err(|cause| ApiError::internal(&cause))?,
    };
    let back = back_to(context.app());
    let pair = atlassian
        .exchange(&code, &departure, &back)
        .await
        .map_err(|cause| refused(&cause))?;
    let sites = atlassian
        .sites(&pair.access)
        .await
        .map_err(|cause| refused(&cause))?;
    let sites: Vec<_> = sites.into_iter().map(GrantedSite::from).collect();
    let granted = Granted {
        pair,
        sites: sites.clone(),
    };
    let text = serde_json::to_string(&granted).map_err(|cause| ApiError::internal(&cause))?;
    let sealed = gate.seal_grant(grant.company_id, grant.id, text);
    let sealed = sealed.ok_or_else(no_sealing_key)?;
    let mut conn = context.db().await?;
    grants::granted(&mut conn, grant.id, &sealed.bytes, &sealed.key_id, CHOICE).await?;
    Ok(HttpResponse::Ok().json(GrantView {
        grant_id: grant.id,
        sites,
        expires_in: CHOICE,
    }))
}

/// The sign-in that a state names, if whoever comes back is who left. The state is spent with that.
async fn come_back(
    context: &Context<Public>,
    request: &HttpRequest,
    state: &str,
) -> ApiResult<Grant> {
    let unknown = || {
        ApiError::invalid_query(
            "state",
            "is of no sign-in that was begun in this browser and waits; begin again at /api/trackers/jira/authorize",
        )
    };
    let state: Secret = state.parse().map_err(|_| unknown())?;
    let mut conn = context.db().await?;
    let grant = grants::come_back(&mut conn, &state.hash()).await?;
    let grant = grant.ok_or_else(unknown)?;
    let browser = request
        .cookie(COOKIE)
        .and_then(|cookie| cookie.value().parse::<Secret>().ok());
    let is_browser =
        browser.is_some_and(|secret| bool::from(secret.hash().ct_eq(&grant.browser_hash[..])));
    let is_person = context
        .who
        .as_ref()
        .is_some_and(|viewer| viewer.user_id == grant.user_id);
    if is_browser || is_person {
        Ok(grant)
    } else {
        Err(unknown())
    }
}

fn open(context: &Context<Public>, grant: &Grant) -> ApiResult<secrecy::SecretString> {
    let sealed = Sealed {
        bytes: grant.sealed.clone(),
        key_id: grant.sealing_key_id.clone(),
    };
    let gate = &context.app().gateway.trackers;
    let opened = gate.open_grant(grant.company_id, grant.id, &sealed);
    opened.map_err(|cause| ApiError::internal(&cause))
}

fn refused(cause: &TrackerError) -> ApiError {
    let detail =
        format!("Atlassian gave no tokens: {cause}. Begin again at /api/trackers/jira/authorize.");
    ApiError::new(Code::TrackerFailed, detail)
}

/// What somebody was granted and has not used yet.
pub async fn granted(context: &Context<Admin>, id: TrackerGrantId) -> ApiResult<Option<Granted>> {
    let mut conn = context.db().await?;
    let Some(grant) = grants::find(&mut conn, context.who.user_id, id).await? else {
        return Ok(None);
    };
    let sealed = Sealed {
        bytes: grant.sealed,
        key_id: grant.sealing_key_id,
    };
    let gate = &context.app().gateway.trackers;
    let opened = gate.open_grant(grant.company_id, id, &sealed);
    let text = opened.map_err(|cause| ApiError::internal(&cause))?;
    // Before the return it holds what proves who left, which is no grant.
    Ok(serde_json::from_str(text.expose_secret()).ok())
}
