//! Rounds over thousands of issues that change while they are read, without a database: a ledger in
//! memory stores each page and the cursor after it at once, as a job does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Duration, Utc};
use domain::trackers::{
    Cursor, Issue, IssueRef, TrackerClient, TrackerError, TrackerKind, Verdict,
    cursor::Progress,
    reconcile::{Finding, compare},
};
use tests::fakes::{
    issues::{Shared, World},
    jira::FakeJira,
};

use super::support::{AnyFake, noon};

/// What is stored.
#[derive(Default)]
struct Ledger {
    issues: BTreeMap<String, (String, String, DateTime<Utc>)>,
    cursor: String,
}

impl Ledger {
    fn cursor(&self) -> Cursor {
        serde_json::from_str(&self.cursor).unwrap_or_default()
    }

    fn store(&mut self, issues: Vec<Issue>) {
        for issue in issues {
            let stored = self.issues.entry(issue.external_id).or_default();
            // A page that was long under way does not undo what came since.
            if stored.2 <= issue.updated_at {
                *stored = (issue.ext_key, issue.title, issue.updated_at);
            }
        }
    }

    /// A page, as a job reads and stores it.
    async fn step(&mut self, client: &Arc<dyn TrackerClient>, shared: &Shared) -> Progress {
        let mut cursor = self.cursor();
        let ask = cursor.ask(shared.now());
        let page = match client.fetch_since(&ask).await {
            Ok(page) => page,
            Err(error) if error.verdict() == Verdict::Restart => {
                assert!(cursor.restart(), "often enough");
                self.cursor = serde_json::to_string(&cursor).expect("JSON");
                return Progress::More;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(page.unreadable, []);
        let progress = cursor.pass(&page).expect("no circles");
        self.store(page.issues);
        self.cursor = serde_json::to_string(&cursor).expect("JSON");
        progress
    }

    /// A round, to its end.
    async fn round(&mut self, client: &Arc<dyn TrackerClient>, shared: &Shared) {
        while self.step(client, shared).await == Progress::More {}
    }

    /// What the world has and this has not, or not as it is.
    fn lacks(&self, world: &World) -> Vec<String> {
        let is_kept = |id: u64, key: &str, title: &str| {
            let kept = self.issues.get(&id.to_string());
            // A task is called by its id.
            let is_called = |name: &str| name == key || name == id.to_string();
            kept.is_some_and(|(name, shown, _)| is_called(name) && shown == title)
        };
        let rows = world
            .rows()
            .filter(|row| !is_kept(row.id, &row.key, &row.title));
        rows.map(|row| row.key.clone()).collect()
    }

    /// Goes through everything: reads what is missing or stale, and asks by its id for what no page shows.
    async fn reconcile(&mut self, client: &Arc<dyn TrackerClient>) {
        let mut gone: BTreeSet<String> = self.issues.keys().cloned().collect();
        let mut page = None;
        loop {
            let found = client.keys(page.as_ref()).await.expect("a page of keys");
            for listed in found.issues {
                gone.remove(&listed.external_id);
                let stored = self.reference(&listed.external_id);
                if compare(&listed, stored.as_ref()) != Finding::Same {
                    let issue = client.fetch(&listed.external_id).await;
                    self.store(vec![issue.expect("an issue")]);
                }
            }
            page = found.next;
            if page.is_none() {
                break;
            }
        }
        for id in gone {
            if client.fetch(&id).await == Err(TrackerError::NotFound) {
                self.issues.remove(&id);
            }
        }
    }

    fn reference(&self, id: &str) -> Option<IssueRef> {
        let (key, _, updated_at) = self.issues.get(id)?;
        Some(IssueRef {
            external_id: id.to_owned(),
            ext_key: key.clone(),
            updated_at: Some(*updated_at),
        })
    }
}

/// After each search some issues change, here and there; one is deleted, one moves, one is made.
pub(crate) fn restless(fake: &AnyFake, until: usize) {
    let [home, away] = fake.projects();
    fake.shared().world().meanwhile(move |world, searches| {
        world.wait(Duration::seconds(2));
        if searches > until {
            return;
        }
        let ids: Vec<u64> = world.rows().map(|row| row.id).collect();
        let count = ids.len();
        for step in 0..20 {
            let id = ids[(searches * 7919 + step * 263) % count];
            world.retitle(id, &format!("Changed after search {searches}"));
        }
        world.delete(ids[(searches * 31 + 5) % count]);
        world.relocate(ids[(searches * 37 + 6) % count], away);
        world.create(home, &format!("Made after search {searches}"));
    });
}

async fn nothing_is_lost(kind: TrackerKind) {
    let fake = AnyFake::start(kind).await;
    {
        let mut world = fake.shared().world();
        world.lag = Duration::minutes(4);
        world.populate(fake.projects()[0], 5000, Duration::seconds(37));
    }
    restless(&fake, 60);
    let (client, mut ledger) = (fake.client(), Ledger::default());
    ledger.round(&client, fake.shared()).await;
    let calls = fake.stage().calls();
    assert!((50..=60).contains(&calls), "{calls} calls for 5000 issues");
    fake.shared().world().meanwhile(|_, _| ());
    fake.shared().world().wait(Duration::minutes(10));
    ledger.round(&client, fake.shared()).await;
    assert_eq!(ledger.lacks(&fake.shared().world()), [""; 0], "{kind}");
    let calls = fake.stage().calls() - calls;
    assert!(calls <= 20, "{calls} calls for what changed");
    ledger.reconcile(&client).await;
    assert_eq!(ledger.issues.len(), fake.shared().world().rows().count());
    fake.shared().world().wait(Duration::hours(2));
    ledger.round(&client, fake.shared()).await;
    let calls = fake.stage().calls();
    fake.shared().world().wait(Duration::minutes(5));
    ledger.round(&client, fake.shared()).await;
    assert_eq!(
        fake.stage().calls() - calls,
        1,
        "a quiet tracker is asked once"
    );
}

#[tokio::test]
async fn no_issue_of_jira_is_lost_or_stale_however_many_change_while_they_are_read() {
    nothing_is_lost(TrackerKind::Jira).await;
}

#[tokio::test]
async fn no_issue_of_data_center_is_lost_or_stale_however_many_change_while_they_are_read() {
    nothing_is_lost(TrackerKind::JiraDc).await;
}

#[tokio::test]
async fn no_task_of_teamwork_is_lost_or_stale_however_many_change_while_they_are_read() {
    nothing_is_lost(TrackerKind::Teamwork).await;
}

#[tokio::test]
async fn a_minute_with_more_changes_than_fit_on_a_page_is_read_to_its_end() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        fake.shared()
            .world()
            .populate(fake.projects()[0], 1000, Duration::zero());
        let (client, mut ledger) = (fake.client(), Ledger::default());
        ledger.round(&client, fake.shared()).await;
        assert_eq!(ledger.lacks(&fake.shared().world()), [""; 0], "{kind}");
        assert!(
            fake.stage().calls() <= 13,
            "{kind}: {}",
            fake.stage().calls()
        );
    }
}

