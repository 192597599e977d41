//! Jira Server and Data Center, under a personal access token: the second version of the API, in which
//! texts are wiki markup and pages are counted in rows.

use domain::{
    providers::PortFuture,
    trackers::{
        Account, Ask, Issue, Page, PageToken, RefPage, TrackerClient, TrackerError, TrackerKind,
        jql::{self, ProjectKey},
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    call::{Answer, under},
    jira::{Reading, check, from_wire, scope::Scope, to_wire},
    place::Place,
    refusal::{About, classify},
    session::Session,
};

/// A Jira of somebody's own.
#[derive(Debug)]
pub(super) struct JiraDc {
    session: Session,
    base: Url,
    scope: Scope,
    reading: Reading,
}

/// What a search found: rows from `start_at` of `total`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    start_at: u32,
    total: u32,
    issues: Vec<Value>,
}

impl Found {
    /// Where to go on from by rows.
    fn rest(&self, place: &Place) -> Option<Place> {
        let ids = self.issues.iter().map(|issue| issue["id"].as_str());
        let ids: Vec<&str> = ids.map(Option::unwrap_or_default).collect();
        place.after_rows(&ids, self.start_at, self.total)
    }
}

impl JiraDc {
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
        let found = self
            .search(&question, &fields, to_wire::PAGE, &place)
            .await?;
        let rest = found.rest(&place);
        let (issues, unreadable) = self.reading.issues(found.issues);
        let changes = issues.iter().map(|issue| issue.updated_at);
        let next = rest.map(|rest| {
            // Back to rows that slipped there is no way but by rows.
            let onward = rest
                .last
                .is_some()
                .then(|| place.onward(changes, self.session.line.clock.now()));
            onward.flatten().unwrap_or(rest)
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
        let found = self
            .search(&question, &fields, to_wire::REFS, &place)
            .await?;
        Ok(RefPage {
            next: found.rest(&place).map(|place| place.token()),
            issues: from_wire::refs(&found.issues),
        })
    }

    async fn search(
        &self,
        question: &str,
        fields: &[String],
        rows: u32,
        place: &Place,
    ) -> Result<Found, TrackerError> {
        let body = json!({
            "jql": question,
            "startAt": place.first_row(),
            "maxResults": rows,
            "fields": fields,
        });
        let address = self.address(&["search"]);
        let call = || self.session.line.client.post(address.clone()).json(&body);
        let answer = self.session.send(call).await?;
        self.success(&answer, About::Other)?;
        answer.json()
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
        under(&under(&self.base, &["rest", "api", "2"]), what)
    }

    fn success(&self, answer: &Answer, about: About) -> Result<(), TrackerError> {
        if answer.status == 200 {
            return Ok(());
        }
        Err(classify(answer, self.session.line.clock.now(), about))
    }
}

impl TrackerClient for JiraDc {
    fn kind(&self) -> TrackerKind {
        TrackerKind::JiraDc
    }

    fn check(&self) -> PortFuture<'_, Result<Account, TrackerError>> {
        let base = self.address(&[]);
        Box::pin(async move { check::account(&self.session, &base, TrackerKind::JiraDc).await })
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
