//! Jira Cloud: a site under somebody's API token, the same site under OAuth at `/ex/jira/<cloud id>`,
//! and the addresses at which people sign in and tokens are given.
//!
//! API tokens that begin with `bad` are refused. Pages are rows of a list that changes while it is
//! read, so that whoever trusts them loses issues.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Duration, Utc};
use domain::trackers::oauth::TokenPair;
use serde_json::{Value, json};

use super::{
    issues::{Hook, Shared, World},
    stage::{Cue, Fake, Heard, Said, Words},
};

pub(super) mod ask;
mod jql;
mod oauth;
mod render;

use ask::Asked;
pub(super) use jql::Query;
use oauth::Grants;
pub use oauth::{CLIENT_ID, CLIENT_SECRET};
pub(super) use render::{Style, issue, person};

/// The site's id.
pub const CLOUD_ID: &str = "11111111-2222-3333-4444-555555555555";

/// How long a page is known.
const PAGE_LIFE: Duration = Duration::days(7);

/// A running fake; it stops when dropped.
pub struct FakeJira {
    /// What happens to calls, and which there were.
    pub stage: Fake,
    /// What it keeps.
    pub shared: Shared,
    cloud: Arc<Cloud>,
}

struct Cloud {
    shared: Shared,
    grants: Mutex<Grants>,
    pages: Mutex<Pages>,
    /// Sites beside the one: their ids, which all are at its address.
    twins: Mutex<Vec<String>>,
}

/// Pages that were begun, by their tokens.
#[derive(Default)]
struct Pages {
    begun: BTreeMap<String, (String, usize, DateTime<Utc>)>,
    count: u64,
}

impl FakeJira {
    /// Starts one at this time.
    pub async fn start(now: DateTime<Utc>) -> Self {
        let shared = Shared::at(now);
        let cloud = Arc::new(Cloud {
            shared: shared.clone(),
            grants: Mutex::default(),
            pages: Mutex::default(),
            twins: Mutex::default(),
        });
        let answering = Arc::clone(&cloud);
        Self {
            stage: Fake::start(move |heard, cue| answering.answer(heard, cue)).await,
            shared,
            cloud,
        }
    }

    /// Where it is; the site, the sign-in and the API all are there.
    pub fn url(&self) -> &str {
        &self.stage.url
    }

    /// A pair of tokens, as if somebody had signed in just now.
    pub fn grant(&self) -> TokenPair {
        lock(&self.cloud.grants).grant(self.shared.now())
    }

    /// How many pairs were given for refresh tokens.
    pub fn renewals(&self) -> usize {
        lock(&self.cloud.grants).renewals
    }

    /// Ends all access tokens at once, before their time.
    pub fn end_access(&self) {
        lock(&self.cloud.grants).end_access();
    }

    /// From now on there is another site at the same address, as if the one before had been removed.
    pub fn add_site(&self, id: &str) {
        lock(&self.cloud.twins).push(id.to_owned());
    }

    /// For how long a spent refresh token still gets a pair. Never, unless this is said.
    pub fn leeway(&self, leeway: Duration) {
        lock(&self.cloud.grants).leeway = leeway;
    }

    /// Forgets all pages that were begun.
    pub fn forget_pages(&self) {
        lock(&self.cloud.pages).begun.clear();
    }

    /// A hook about an issue, signed with this secret.
    pub fn hook(&self, event: &str, id: u64, delivery: &str, secret: Option<&str>) -> Hook {
        hook(&self.shared.world(), event, id, delivery, secret)
    }
}

/// A hook as Jira sends it, in the Cloud and elsewhere.
pub(super) fn hook(
    world: &World,
    event: &str,
    id: u64,
    delivery: &str,
    secret: Option<&str>,
) -> Hook {
    let key = world.find(&id.to_string()).map_or("GONE-1", |row| &row.key);
    let body = json!({
        "timestamp": world.now.timestamp_millis(),
        "webhookEvent": event,
        "issue_event_type_name": "issue_generic",
        "issue": { "id": id.to_string(), "key": key, "fields": {} },
    });
    let mut hook = Hook::unsigned(&body);
    hook.headers
        .push(("x-atlassian-webhook-identifier", delivery.into()));
    match secret {
        Some(secret) => hook.signed("x-hub-signature", "sha256=", secret),
        None => hook,
    }
}