#[tokio::test]
async fn rows_that_slip_within_a_full_minute_are_noticed() {
    let fake = AnyFake::start(TrackerKind::JiraDc).await;
    fake.shared()
        .world()
        .populate("DEMO", 1000, Duration::zero());
    fake.shared().world().meanwhile(|world, searches| {
        // The first of all move to the end, fifteen at a time: more than pages overlap.
        let first: Vec<u64> = world
            .rows()
            .map(|row| row.id)
            .skip(searches * 15)
            .take(15)
            .collect();
        for id in first.into_iter().filter(|_| searches < 5) {
            world.retitle(id, "Changed");
        }
    });
    let (client, mut ledger) = (fake.client(), Ledger::default());
    ledger.round(&client, fake.shared()).await;
    assert_eq!(ledger.lacks(&fake.shared().world()), [""; 0]);
}

#[tokio::test]
async fn what_slips_where_nobody_can_notice_is_found_when_all_keys_are_gone_through() {
    for kind in [TrackerKind::Jira, TrackerKind::Teamwork] {
        let fake = AnyFake::start(kind).await;
        fake.shared()
            .world()
            .populate(fake.projects()[0], 1000, Duration::zero());
        restless(&fake, 8);
        let (client, mut ledger) = (fake.client(), Ledger::default());
        ledger.round(&client, fake.shared()).await;
        let lost = ledger.lacks(&fake.shared().world());
        assert_ne!(
            lost, [""; 0],
            "{kind}: a full minute is read by the tracker's pages"
        );
        ledger.reconcile(&client).await;
        assert_eq!(ledger.lacks(&fake.shared().world()), [""; 0], "{kind}");
        let rows = fake.shared().world().rows().count();
        assert_eq!(ledger.issues.len(), rows, "{kind}");
    }
}

