//! Issues as every tracker tells them.

use chrono::Duration;
use domain::trackers::{Ask, IssuePriority, IssueStatus, TrackerError, TrackerKind};
use integrations::trackers::SetupError;
use serde_json::json;
use tests::fakes::jira::FakeJira;

use super::support::{AnyFake, auth, connection, noon, trackers};

const EVERYTHING: Ask = Ask {
    since: None,
    page: None,
};

#[tokio::test]
async fn every_tracker_tells_of_its_issues_in_the_same_words() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let id = fake.shared().world().create(fake.projects()[0], "Ducks");
        fake.shared().world().change(id, |row| {
            row.assignee = Some(0);
            row.priority = "High";
        });
        let page = fake
            .client()
            .fetch_since(&EVERYTHING)
            .await
            .expect("a page");
        let [issue] = page.issues.as_slice() else {
            panic!("{kind}: one issue, not {}", page.issues.len());
        };
        let description = "What is to be done about Ducks.\n\nAnd why.\n\n";
        assert!(
            issue.description.starts_with(description),
            "{kind}: {}",
            issue.description
        );
        assert_eq!(
            issue.acceptance_criteria.as_deref(),
            Some("- It is done"),
            "{kind}"
        );
        assert_eq!(
            (issue.title.as_str(), issue.status),
            ("Ducks", IssueStatus::Open)
        );
        assert_eq!(issue.priority, Some(IssuePriority::High), "{kind}");
        assert_eq!(issue.labels, ["ponds"], "{kind}");
        assert_eq!(issue.updated_at, noon(), "{kind}");
        let assignee = issue
            .assignee
            .as_ref()
            .and_then(|person| person.email.as_deref());
        assert_eq!(assignee, Some("ann@example.com"), "{kind}");
        assert!(
            issue.url.starts_with(&fake.address()),
            "{kind}: {}",
            issue.url
        );
        assert_eq!(issue.external_id, id.to_string(), "{kind}");
        assert_eq!(
            fake.client().fetch(&issue.external_id).await.as_ref(),
            Ok(issue),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn finished_issues_do_not_vanish() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let id = fake.shared().world().create(fake.projects()[0], "Ducks");
        fake.shared()
            .world()
            .change(id, |row| row.status = ("Done", "done"));
        let page = fake
            .client()
            .fetch_since(&EVERYTHING)
            .await
            .expect("a page");
        let statuses: Vec<_> = page.issues.iter().map(|issue| issue.status).collect();
        assert_eq!(statuses, [IssueStatus::Done], "{kind}");
    }
}

#[tokio::test]
async fn times_mean_the_same_in_every_time_zone() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        {
            let mut world = fake.shared().world();
            world.zone = chrono::FixedOffset::east_opt(9 * 3600).expect("an offset");
            world.create(fake.projects()[0], "Before");
            world.wait(Duration::hours(1));
            world.create(fake.projects()[0], "After");
        }
        let ask = Ask {
            since: Some(noon() + Duration::minutes(30)),
            page: None,
        };
        let page = fake.client().fetch_since(&ask).await.expect("a page");
        let found: Vec<_> = page
            .issues
            .iter()
            .map(|issue| (issue.title.as_str(), issue.updated_at))
            .collect();
        assert_eq!(found, [("After", noon() + Duration::hours(1))], "{kind}");
    }
}

#[tokio::test]
async fn a_moved_issue_is_found_by_its_id_and_its_old_key_tells_the_new_one() {
    for kind in [TrackerKind::Jira, TrackerKind::JiraDc] {
        let fake = AnyFake::start(kind).await;
        let id = fake.shared().world().create("DEMO", "Ducks");
        fake.shared().world().relocate(id, "OPS");
        let client = fake.client();
        let by_id = client.fetch(&id.to_string()).await.expect("an issue");
        assert_eq!(by_id.ext_key, "OPS-1");
        assert_eq!(client.fetch("ops-1").await.as_ref(), Ok(&by_id));
        let moved = TrackerError::Moved {
            key: "OPS-1".into(),
        };
        assert_eq!(client.fetch("DEMO-1").await, Err(moved));
    }
}

#[tokio::test]
async fn a_deleted_issue_is_not_there_and_no_name_leads_elsewhere() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let id = fake.shared().world().create(fake.projects()[0], "Ducks");
        fake.shared().world().delete(id);
        for name in [
            id.to_string().as_str(),
            "../myself",
            "..",
            "",
            "1?x=1",
            "1/comment",
        ] {
            assert_eq!(
                fake.client().fetch(name).await,
                Err(TrackerError::NotFound),
                "{kind}: {name}"
            );
        }
        assert_eq!(
            fake.stage().calls(),
            1,
            "{kind}: what is no name is not asked for"
        );
    }
}

