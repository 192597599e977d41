//! Whether a connection to Jira works, and for whom Jira takes us.

use domain::trackers::{Account, TrackerError, TrackerKind, criteria};
use serde::Deserialize;
use url::Url;

use super::from_wire::Somebody;
use crate::trackers::{
    call::{Answer, under},
    refusal::{About, classify},
    session::Session,
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Server {
    version: String,
    deployment_type: String,
}

#[derive(Debug, Deserialize)]
struct Field {
    id: String,
    name: String,
}

/// Asks what it is, who we are, and which fields there are. The last may fail.
pub(in crate::trackers) async fn account(
    session: &Session,
    api: &Url,
    kind: TrackerKind,
) -> Result<Account, TrackerError> {
    let server: Server = get(session, api, "serverInfo").await?.json()?;
    let is_cloud = server.deployment_type.eq_ignore_ascii_case("cloud");
    if !server.deployment_type.is_empty() && is_cloud != (kind == TrackerKind::Jira) {
        let right = if is_cloud {
            TrackerKind::Jira
        } else {
            TrackerKind::JiraDc
        };
        return Err(TrackerError::Misconfigured(format!(
            "this is Jira {}: connect it as {right}",
            server.deployment_type
        )));
    }
    let myself: Somebody = get(session, api, "myself").await?.json()?;
    let time_zone = myself.time_zone.clone();
    let person = myself
        .person()
        .ok_or_else(|| TrackerError::Malformed("it does not say who we are".into()))?;
    let fields = get(session, api, "field").await;
    let fields: Vec<Field> = fields.and_then(|answer| answer.json()).unwrap_or_default();
    let mut fields = fields.into_iter();
    let criteria = fields.find(|field| criteria::names_them(&field.name));
    Ok(Account {
        person,
        time_zone,
        product: format!("Jira {} ({})", server.version, server.deployment_type),
        criteria_field: criteria.map(|field| field.id),
    })
}

async fn get(session: &Session, api: &Url, what: &str) -> Result<Answer, TrackerError> {
    let address = under(api, &[what]);
    let answer = session
        .send(|| session.line.client.get(address.clone()))
        .await?;
    if answer.status == 200 {
        return Ok(answer);
    }
    Err(classify(&answer, session.line.clock.now(), About::Other))
}
