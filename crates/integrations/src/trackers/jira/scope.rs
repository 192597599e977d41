//! Which projects are read. Jira finds a project by each key that it ever had, so that an issue whose key
//! names none of them may be of one all the same: then Jira is asked for all keys of its project, once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::trackers::{Issue, TrackerError, jql::ProjectKey};
use serde::Deserialize;
use url::Url;

use super::to_wire;
use crate::trackers::{
    refusal::{About, classify},
    session::Session,
};

/// The projects that are read; none are all.
#[derive(Debug)]
pub(in crate::trackers) struct Scope {
    projects: Vec<ProjectKey>,
    /// What was found out of others, by their ids.
    others: Mutex<HashMap<String, bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    #[serde(default)]
    project_keys: Vec<String>,
}

impl Scope {
    pub(in crate::trackers) fn new(projects: Vec<ProjectKey>) -> Self {
        Self {
            projects,
            others: Mutex::default(),
        }
    }

    pub(in crate::trackers) fn projects(&self) -> &[ProjectKey] {
        &self.projects
    }

    /// Whether an issue is of one of them.
    pub(in crate::trackers) async fn holds(
        &self,
        session: &Session,
        api: &Url,
        issue: &Issue,
    ) -> Result<bool, TrackerError> {
        let (key, _) = issue.ext_key.rsplit_once('-').unwrap_or_default();
        if self.projects.is_empty() || self.names(key) {
            return Ok(true);
        }
        let project = &issue.payload["fields"]["project"]["id"];
        let Some(id) = project.as_str() else {
            return Ok(false);
        };
        let known = self.others().get(id).copied();
        if let Some(is_read) = known {
            return Ok(is_read);
        }
        let is_read = self.had_names(session, api, id).await?;
        self.others().insert(id.to_owned(), is_read);
        Ok(is_read)
    }

    async fn had_names(
        &self,
        session: &Session,
        api: &Url,
        id: &str,
    ) -> Result<bool, TrackerError> {
        let Some(address) = to_wire::project(api, id) else {
            return Ok(false);
        };
        let call = || session.line.client.get(address.clone());
        let answer = session.send(call).await?;
        match answer.status {
            200 => {
                let project: Project = answer.json()?;
                Ok(project.project_keys.iter().any(|key| self.names(key)))
            }
            404 => Ok(false),
            _ => Err(classify(&answer, session.line.clock.now(), About::Other)),
        }
    }

    fn names(&self, key: &str) -> bool {
        let mut keys = self.projects.iter();
        keys.any(|project| project.as_str().eq_ignore_ascii_case(key))
    }

    fn others(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
