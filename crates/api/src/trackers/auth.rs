//! What a tracker is signed in to with, as a body says it; where it is; what is read of it. Every fault is
//! told at its place.

use db::trackers::{
    Site, Tracker,
    secrets::{self, AUTH},
};
use deserr::Deserr;
use domain::{
    models::keys::KeyText,
    trackers::{Credentials, TrackerGrantId, TrackerKind, jql::ProjectKey, oauth::Token},
    users::Email,
};
use utoipa::ToSchema;

use super::oauth::{self, Granted};
use crate::{
    context::{Admin, Context},
    error::{ApiResult, FieldFault},
    extract::Faults,
};

/// The most projects of a tracker.
const MOST_PROJECTS: usize = 100;

/// What a tracker is signed in to with. `jira`: `email` and `apiToken`, or `grantId` and `cloudId` from a
/// sign-in; `jira-dc`: `pat`; `teamwork`: `apiToken`.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct AuthBody {
    /// The address of the account whose token it is.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    email: Option<Email>,
    /// An API token, 8 to 1000 visible ASCII characters.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    api_token: Option<KeyText>,
    /// A personal access token, 8 to 1000 visible ASCII characters.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    pat: Option<KeyText>,
    /// What a sign-in to Jira Cloud was answered with.
    #[schema(value_type = Option<uuid::Uuid>)]
    #[deserr(default)]
    grant_id: Option<TrackerGrantId>,
    /// The site, of those that were granted.
    #[deserr(default)]
    cloud_id: Option<String>,
}

/// What was found to be in order.
pub struct Checked {
    /// To be sealed.
    pub credentials: Credentials,
    /// Where the site is that was granted.
    pub site: Option<String>,
    /// The sign-in that is used up with it.
    pub grant: Option<TrackerGrantId>,
}

impl AuthBody {
    /// Whether it names a sign-in.
    pub fn is_grant(&self) -> bool {
        self.grant_id.is_some()
    }
}

fn token(text: &KeyText) -> Token {
    text.reveal().to_owned().into()
}

fn fault(field: &str, message: &str) -> FieldFault {
    FieldFault {
        field: field.into(),
        message: message.into(),
    }
}

fn direct(credentials: Credentials) -> Checked {
    Checked {
        credentials,
        site: None,
        grant: None,
    }
}

/// What this kind of tracker is signed in to with; or what is wrong with it.
pub async fn check(
    context: &Context<Admin>,
    kind: TrackerKind,
    body: &AuthBody,
    faults: &mut Vec<FieldFault>,
) -> ApiResult<Option<Checked>> {
    let by_token = |text: &Option<KeyText>| {
        let token = text.as_ref().map(token);
        token.map(|token| direct(Credentials::Token { token }))
    };
    let (found, wanted) = match kind {
        TrackerKind::JiraDc => (
            by_token(&body.pat),
            "must hold `pat`, a personal access token",
        ),
        TrackerKind::Teamwork => (by_token(&body.api_token), "must hold `apiToken`"),
        TrackerKind::Jira if body.is_grant() => return granted(context, body, faults).await,
        TrackerKind::Jira => {
            let both = body.email.as_ref().zip(body.api_token.as_ref());
            let basic = both.map(|(email, text)| {
                direct(Credentials::Basic {
                    email: email.as_str().to_owned(),
                    token: token(text),
                })
            });
            (
                basic,
                "must hold `email` and `apiToken`, or `grantId` and `cloudId` from a sign-in",
            )
        }
    };
    if found.is_none() {
        faults.push(fault("auth", wanted));
    }
    Ok(found)
}

async fn granted(
    context: &Context<Admin>,
    body: &AuthBody,
    faults: &mut Vec<FieldFault>,
) -> ApiResult<Option<Checked>> {
    let granted = match body.grant_id {
        Some(id) => oauth::granted(context, id)
            .await?
            .map(|granted| (id, granted)),
        None => None,
    };
    let Some((id, Granted { pair, sites })) = granted else {
        faults.push(fault(
            "auth.grantId",
            "is of no sign-in of yours that waits: sign in to Jira once more",
        ));
        return Ok(None);
    };
    let chosen = body.cloud_id.as_deref();
    let site = sites
        .into_iter()
        .find(|site| Some(site.cloud_id.as_str()) == chosen);
    let Some(site) = site else {
        faults.push(fault(
            "auth.cloudId",
            "must be one of the sites that were granted",
        ));
        return Ok(None);
    };
    Ok(Some(Checked {
        credentials: Credentials::Grant {
            cloud_id: site.cloud_id,
            pair,
        },
        site: Some(site.url),
        grant: Some(id),
    }))
}

/// Whether a sign-in is to the site that was read before: under grants its id tells, as a site may get
/// another address, and an address another site.
pub async fn site(
    context: &Context<Admin>,
    before: &Tracker,
    checked: &Checked,
) -> ApiResult<Site> {
    let Credentials::Grant { cloud_id, .. } = &checked.credentials else {
        return Ok(Site::Untold);
    };
    let text = secrets::find(&mut *context.db().await?, before.id, AUTH).await?;
    let known = context.app().gateway.trackers.credentials(text.as_ref());
    Ok(match known {
        Ok(Credentials::Grant { cloud_id: id, .. }) if id == *cloud_id => {
            Site::Same(before.base_url.clone())
        }
        Ok(Credentials::Grant { .. }) => Site::Other,
        _ => Site::Untold,
    })
}

/// An address in one spelling, if calls may go there.
pub fn address(
    context: &Context<Admin>,
    text: Option<&str>,
    faults: &mut Vec<FieldFault>,
) -> Option<String> {
    let Some(text) = text else {
        faults.push(fault("baseUrl", "must be sent"));
        return None;
    };
    match context.app().gateway.trackers.check_address(text.trim()) {
        Ok(url) => Some(url.as_str().trim_end_matches('/').to_owned()),
        Err(cause) => {
            let message = cause.to_string();
            let message = message.strip_prefix("the address ").unwrap_or(&message);
            faults.push(fault("baseUrl", message));
            None
        }
    }
}

/// Projects in one spelling, each once.
pub fn projects(kind: TrackerKind, given: &[String], faults: &mut Vec<FieldFault>) -> Vec<String> {
    if given.len() > MOST_PROJECTS {
        faults.push(fault("projects", "must be 100 at most"));
    }
    let mut projects = Vec::new();
    for (place, text) in given.iter().enumerate().take(MOST_PROJECTS) {
        let project = match kind {
            TrackerKind::Teamwork => {
                let number = text.trim().parse::<u64>().map(|number| number.to_string());
                number.map_err(|_| "must be the number of a project".to_owned())
            }
            _ => text
                .parse::<ProjectKey>()
                .map(|key| key.as_str().to_owned())
                .map_err(|fault| fault.0),
        };
        match project {
            Ok(project) if projects.contains(&project) => {}
            Ok(project) => projects.push(project),
            Err(message) => faults.push(fault(&format!("projects[{place}]"), &message)),
        }
    }
    projects
}
