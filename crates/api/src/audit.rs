//! The audit log, for admins: who did what to which row. Looking at it is entered as well.

mod command;

pub use command::{AuditCommand, run};

use actix_web::{HttpRequest, HttpResponse, get, web};
use db::audit::{AuditEntry, Filter, Head, Verdict};
use deserr::Deserr;
use domain::{
    audit::{Action, Entity, EntityKey, Noted},
    page::{Limit, Moment},
    users::UserId,
};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::ApiResult,
    extract::{Faults, Query},
    page::Listing,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(verify);
}

/// Which entries are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only what was done to this kind of row.
    #[param(inline)]
    #[deserr(default)]
    entity: Option<Entity>,
    /// Only what was done to this row.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9._/-]{1,200}$")]
    #[deserr(default)]
    entity_id: Option<EntityKey>,
    /// Only what this person did, themselves or by an API key.
    #[deserr(default)]
    actor: Option<UserId>,
    /// Only this.
    #[param(inline)]
    #[deserr(default)]
    action: Option<Action>,
    /// From this time on.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    from: Option<Moment>,
    /// Before this time.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    to: Option<Moment>,
    /// The most entries to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

impl ListQuery {
    fn filter(self, before: Option<i64>) -> Filter {
        Filter {
            entity: self.entity,
            entity_id: self.entity_id,
            actor: self.actor,
            action: self.action,
            from: self.from.map(|moment| moment.0),
            to: self.to.map(|moment| moment.0),
            before,
        }
    }
}

/// Lists who did what in your company, newest first. Each page that is read becomes an entry itself,
/// with the filter.
#[utoipa::path(tag = "Audit", params(ListQuery), responses((status = 200, body = [AuditEntry])))]
#[get("/audit")]
async fn list(
    context: Context<Admin>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let (start, limit) = (listing.start(query.cursor.as_deref())?, query.limit);
    let (filter, company) = (query.filter(start), context.who.company_id);
    let mut conn = context.signed().await?;
    // First the entry, then the answer: nobody reads and leaves no trace.
    db::audit::enter_reading(&mut conn, company, &json!({"filter": &filter})).await?;
    let page = db::audit::list(&mut conn, company, &filter, limit).await?;
    Ok(listing.answer(&page))
}

/// Against what the log is checked.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct VerifyQuery {
    /// A head that was noted earlier, as `number:hash`. Without one, it cannot be told whether the
    /// newest entries were cut off.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,18}:[0-9a-f]{64}$")]
    #[deserr(default)]
    head: Option<Noted>,
}

/// Whether a company's log is what it was.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VerdictView {
    /// Whether every entry is there, unchanged and in its place.
    intact: bool,
    /// How many entries were right, up to the first that is not.
    entries: i64,
    /// The end of the chain: keep it elsewhere, and ask with it later.
    #[schema(inline)]
    head: Head,
    /// The number of the first entry that is not right.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<i64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> Self {
        Self {
            intact: verdict.broken.is_none(),
            entries: verdict.entries,
            head: verdict.head,
            broken_at: verdict.broken.map(|broken| broken.number),
            reason: verdict.broken.map(|broken| broken.reason.to_string()),
        }
    }
}

/// Checks your company's audit log from end to end: whether any entry was changed, removed or moved
/// since it was made. `api audit verify` does the same from the command line.
#[utoipa::path(tag = "Audit", params(VerifyQuery), responses((status = 200, body = VerdictView)))]
#[get("/audit/verify")]
async fn verify(
    context: Context<Admin>,
    Query(query): Query<VerifyQuery>,
) -> ApiResult<web::Json<VerdictView>> {
    let company = context.who.company_id;
    let mut conn = context.signed().await?;
    db::audit::enter_reading(&mut conn, company, &json!({"verify": true})).await?;
    let noted = query.head.map(|noted| noted.0);
    let verdict = db::audit::verify(&mut conn, company, noted).await?;
    Ok(web::Json(verdict.into()))
}