#[tokio::test]
async fn short_pages_are_not_the_end() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        fake.shared()
            .world()
            .populate(fake.projects()[0], 100, Duration::minutes(3));
        fake.shared().world().short = Some(7);
        let (client, mut ledger) = (fake.client(), Ledger::default());
        ledger.round(&client, fake.shared()).await;
        assert_eq!(ledger.lacks(&fake.shared().world()), [""; 0], "{kind}");
    }
}

#[tokio::test]
async fn a_round_goes_on_after_its_pages_were_forgotten() {
    let fake = FakeJira::start(noon()).await;
    fake.shared.world().populate("DEMO", 350, Duration::zero());
    let shared = fake.shared.clone();
    let any = AnyFake::Jira(fake);
    let (client, mut ledger) = (any.client(), Ledger::default());
    ledger.step(&client, &shared).await;
    ledger.step(&client, &shared).await;
    shared.world().wait(Duration::days(8));
    ledger.round(&client, &shared).await;
    assert_eq!(ledger.lacks(&shared.world()), [""; 0]);
    assert!(ledger.cursor().round.is_none());
}

#[tokio::test]
async fn a_round_whose_worker_was_killed_is_gone_on_with() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        fake.shared()
            .world()
            .populate(fake.projects()[0], 1000, Duration::minutes(2));
        let mut ledger = Ledger::default();
        for _ in 0..4 {
            ledger.step(&fake.client(), fake.shared()).await;
        }
        let before = fake.stage().calls();
        ledger.round(&fake.client(), fake.shared()).await;
        assert_eq!(ledger.lacks(&fake.shared().world()), [""; 0], "{kind}");
        assert!(
            fake.stage().calls() - before <= 8,
            "{kind}: it does not begin anew"
        );
    }
}

/// The fake is hostile enough: whoever trusts its pages loses issues.
#[tokio::test]
async fn whoever_trusts_pages_by_row_loses_issues_to_this_fake() {
    let fake = AnyFake::start(TrackerKind::JiraDc).await;
    fake.shared()
        .world()
        .populate("DEMO", 1000, Duration::seconds(37));
    restless(&fake, 60);
    let http = reqwest::Client::new();
    let mut seen = Vec::new();
    for page in 0..12 {
        let body = serde_json::json!({ "jql": "ORDER BY updated ASC", "startAt": page * 100, "maxResults": 100, "fields": ["updated"] });
        let address = format!("{}/rest/api/2/search", fake.address());
        let call = http.post(address).bearer_auth("good-token").json(&body);
        let found: serde_json::Value = call
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        let ids = found["issues"].as_array().expect("issues").iter();
        seen.extend(ids.map(|issue| issue["id"].as_str().expect("an id").to_owned()));
    }
    let world = fake.shared().world();
    let lost = world
        .rows()
        .filter(|row| row.title.starts_with("Issue") && !seen.contains(&row.id.to_string()));
    assert!(lost.count() > 0);
}