impl Cloud {
    fn answer(&self, heard: &Heard, cue: &Cue) -> Said {
        if let Some(status) = cue.status {
            return fault(status, cue.message.as_deref().unwrap_or("Scripted."));
        }
        let (method, path) = heard.what.split_once(' ').expect("a method and a path");
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        let now = self.shared.now();
        match (method, path.as_slice()) {
            ("GET", ["authorize"]) => lock(&self.grants).authorize(&heard.query),
            ("POST", ["oauth", "token"]) => lock(&self.grants).token(&heard.body, now),
            ("GET", ["oauth", "token", "accessible-resources"]) => self.sites(heard),
            (_, ["ex", "jira", cloud, "rest", "api", version, what @ ..]) => {
                match self.bearer(heard) {
                    Ok(()) if *cloud == CLOUD_ID => self.api(heard, method, version, what),
                    Ok(()) => fault(404, "No such site."),
                    Err(said) => said,
                }
            }
            ("GET", ["rest", "api", _, "serverInfo"]) => {
                self.api(heard, method, "2", &["serverInfo"])
            }
            (_, ["rest", "api", version, what @ ..]) if basic(heard) => {
                self.api(heard, method, version, what)
            }
            (_, ["rest", ..]) => {
                fault(401, "Client must be authenticated to access this resource.")
            }
            _ => fault(404, "Nothing there."),
        }
    }

    fn bearer(&self, heard: &Heard) -> Result<(), Said> {
        let token = heard.header("authorization").strip_prefix("Bearer ");
        if lock(&self.grants).admits(token.unwrap_or_default(), self.shared.now()) {
            return Ok(());
        }
        Err(Said::whole(
            401,
            json!({ "code": 401, "message": "Unauthorized" }),
        ))
    }

    fn sites(&self, heard: &Heard) -> Said {
        if let Err(said) = self.bearer(heard) {
            return said;
        }
        let jira = json!({ "id": CLOUD_ID, "name": "example", "url": base(heard), "scopes": ["read:jira-work", "read:jira-user"], "avatarUrl": "" });
        let other = json!({ "id": "99", "name": "papers", "url": "https://papers.atlassian.net", "scopes": ["read:confluence-content.all"] });
        let mut sites = vec![other, jira.clone()];
        for id in lock(&self.twins).iter() {
            let mut twin = jira.clone();
            twin["id"] = id.as_str().into();
            sites.push(twin);
        }
        Said::whole(200, sites.into())
    }

    fn api(&self, heard: &Heard, method: &str, version: &str, what: &[&str]) -> Said {
        let style = Style {
            documents: version == "3",
            accounts: true,
        };
        let mut world = self.shared.world();
        match (method, what) {
            ("GET", ["serverInfo"]) => {
                Said::whole(200, server_info("Cloud", "1001.0.0", &base(heard)))
            }
            ("GET", ["myself"]) => Said::whole(200, person(0, style)),
            ("GET", ["field"]) => Said::whole(200, fields()),
            (_, ["search"]) => fault(
                410,
                "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
            ),
            ("GET" | "POST", ["search", "jql"]) => self.search(&mut world, heard, style),
            ("POST", ["search", "approximate-count"]) => count(&mut world, &heard.body),
            ("GET", ["issue", name]) => one(&world, heard, name, style, &base(heard)),
            ("GET", ["project", name]) => project(&world, heard, name),
            _ => fault(404, "Nothing there."),
        }
    }

    fn search(&self, world: &mut World, heard: &Heard, style: Style) -> Said {
        let asked = Asked::of(heard, &[]);
        let query = match Query::parse(&asked.question, world.now, world.zone) {
            Ok(query) if query.is_bounded() => query,
            Ok(_) => {
                return fault(
                    400,
                    "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
                );
            }
            Err(says) => return fault(400, &says),
        };
        let mut pages = lock(&self.pages);
        let Some(first) = pages.first(&asked, world.now) else {
            return fault(400, "The next page token is invalid or has expired.");
        };
        let size = asked
            .rows
            .min(most_rows(&asked.fields))
            .min(world.short.unwrap_or(usize::MAX));
        world.learn();
        let known = query.select(world.known());
        let page = known.iter().skip(first).take(size);
        let issues: Value = page
            .map(|row| issue(row, world, &asked.fields, style, &base(heard)))
            .collect();
        let mut body = json!({ "issues": issues, "isLast": true });
        if first + size < known.len() {
            body["isLast"] = false.into();
            body["nextPageToken"] = pages.begin(&asked.question, first + size, world.now).into();
        }
        world.searched();
        Said::whole(200, body)
    }
}