#[tokio::test]
async fn only_the_projects_that_were_named_are_read() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let [home, away] = fake.projects();
        fake.shared().world().create(home, "Here");
        fake.shared().world().create(away, "There");
        let mut connection = fake.connection("good-token");
        connection.projects = vec![away.into()];
        let client = fake.connect(connection);
        let page = client.fetch_since(&EVERYTHING).await.expect("a page");
        let titles: Vec<_> = page
            .issues
            .iter()
            .map(|issue| issue.title.as_str())
            .collect();
        assert_eq!(titles, ["There"], "{kind}");
        let keys = client.keys(None).await.expect("a page of keys");
        assert_eq!(keys.issues.len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn all_keys_are_listed_page_by_page() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        fake.shared()
            .world()
            .populate(fake.projects()[0], 1100, Duration::seconds(7));
        let client = fake.client();
        let (mut page, mut seen) = (None, std::collections::BTreeSet::new());
        loop {
            let found = client.keys(page.as_ref()).await.expect("a page of keys");
            assert!(found.issues.iter().all(|issue| issue.updated_at.is_some()));
            seen.extend(found.issues.into_iter().map(|issue| issue.external_id));
            page = found.next;
            if page.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 1100, "{kind}");
        assert!(
            fake.stage().calls() <= 3,
            "{kind}: {}",
            fake.stage().calls()
        );
    }
}

#[tokio::test]
async fn questions_on_the_wire_are_the_reviewed_ones() {
    let mut asked = Vec::new();
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        fake.shared()
            .world()
            .populate(fake.projects()[0], 250, Duration::seconds(0));
        let client = fake.client();
        let since = Some(noon() - Duration::days(2));
        let first = Ask { since, page: None };
        let page = client.fetch_since(&first).await.expect("a page").next;
        let ask = Ask { since, page };
        client.fetch_since(&ask).await.expect("a page");
        client.fetch("10001").await.expect("an issue");
        client.keys(None).await.expect("a page of keys");
        client.check().await.expect("an account");
        asked.extend(fake.stage().heard().into_iter().map(|heard| {
            let proof = heard.header("authorization").split(' ').next();
            json!({ "what": heard.what, "query": heard.query, "body": heard.body, "proof": proof })
        }));
    }
    insta::assert_json_snapshot!(asked);
}

#[tokio::test]
async fn a_check_says_for_whom_the_tracker_takes_us() {
    for kind in TrackerKind::ALL {
        let fake = AnyFake::start(*kind).await;
        let account = fake.client().check().await.expect("an account");
        assert_eq!(account.person.name, "Ann Drake", "{kind}");
        assert_eq!(
            account.time_zone.as_deref(),
            Some("Europe/Berlin"),
            "{kind}"
        );
        let expected = (*kind != TrackerKind::Teamwork).then_some("customfield_10042");
        assert_eq!(account.criteria_field.as_deref(), expected, "{kind}");
    }
}

#[tokio::test]
async fn a_jira_of_the_other_kind_is_named_as_such() {
    let fake = FakeJira::start(noon()).await;
    // A site below a path, as Data Center is asked: the version of its API is there too.
    let auth = auth(TrackerKind::JiraDc, "good-token");
    let connection = connection(TrackerKind::JiraDc, fake.url(), auth);
    let client = trackers(fake.url(), &fake.shared).client(connection);
    let error = client
        .expect("a client")
        .check()
        .await
        .expect_err("the Cloud");
    assert_eq!(error.class(), "tracker_misconfigured");
    assert!(error.to_string().contains("connect it as jira"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_connected_is_refused_before_any_call() {
    let fake = AnyFake::start(TrackerKind::Jira).await;
    let trackers = trackers(fake.address().as_str(), fake.shared());
    let refused = |connection| trackers.client(connection).err().expect("refused");
    let wrong_way = connection(
        TrackerKind::JiraDc,
        &fake.address(),
        auth(TrackerKind::Jira, "x"),
    );
    assert!(matches!(
        refused(wrong_way),
        SetupError::Auth(TrackerKind::JiraDc)
    ));
    let token = connection(
        TrackerKind::JiraDc,
        &fake.address(),
        auth(TrackerKind::JiraDc, "a\nb"),
    );
    assert!(matches!(refused(token), SetupError::Token));
    let mut project = fake.connection("good-token");
    project.projects = vec!["A\" OR 1".into()];
    assert!(matches!(refused(project), SetupError::Project(..)));
    assert_eq!(fake.stage().calls(), 0);
}
