//! Jira Cloud, under an OAuth app or somebody's API token: the third version of its API, in which
//! texts are documents and pages have tokens.

use domain::{
    providers::PortFuture,
    trackers::{
        Account, Ask, Issue, Page, PageToken, RefPage, TrackerClient, TrackerError, TrackerKind,
        jql::{self, ProjectKey},
    },
};
use serde_json::Value;
use url::Url;

use super::{
    call::{Answer, under},
    place::Place,
    refusal::{About, classify},
    session::Session,
};

pub(super) mod check;
pub(super) mod from_wire;
pub(super) mod scope;
pub(super) mod to_wire;

pub(super) use from_wire::Reading;
use scope::Scope;

/// A site of Jira Cloud under one account.
#[derive(Debug)]
pub(super) struct Jira {
    session: Session,
    base: Url,
    scope: Scope,
    reading: Reading,
}

impl Jira {
    /// Connects to nothing yet.
    pub(super) fn new(
        session: Session,
        base: Url,
        projects: Vec<ProjectKey>,
        reading: Reading,
    ) -> Self {
        Self {
            session,
            base,
            scope: Scope::new(projects),
            reading,
        }
    }

    async fn page(&self, ask: &Ask) -> Result<Page, TrackerError> {
        let place = Place::of(ask)?;
        let question = jql::changed_since(self.scope.projects(), place.since);
        let fields = to_wire::fields(self.reading.criteria_field());
        let body = to_wire::search(&question, &fields, to_wire::PAGE, place.token.as_deref());
        let found = self.search(&body, &place).await?;
        let (issues, unreadable) = self.reading.issues(found.issues);
        let changes = issues.iter().map(|issue| issue.updated_at);
        let next = found.next.map(|token| {
            let onward = place.onward(changes, self.session.line.clock.now());
            onward.unwrap_or(Place {
                token: Some(token),
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
        let question = jql::everything(self.scope.projects());
        let fields = ["updated".to_owned()];
        let body = to_wire::search(&question, &fields, to_wire::REFS, place.token.as_deref());
        let found = self.search(&body, &place).await?;
        let next = found.next.map(|token| Place {
            token: Some(token),
            ..Place::default()
        });
        Ok(RefPage {
            issues: from_wire::refs(&found.issues),
            next: next.map(|place| place.token()),
        })
    }

    async fn search(&self, body: &Value, place: &Place) -> Result<from_wire::Found, TrackerError> {
        let address = self.address(&["search", "jql"]);
        let call = || self.session.line.client.post(address.clone()).json(body);
        let answer = self.session.send(call).await?;
        let about = if place.is_continued() {
            About::LaterPage
        } else {
            About::Other
        };
        self.success(&answer, about)?;
        let found: from_wire::Found = answer.json()?;
        found.checked(place.token.as_deref())
    }

    async fn issue(&self, id_or_key: &str) -> Result<Issue, TrackerError> {
        let Some(mut address) = to_wire::issue(&self.address(&[]), id_or_key) else {
            return Err(TrackerError::NotFound);
        };
        let fields = to_wire::fields(self.reading.criteria_field()).join(",");
        address.query_pairs_mut().append_pair("fields", &fields);
        let call = || self.session.line.client.get(address.clone());
        let answer = self.session.send(call).await?;
        self.success(&answer, About::Issue)?;
        self.reading.asked_for(answer.json()?, id_or_key)
    }

    fn address(&self, what: &[&str]) -> Url {
        under(&under(&self.base, &["rest", "api", "3"]), what)
    }

    fn success(&self, answer: &Answer, about: About) -> Result<(), TrackerError> {
        if answer.status == 200 {
            return Ok(());
        }
        Err(classify(answer, self.session.line.clock.now(), about))
    }
}

impl TrackerClient for Jira {
    fn kind(&self) -> TrackerKind {
        TrackerKind::Jira
    }

    fn check(&self) -> PortFuture<'_, Result<Account, TrackerError>> {
        let base = self.address(&[]);
        Box::pin(async move { check::account(&self.session, &base, TrackerKind::Jira).await })
    }

    fn fetch_since<'a>(&'a self, ask: &'a Ask) -> PortFuture<'a, Result<Page, TrackerError>> {
        Box::pin(self.page(ask))
    }

    fn fetch<'a>(&'a self, id_or_key: &'a str) -> PortFuture<'a, Result<Issue, TrackerError>> {
        Box::pin(self.issue(id_or_key))
    }

    fn is_read<'a>(&'a self, issue: &'a Issue) -> PortFuture<'a, Result<bool, TrackerError>> {
        let api = self.address(&[]);
        Box::pin(async move { self.scope.holds(&self.session, &api, issue).await })
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
