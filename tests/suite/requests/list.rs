//! Finding requests.

use diesel_async::SimpleAsyncConnection as _;
use domain::requests::RequestStatus;
use serde_json::{Value, json};
use tests::support::Client;

use super::{Desk, REQUESTS, body, made, set};

/// The numbers of the requests that a query finds.
async fn found(client: &Client, query: &str) -> Vec<i64> {
    let list = client.get(&format!("{REQUESTS}?{query}")).await;
    let list = list.expect(200).json();
    let rows = list["requests"].as_array().expect("requests").iter();
    rows.map(|row| row["number"].as_i64().expect("a number"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_filtered_by_everything_they_are_sorted_by() {
    let desk = Desk::open().await;
    desk.request_at(RequestStatus::InProgress).await;
    let mut new = body("Straße 100% % Größe");
    new["vendor"] = json!("ABB");
    new["priority"] = json!("Low");
    desk.other.post(REQUESTS, &new).await.expect(201);
    made(&desk.lead, "Conveyor").await;
    let (requester, developer) = (desk.requester.id(), desk.developer.id());
    let cases: [(String, &[i64]); 17] = [
        (String::new(), &[3, 2, 1]),
        ("status=In%20Progress".into(), &[1]),
        ("status=Submitted".into(), &[3, 2]),
        ("priority=Low".into(), &[2]),
        ("vendor=ABB".into(), &[2]),
        ("vendor=abb".into(), &[]),
        ("vendor=KUKA&priority=High&status=Submitted".into(), &[3]),
        (format!("createdBy={requester}"), &[1]),
        ("createdBy=me".into(), &[3]),
        (format!("assignedTo={developer}"), &[1]),
        ("assignedTo=me".into(), &[]),
        ("q=CONVEY".into(), &[3]),
        ("q=gr%C3%B6sse".into(), &[]),
        ("q=GR%C3%96%C3%9Fe".into(), &[2]),
        ("q=100%25%20%25".into(), &[2]),
        ("q=tenth%20part".into(), &[3, 2, 1]),
        ("q=kuka".into(), &[3, 1]),
    ];
    for (query, numbers) in cases {
        assert_eq!(found(&desk.lead, &query).await, numbers, "{query}");
    }
    assert_eq!(found(&desk.developer, "assignedTo=me").await, [1]);
    assert_eq!(
        found(&desk.requester, &format!("createdBy={}", desk.other.id())).await,
        [0; 0]
    );
}

/// 600 more requests like the first one, past the API.
const MORE: &str = "
    INSERT INTO requests (id, company_id, number, title, description, vendor, priority, created_by, created_by_name)
        SELECT gen_random_uuid(), company_id, number + n, 'Another', description, vendor, priority, created_by, created_by_name
        FROM requests, generate_series(1, 600) AS n;
    INSERT INTO request_searches (request_id, company_id, folded_text, grams)
        SELECT id, company_id, 'another', '{}' FROM requests WHERE number > 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_found_whether_many_have_it_or_one_far_behind() {
    let desk = Desk::open().await;
    made(&desk.requester, "Xylophone").await;
    let mut conn = desk.app.database().connect().await;
    conn.batch_execute(MORE).await.expect("more requests");
    for client in [&desk.lead, &desk.requester] {
        assert_eq!(found(client, "q=xylophone&limit=1").await, [1]);
        assert_eq!(found(client, "q=xylophones&limit=1").await, [0; 0]);
        assert_eq!(found(client, "q=another&limit=2").await, [601, 600]);
        assert_eq!(found(client, "q=another").await.len(), 600);
        let page = client.get(&format!("{REQUESTS}?q=another&limit=1")).await;
        let next = client.get(page.next_page().expect("a next page")).await;
        assert_eq!(next.json()["requests"][0]["number"], 600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_found_by_the_moment_of_its_change() {
    let desk = Desk::open().await;
    let first = made(&desk.requester, "First").await;
    made(&desk.requester, "Second").await;
    let third = made(&desk.requester, "Third").await;
    let since = desk.lead.get(&third).await.json()["request"]["updatedAt"].clone();
    let since = since.as_str().expect("a time").to_owned();
    set(&desk.lead, &first, RequestStatus::FeasibilityReview)
        .await
        .expect(200);
    let comment = json!({"content": "Me too."});
    desk.requester
        .post(&format!("{third}/comments"), &comment)
        .await
        .expect(201);
    for name in ["updatedSince", "updated_since"] {
        assert_eq!(found(&desk.lead, &format!("{name}={since}")).await, [1, 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_commits_late_is_not_missed_by_who_polls() {
    let desk = Desk::open().await;
    let early = made(&desk.developer, "Early").await;
    let since = desk.lead.get(&early).await.json()["request"]["updatedAt"].clone();
    let query = format!("updatedSince={}", since.as_str().expect("a time"));
    let mut held = desk.app.database().connect().await;
    held.batch_execute("BEGIN; UPDATE requests SET priority = 'Low' WHERE title = 'Early'")
        .await
        .expect("a change under way");
    made(&desk.developer, "Late").await;
    for client in [&desk.lead, &desk.developer] {
        assert_eq!(found(client, &query).await, [1]);
    }
    held.batch_execute("COMMIT").await.expect("committed");
    for client in [&desk.lead, &desk.developer] {
        assert_eq!(found(client, &query).await, [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_a_foreign_cursor_is_refused() {
    let desk = Desk::open().await;
    for number in 1..=5 {
        made(&desk.requester, &format!("Number {number}")).await;
    }
    let first = desk.lead.get(&format!("{REQUESTS}?limit=2")).await;
    let next = first.next_page().expect("a next page").to_owned();
    made(&desk.requester, "Number 6").await;
    let second = desk.lead.get(&next).await;
    assert_eq!(second.json()["requests"][0]["number"], 3);
    let last = desk.lead.get(second.next_page().expect("one more")).await;
    assert_eq!(last.json()["requests"][0]["number"], 1);
    assert_eq!(last.next_page(), None);
    let cursor = next.split_once("cursor=").expect("a cursor").1;
    let foreign = format!("{REQUESTS}?status=Submitted&cursor={cursor}");
    desk.lead
        .get(&foreign)
        .await
        .expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_the_newest_hundred_comments_and_counts_all() {
    let desk = Desk::open().await;
    let path = made(&desk.requester, "Much talk").await;
    let comments = format!("{path}/comments");
    for number in 1..=103 {
        let comment = json!({"content": format!("Comment {number}")});
        desk.lead.post(&comments, &comment).await.expect(201);
    }
    let list = desk.requester.get(REQUESTS).await.json();
    let row = &list["requests"][0];
    let shown = row["comments"].as_array().expect("comments");
    assert_eq!((shown.len(), &row["commentCount"]), (100, &json!(103)));
    assert_eq!(shown[0]["content"], "Comment 4");
    assert_eq!(shown[99]["content"], "Comment 103");
    let detail = desk.requester.get(&path).await.json();
    assert_eq!(detail["comments"].as_array().map(Vec::len), Some(103));
    let page = desk.requester.get(&format!("{comments}?limit=100")).await;
    assert_eq!(page.json()[0]["number"], 1);
    let rest = desk
        .requester
        .get(page.next_page().expect("the rest"))
        .await;
    assert_eq!(rest.json()[2]["number"], 103);
    let page = desk
        .requester
        .get(&format!("{path}/activity?limit=103"))
        .await;
    assert_eq!(page.json()[0]["action"], "created");
    let rest = desk
        .requester
        .get(page.next_page().expect("the rest"))
        .await;
    assert_eq!(rest.json().as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_status_and_vendor() {
    let desk = Desk::open().await;
    desk.request_at(RequestStatus::Denied).await;
    made(&desk.requester, "Second").await;
    let mut new = body("Third");
    new["vendor"] = json!("ABB");
    desk.other.post(REQUESTS, &new).await.expect(201);
    let stats = desk
        .lead
        .get("/api/requests/stats")
        .await
        .expect(200)
        .json();
    assert_eq!(stats["total"], 3);
    let statuses: Vec<&Value> = stats["byStatus"]
        .as_array()
        .expect("statuses")
        .iter()
        .collect();
    assert_eq!(statuses.len(), RequestStatus::ALL.len());
    assert_eq!(statuses[0], &json!({"status": "Submitted", "count": 2}));
    assert_eq!(statuses[8], &json!({"status": "Denied", "count": 1}));
    assert_eq!(
        stats["byVendor"],
        json!([{"vendor": "KUKA", "count": 2}, {"vendor": "ABB", "count": 1}])
    );
}
