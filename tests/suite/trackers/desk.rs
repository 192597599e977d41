//! The product beside a fake tracker: the real server and the real worker, which read it.

use std::time::{Duration, Instant};

use chrono::Utc;
use domain::trackers::TrackerKind;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    fakes::issues::Hook,
    support::{App, Client, Options, Reply},
};
use url::Url;

use super::support::{AnyFake, config};

/// An installation with an admin, beside a tracker.
pub(crate) struct Desk {
    pub(crate) app: App,
    pub(crate) admin: Client,
    pub(crate) fake: AnyFake,
}

/// Settings under which this fake may be called.
pub(crate) fn options(fake: &str) -> Options {
    let trackers = config(fake);
    Options::with(move |config| {
        config.gateway.trackers = trackers;
        config.gateway.reach.allowed_private_hosts = vec!["127.0.0.1".into()];
    })
}

/// The installation beside a tracker of this kind, at the present time.
pub(crate) async fn desk(kind: TrackerKind) -> Desk {
    let fake = AnyFake::start_at(kind, Utc::now()).await;
    let app = App::start_with(options(&fake.stage().url)).await;
    let admin = app.register().await;
    Desk { app, admin, fake }
}

/// How a kind is signed in to.
pub(crate) fn auth(kind: TrackerKind, token: &str) -> Value {
    match kind {
        TrackerKind::Jira => json!({ "email": "ann@example.com", "apiToken": token }),
        TrackerKind::JiraDc => json!({ "pat": token }),
        TrackerKind::Teamwork => json!({ "apiToken": token }),
    }
}

impl Desk {
    /// The body that connects the fake.
    pub(crate) fn body(&self) -> Value {
        let kind = self.fake.kind();
        json!({
            "type": kind, "name": format!("Ducks {}", rand::random::<u64>()),
            "baseUrl": self.fake.address(), "auth": auth(kind, "good-token"),
            "webhookSecret": "a-secret-of-hooks",
        })
    }

    /// Connects the fake; the path of the tracker.
    pub(crate) async fn connect(&self) -> String {
        self.connect_as(&self.body()).await
    }

    pub(crate) async fn connect_as(&self, body: &Value) -> String {
        let made = self.admin.post("/api/trackers", body).await;
        let id = made.expect(201).json()["id"].clone();
        format!("/api/trackers/{}", id.as_str().expect("an id"))
    }

    pub(crate) async fn tracker(&self, path: &str) -> Value {
        self.admin.get(path).await.expect(200).json()
    }

    /// Asks for a round, has it performed, and gives what became of it.
    pub(crate) async fn sync(&self, path: &str) -> Value {
        let asked = self.admin.post_empty(&format!("{path}/sync")).await;
        let id = asked.expect(202).json()["syncId"].clone();
        self.app.drain().await;
        self.round(path, &id).await
    }

    /// A round of this id.
    pub(crate) async fn round(&self, path: &str, id: &Value) -> Value {
        let rounds = self.admin.get(&format!("{path}/syncs")).await.json();
        let mut rounds = rounds.as_array().expect("a list").iter();
        let found = rounds.find(|round| round["id"] == *id);
        found.unwrap_or_else(|| panic!("no round {id}")).clone()
    }

    /// Has everything gone through.
    pub(crate) async fn sweep(&self, path: &str) -> Value {
        self.sweep_at(path, worker::Pace::default()).await
    }

    /// Has everything gone through at this pace.
    pub(crate) async fn sweep_at(&self, path: &str, pace: worker::Pace) -> Value {
        let id = id_of(path);
        let sql = format!(
            "UPDATE trackers SET next_sweep_at = now(), next_sync_at = now() + interval '1 day' WHERE id = '{id}'"
        );
        self.app.database().run(&sql).await;
        let worker = worker::Worker {
            pace,
            ..self.app.worker()
        };
        assert_eq!(worker::tick_trackers(&worker).await.expect("a tick"), 1);
        worker::drain(&worker).await.expect("drained");
        let rounds = self.admin.get(&format!("{path}/syncs")).await.json();
        assert_eq!(rounds[0]["kind"], "sweep");
        rounds[0].clone()
    }

    /// All issues: id in the tracker, key, title.
    pub(crate) async fn issues(&self) -> Vec<(String, String, String)> {
        use db::schema::issues::dsl::{ext_key, external_id, gone_at, issues, title};
        use diesel::{ExpressionMethods as _, QueryDsl as _};
        use diesel_async::RunQueryDsl as _;
        let rows = issues.filter(gone_at.is_null()).order(external_id).select((
            external_id,
            ext_key,
            title,
        ));
        let mut connection = self.app.database().connect().await;
        rows.load(&mut connection).await.expect("issues")
    }

    /// What the tracker has.
    pub(crate) fn world(&self) -> Vec<(String, String, String)> {
        let world = self.fake.shared().world();
        // A task is called by its id.
        let is_task = self.fake.kind() == TrackerKind::Teamwork;
        let mut rows: Vec<_> = world
            .rows()
            .map(|row| {
                let id = row.id.to_string();
                let key = if is_task { id.clone() } else { row.key.clone() };
                (id, key, row.title.clone())
            })
            .collect();
        rows.sort();
        rows
    }

    /// Fails with the first differences unless everything is here as it is there.
    pub(crate) async fn has_everything(&self, why: &str) {
        let (here, there) = (self.issues().await, self.world());
        let lacks: Vec<_> = there
            .iter()
            .filter(|row| !here.contains(row))
            .take(5)
            .collect();
        let more: Vec<_> = here
            .iter()
            .filter(|row| !there.contains(row))
            .take(5)
            .collect();
        assert!(
            lacks.is_empty() && more.is_empty(),
            "{why}: lacks {lacks:?}, has {more:?}"
        );
    }

    /// Sends a webhook, as the tracker would.
    pub(crate) async fn hook(&self, path: &str, hook: &Hook) -> Reply {
        let mut request = self.app.anonymous().request(Method::POST, path);
        for (name, value) in &hook.headers {
            request = request.header(*name, value);
        }
        Reply::to(request.body(hook.body.clone())).await
    }
}

/// The id in the path of a tracker.
pub(crate) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().expect("an id")
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The path of an address.
pub(crate) fn path_of(address: &str) -> String {
    let url: Url = address.parse().expect("an address");
    let query = url.query().map(|query| format!("?{query}"));
    format!("{}{}", url.path(), query.unwrap_or_default())
}
