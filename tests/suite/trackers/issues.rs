//! Issues, through HTTP.

use chrono::{DateTime, Duration, Utc};
use domain::{
    trackers::{Issue, IssueStatus, Person, TrackerId},
    users::CompanyId,
};
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::noon;

/// An issue as a tracker might send it.
pub(crate) fn issue(number: u32, updated_at: DateTime<Utc>) -> Issue {
    Issue {
        external_id: (10_000 + number).to_string(),
        ext_key: format!("DEMO-{number}"),
        url: format!("https://example.atlassian.net/browse/DEMO-{number}"),
        title: format!("Issue number {number}"),
        description: "What is to be done.".into(),
        status: IssueStatus::Open,
        status_name: "To Do".into(),
        priority: None,
        priority_name: None,
        labels: vec!["ponds".into()],
        acceptance_criteria: Some("- It is done".into()),
        assignee: None,
        reporter: None,
        created_at: None,
        updated_at,
        payload: json!({ "id": number }),
    }
}

fn person(email: &str) -> Person {
    Person {
        name: "Ann Drake".into(),
        email: Some(email.into()),
        external_id: "11".into(),
    }
}

/// The company of somebody.
pub(crate) async fn company(app: &App, client: &Client) -> CompanyId {
    use db::schema::users::dsl::{company_id, id, users};
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl as _;
    let who: domain::users::UserId = client.id().parse().expect("an id");
    let row = users.filter(id.eq(who)).select(company_id);
    let mut connection = app.database().connect().await;
    row.first(&mut connection).await.expect("a company")
}

/// A tracker of the admin's company which nobody can call.
async fn tracker(app: &App, company: CompanyId) -> TrackerId {
    let id = TrackerId::new();
    let sql = format!(
        "INSERT INTO trackers (id, company_id, name, kind, base_url, auth_kind)
         VALUES ('{id}', '{}', 'Ducks {id}', 'jira', 'https://example.atlassian.net', 'basic')",
        company.0
    );
    app.database().run(&sql).await;
    id
}

async fn store(app: &App, company: CompanyId, tracker: TrackerId, issues: &[Issue]) -> usize {
    let mut conn = app.inner.pool.get().await.expect("a connection");
    let stored = db::issues::store(&mut conn, company, tracker, issues, Utc::now()).await;
    stored.expect("stored").written
}

