//! Teamwork.com, under somebody's API token: the third version of its API. Its tasks are issues, whose
//! key is their number.

use chrono::{DateTime, Utc};
use domain::{
    providers::PortFuture,
    trackers::{
        Account, Ask, Issue, IssueRef, Page, PageToken, RefPage, TrackerClient, TrackerError,
        TrackerKind,
    },
};
use url::Url;

use super::{
    call::{Answer, under},
    place::Place,
    refusal::{About, classify},
    session::Session,
};

mod from_wire;
mod to_wire;

use from_wire::{Found, Me, One};

/// A site of Teamwork under one account.
#[derive(Debug)]
pub(super) struct Teamwork {
    session: Session,
    site: Url,
    projects: Vec<u64>,
}

impl Teamwork {
    /// Connects to nothing yet.
    pub(super) const fn new(session: Session, site: Url, projects: Vec<u64>) -> Self {
        Self {
            session,
            site,
            projects,
        }
    }

    async fn page(&self, ask: &Ask) -> Result<Page, TrackerError> {
        let place = Place::of(ask)?;
        let query = to_wire::changed_since(&self.projects, place.since, place.skip + 1);
        let found: Found = self
            .get(&["tasks.json"], &query, About::Other)
            .await?
            .json()?;
        let goes_on = found.goes_on();
        let (issues, unreadable) = found.issues(&self.site);
        let changes = issues.iter().map(|issue| issue.updated_at);
        let next = goes_on.then(|| {
            place.onward(changes, self.now()).unwrap_or(Place {
                skip: place.skip + 1,
                ..place
            })
        });
        Ok(Page {
            issues,
            unreadable,
            next: next.map(|place| place.token()),
        })
    }

    async fn refs(&self, page: Option<&PageToken>) -> Result<RefPage, TrackerError> {
        let place = page.map(Place::read).transpose()?.unwrap_or_default();
        let query = to_wire::everything(&self.projects, place.skip + 1);
        let found: Found = self
            .get(&["tasks.json"], &query, About::Other)
            .await?
            .json()?;
        let next = found.goes_on().then(|| Place {
            skip: place.skip + 1,
            ..Place::default()
        });
        let (issues, _) = found.issues(&self.site);
        Ok(RefPage {
            issues: issues.iter().map(IssueRef::from).collect(),
            next: next.map(|place| place.token()),
        })
    }

    async fn task(&self, id: &str) -> Result<Issue, TrackerError> {
        if id.is_empty() || id.len() > 20 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TrackerError::NotFound);
        }
        let name = format!("{id}.json");
        let query = to_wire::included();
        let answer = self.get(&["tasks", &name], &query, About::Issue).await?;
        let one: One = answer.json()?;
        one.issue(&self.site)
    }

    /// Whether a task is of a project that is read; also if it does not say of which it is.
    fn holds(&self, issue: &Issue) -> bool {
        let project = from_wire::project(&issue.payload);
        self.projects.is_empty() || project.is_none_or(|id| self.projects.contains(&id))
    }

    async fn me(&self) -> Result<Account, TrackerError> {
        let me: Me = self.get(&["me.json"], &[], About::Other).await?.json()?;
        me.account()
    }

    async fn get(
        &self,
        what: &[&str],
        query: &[(&str, String)],
        about: About,
    ) -> Result<Answer, TrackerError> {
        let mut address = under(&under(&self.site, &["projects", "api", "v3"]), what);
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        let call = || self.session.line.client.get(address.clone());
        let answer = self.session.send(call).await?;
        if answer.status == 200 {
            return Ok(answer);
        }
        Err(classify(&answer, self.now(), about))
    }

    fn now(&self) -> DateTime<Utc> {
        self.session.line.clock.now()
    }
}

impl TrackerClient for Teamwork {
    fn kind(&self) -> TrackerKind {
        TrackerKind::Teamwork
    }

    fn check(&self) -> PortFuture<'_, Result<Account, TrackerError>> {
        Box::pin(self.me())
    }

    fn fetch_since<'a>(&'a self, ask: &'a Ask) -> PortFuture<'a, Result<Page, TrackerError>> {
        Box::pin(self.page(ask))
    }

    fn fetch<'a>(&'a self, id_or_key: &'a str) -> PortFuture<'a, Result<Issue, TrackerError>> {
        Box::pin(self.task(id_or_key))
    }

    fn is_read<'a>(&'a self, issue: &'a Issue) -> PortFuture<'a, Result<bool, TrackerError>> {
        Box::pin(async { Ok(self.holds(issue)) })
    }

    fn keys<'a>(
        &'a self,
        page: Option<&'a PageToken>,
    ) -> PortFuture<'a, Result<RefPage, TrackerError>> {
        Box::pin(self.refs(page))
    }
}

#[cfg(test)]
mod tests;