impl Pages {
    /// The row at which a page begins.
    fn first(&self, asked: &Asked, now: DateTime<Utc>) -> Option<usize> {
        let Some(token) = &asked.token else {
            return Some(asked.first);
        };
        let (question, first, begun) = self.begun.get(token)?;
        (*question == asked.question && *begun + PAGE_LIFE > now).then_some(*first)
    }

    fn begin(&mut self, question: &str, first: usize, now: DateTime<Utc>) -> String {
        self.count += 1;
        let token = BASE64_STANDARD.encode(format!("String&{}&{first}", self.count));
        self.begun
            .insert(token.clone(), (question.to_owned(), first, now));
        token
    }
}

/// More rows for less of each.
fn most_rows(fields: &[String]) -> usize {
    match fields {
        [] => 5000,
        fields
            if fields
                .iter()
                .all(|name| matches!(name.as_str(), "id" | "key")) =>
        {
            5000
        }
        fields if fields.len() < 5 => 1000,
        _ => 100,
    }
}

fn count(world: &mut World, body: &Value) -> Said {
    let question = body["jql"].as_str().unwrap_or_default();
    match Query::parse(question, world.now, world.zone) {
        Ok(query) => Said::whole(200, json!({ "count": query.select(world.known()).len() })),
        Err(says) => fault(400, &says),
    }
}

/// An issue by its id or any key that it ever had; no redirect leads from an old one.
pub(super) fn one(world: &World, heard: &Heard, name: &str, style: Style, base: &str) -> Said {
    let asked = Asked::of(heard, &["*all"]);
    match world.find(name) {
        Some(row) if world.forbidden.contains(&row.id) => fault(
            403,
            "You do not have the permission to see the specified issue.",
        ),
        Some(row) => Said::whole(200, issue(row, world, &asked.fields, style, base)),
        None => fault(
            404,
            "Issue does not exist or you do not have permission to see it.",
        ),
    }
}

pub(super) fn project(world: &World, heard: &Heard, name: &str) -> Said {
    match render::project(world, heard, name) {
        Some(project) => Said::whole(200, project),
        None => fault(404, "No project could be found with that id or key."),
    }
}

pub(super) fn server_info(deployment: &str, version: &str, base: &str) -> Value {
    let numbers: Value = version
        .split('.')
        .filter_map(|number| number.parse::<u32>().ok())
        .collect();
    json!({ "baseUrl": base, "version": version, "versionNumbers": numbers, "deploymentType": deployment,
        "buildNumber": 100_000, "serverTitle": "Jira" })
}

pub(super) fn fields() -> Value {
    json!([
        { "id": "summary", "key": "summary", "name": "Summary", "custom": false },
        { "id": "customfield_10042", "key": "customfield_10042", "name": "Acceptance Criteria", "custom": true },
    ])
}

/// A refusal in Jira's form.
pub(super) fn fault(status: u16, says: &str) -> Said {
    Said::whole(status, json!({ "errorMessages": [says], "errors": {} }))
}

/// Where the call was made to.
pub(super) fn base(heard: &Heard) -> String {
    format!("http://{}", heard.header("host"))
}

fn basic(heard: &Heard) -> bool {
    let both = heard.header("authorization").strip_prefix("Basic ");
    let both = both.and_then(|both| BASE64_STANDARD.decode(both).ok());
    let both = both.and_then(|both| String::from_utf8(both).ok());
    both.is_some_and(|both| {
        let (name, token) = both.split_once(':').unwrap_or_default();
        name.contains('@') && !token.is_empty() && !token.starts_with("bad")
    })
}

/// An answer that sends people elsewhere.
fn redirect(to: String) -> Said {
    Said {
        status: 302,
        body: Words::Headed(Value::Null, vec![("location", to)]),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