fn keys(list: &Value) -> Vec<&str> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row["extKey"].as_str().expect("a key"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_are_listed_filtered_paged_and_followed() {
    let app = App::start().await;
    let admin = app.register().await;
    let dev = app.member(&admin, "developer").await;
    let company = company(&app, &admin).await;
    let (one, other) = (tracker(&app, company).await, tracker(&app, company).await);
    for number in 1..4 {
        let mut issue = issue(number, noon());
        if number == 2 {
            issue.assignee = Some(person(&dev.email().to_uppercase()));
            issue.status = IssueStatus::InProgress;
        }
        store(&app, company, one, &[issue]).await;
    }
    store(&app, company, other, &[issue(1, noon())]).await;
    let list = async |query: &str| dev.get(&format!("/api/issues{query}")).await;
    let page = list("?limit=3").await;
    let rows = page.json();
    assert_eq!(keys(&rows), ["DEMO-1", "DEMO-3", "DEMO-2"]);
    assert!(rows[0].get("payload").is_none());
    assert_eq!(rows[2]["assignee"]["userId"], dev.id());
    assert_eq!(rows[2]["trackerName"], format!("Ducks {one}"));
    let next = page.next_page().expect("another page").to_owned();
    assert_eq!(keys(&dev.get(&next).await.json()), ["DEMO-1"]);
    for (query, expected) in [
        ("?assignee=me".to_owned(), vec!["DEMO-2"]),
        (format!("?assignee={}", dev.id()), vec!["DEMO-2"]),
        ("?assignee=none&q=NUMBER%203".to_owned(), vec!["DEMO-3"]),
        (format!("?assignee={}", admin.id()), vec![]),
        ("?status=in_progress".to_owned(), vec!["DEMO-2"]),
        (format!("?tracker={other}"), vec!["DEMO-1"]),
        ("?q=demo-2".to_owned(), vec!["DEMO-2"]),
        ("?q=%25".to_owned(), vec![]),
    ] {
        assert_eq!(keys(&list(&query).await.json()), expected, "{query}");
    }
    let since = rows[1]["updatedAt"].as_str().expect("a time");
    let changed = list(&format!("?updatedSince={since}")).await;
    assert_eq!(keys(&changed.json()), ["DEMO-3", "DEMO-1"]);
    for wrong in [
        "?assignee=ann",
        "?status=someday",
        "?owner=me",
        "?tracker=1",
    ] {
        list(wrong).await.expect_problem(400, "invalid_query");
    }
    let requester = app.member(&admin, "requester").await;
    requester
        .get("/api/issues")
        .await
        .expect_problem(403, "forbidden");
    let stranger = app.register().await;
    assert_eq!(stranger.get("/api/issues").await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_issue_has_what_was_sent_and_a_revision_that_people_change() {
    let app = App::start().await;
    let admin = app.register().await;
    let company = company(&app, &admin).await;
    let tracker = tracker(&app, company).await;
    let mut sent = issue(1, noon());
    sent.assignee = Some(person("Late.Comer@Example.com"));
    store(&app, company, tracker, &[sent]).await;
    let id = admin.get("/api/issues").await.json()[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/issues/{id}");
    let first = admin.get(&path).await;
    first.expect(200);
    assert_eq!(first.json()["payload"], json!({ "id": 1 }));
    assert_eq!(first.json()["assignee"]["userId"], Value::Null);
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = admin
        .request(reqwest::Method::GET, &path)
        .header("if-none-match", &tag);
    tests::support::Reply::to(again).await.expect(304);
    let late = json!({ "email": "late.comer@example.com", "name": "Late", "role": "developer", "password": "violet-otter-77" });
    admin.post("/api/users", &late).await.expect(201);
    let now = admin
        .request(reqwest::Method::GET, &path)
        .header("if-none-match", &tag);
    let now = tests::support::Reply::to(now).await.expect(200).json();
    assert!(now["assignee"]["userId"].is_string(), "{now}");
    let body = json!({});
    admin
        .post("/api/issues", &body)
        .await
        .expect_problem(405, "method_not_allowed");
    app.database()
        .run("UPDATE trackers SET deleted_at = now()")
        .await;
    admin.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(admin.get("/api/issues").await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_replaces_no_newer_one_and_the_same_is_not_written() {
    let app = App::start().await;
    let admin = app.register().await;
    let company = company(&app, &admin).await;
    let tracker = tracker(&app, company).await;
    let store = async |issues: &[Issue]| store(&app, company, tracker, issues).await;
    let new = issue(1, noon());
    let mut old = issue(1, noon() - Duration::minutes(1));
    old.title = "Old".into();
    assert_eq!(store(&[old.clone(), new.clone(), old.clone()]).await, 1);
    let title = async || admin.get("/api/issues").await.json()[0]["title"].clone();
    assert_eq!(title().await, "Issue number 1");
    assert_eq!(store(&[old.clone()]).await, 0);
    assert_eq!(store(std::slice::from_ref(&new)).await, 0);
    let mut relabelled = new.clone();
    relabelled.labels.push("more".into());
    assert_eq!(store(&[relabelled]).await, 1, "its time may be the same");
    old.updated_at = noon() + Duration::milliseconds(1);
    assert_eq!(store(&[old]).await, 1);
    assert_eq!(title().await, "Old");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_wander_and_ids_do_not() {
    let app = App::start().await;
    let admin = app.register().await;
    let company = company(&app, &admin).await;
    let tracker = tracker(&app, company).await;
    let store = async |issues: &[Issue]| store(&app, company, tracker, issues).await;
    let (mut one, mut two) = (issue(1, noon()), issue(2, noon()));
    store(&[one.clone(), two.clone()]).await;
    // They change places.
    std::mem::swap(&mut one.ext_key, &mut two.ext_key);
    assert_eq!(store(&[one.clone(), two.clone()]).await, 2);
    // The first moves to where a third is said to be, which nobody has heard of.
    let mut three = issue(3, noon() + Duration::minutes(1));
    three.ext_key.clone_from(&one.ext_key);
    assert_eq!(store(&[three.clone()]).await, 1);
    assert_eq!(app.count("issues WHERE key_lost").await, 1);
    one.ext_key = "OPS-1".into();
    one.updated_at = noon() + Duration::minutes(2);
    assert_eq!(store(&[one.clone()]).await, 1);
    assert_eq!(app.count("issues WHERE key_lost").await, 0);
    // Both under one key on one page: the one that changed last has it.
    three.ext_key = "OPS-1".into();
    store(&[one, three]).await;
    let held = "issues WHERE ext_key = 'OPS-1' AND NOT key_lost AND external_id = '10001'";
    assert_eq!(app.count(held).await, 1);
    assert_eq!(app.count("issues").await, 3);
}
