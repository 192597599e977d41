//! How long your company keeps what only grows, for admins.

use actix_web::{get, patch, web::Json};
use db::retention::Rule;
use deserr::{Deserr, ValuePointerRef};
use domain::retention::Kept;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::{ApiResult, FieldFault},
    extract::{Body, Faults, Member},
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(find).service(change);
}

/// For how many days what is kept; `null`: as the installation is set.
#[derive(Debug, Default, Serialize, ToSchema)]
struct RetentionView {
    /// Events of runs and executions that are over, and of sign-ins.
    events: Option<i32>,
    /// Single calls of runs that are over; what they cost stays.
    attempts: Option<i32>,
    /// Responses of models that runs may take again.
    responses: Option<i32>,
    /// Entries of the audit log.
    audit: Option<i32>,
    /// Jobs that are done or were cancelled.
    jobs: Option<i32>,
}

impl From<Vec<Rule>> for RetentionView {
    fn from(rules: Vec<Rule>) -> Self {
        let days = |kept| {
            rules
                .iter()
                .find(|rule| rule.kept == kept)
                .map(|rule| rule.days)
        };
        Self {
            events: days(Kept::Events),
            attempts: days(Kept::Attempts),
            responses: days(Kept::Responses),
            audit: days(Kept::Audit),
            jobs: days(Kept::Jobs),
        }
    }
}

/// What is to be kept for how many days. What is left out stays; with `null` the installation decides.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields, validate = within_bounds -> Faults)]
struct RetentionBody {
    /// 1 to 36525.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 36525)]
    events: Member<i32>,
    /// 1 to 36525.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 36525)]
    attempts: Member<i32>,
    /// 1 to 36525.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 36525)]
    responses: Member<i32>,
    /// 90 to 36525: so long at least it shows who did what.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 90, maximum = 36525)]
    audit: Member<i32>,
    /// 1 to 36525.
    #[deserr(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 36525)]
    jobs: Member<i32>,
}

impl RetentionBody {
    /// What was said, of each kind.
    fn said(&self) -> Vec<(Kept, Option<i32>)> {
        [
            (Kept::Events, &self.events),
            (Kept::Attempts, &self.attempts),
            (Kept::Responses, &self.responses),
            (Kept::Audit, &self.audit),
            (Kept::Jobs, &self.jobs),
        ]
        .into_iter()
        .filter_map(|(kept, days)| Some((kept, days.clone().or_remove()?)))
        .collect()
    }
}

fn within_bounds(body: RetentionBody, _: ValuePointerRef<'_>) -> Result<RetentionBody, Faults> {
    let said = body.said();
    let faults: Vec<_> = said
        .iter()
        .filter_map(|(kept, days)| {
            let fault = kept.check((*days)?).err()?;
            Some(FieldFault {
                field: kept.as_str().to_owned(),
                message: fault.0,
            })
        })
        .collect();
    if faults.is_empty() {
        Ok(body)
    } else {
        Err(Faults::broken_rules(faults))
    }
}

/// How long your company keeps what only grows.
#[utoipa::path(tag = "Retention", responses((status = 200, body = RetentionView)))]
#[get("/retention")]
async fn find(context: Context<Admin>) -> ApiResult<Json<RetentionView>> {
    let rules = db::retention::rules(&mut *context.db().await?, context.who.company_id).await?;
    Ok(Json(rules.into()))
}

/// Changes how long your company keeps what only grows. What is older is removed in the following night.
#[utoipa::path(tag = "Retention", request_body = RetentionBody, responses((status = 200, body = RetentionView)))]
#[patch("/retention")]
async fn change(
    context: Context<Admin>,
    Body(body): Body<RetentionBody>,
) -> ApiResult<Json<RetentionView>> {
    let (mut conn, company) = (context.db().await?, context.who.company_id);
    db::retention::set(&mut conn, company, &body.said()).await?;
    Ok(Json(db::retention::rules(&mut conn, company).await?.into()))
}
