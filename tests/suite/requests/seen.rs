//! Who sees which requests.

use domain::requests::RequestStatus;
use serde_json::Value;
use tests::support::Client;

use super::{Desk, REQUESTS, made};

/// The titles a client is shown.
async fn titles(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{REQUESTS}{query}")).await;
    let list = list.expect(200).json();
    let rows = list["requests"].as_array().expect("requests").iter();
    rows.map(|row| row["title"].as_str().expect("a title").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_shown_what_it_has_to_do_with() {
    let desk = Desk::open().await;
    let done = desk.request_at(RequestStatus::Completed).await;
    let reviewed = desk.request_at(RequestStatus::EngineeringReview).await;
    let own = made(&desk.idle, "Of the idle").await;
    let foreign = made(&desk.other, "Of the other").await;
    let sees: [(&Client, &[&String]); 6] = [
        (&desk.admin, &[&foreign, &own, &reviewed, &done]),
        (&desk.lead, &[&foreign, &own, &reviewed, &done]),
        (&desk.developer, &[&reviewed, &done]),
        (&desk.idle, &[&own, &reviewed]),
        (&desk.requester, &[&reviewed, &done]),
        (&desk.other, &[&foreign]),
    ];
    for (client, paths) in sees {
        let list = client.get(REQUESTS).await.json();
        let rows = list["requests"].as_array().expect("requests").iter();
        let listed: Vec<String> = rows
            .map(|row| format!("{REQUESTS}/{}", row["id"].as_str().expect("an id")))
            .collect();
        assert_eq!(listed.iter().collect::<Vec<_>>(), paths);
        for path in [&done, &reviewed, &own, &foreign] {
            let status = if paths.contains(&path) { 200 } else { 404 };
            for part in ["", "/activity", "/comments"] {
                client.get(&format!("{path}{part}")).await.expect(status);
            }
        }
        let stats = client.get("/api/requests/stats").await.expect(200).json();
        assert_eq!(stats["total"], paths.len());
    }
    let stranger = desk.app.register().await;
    assert_eq!(titles(&stranger, "").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_walks_through_all_three_shares_page_by_page() {
    let desk = Desk::open().await;
    for number in 0..4 {
        desk.request_at(RequestStatus::Completed).await;
        desk.request_at(RequestStatus::EngineeringReview).await;
        made(&desk.developer, &format!("Own {number}")).await;
        made(&desk.other, "Unseen").await;
    }
    for query in ["limit=5", "limit=5&updatedSince=2020-01-01T00:00:00Z"] {
        let (mut seen, mut path) = (Vec::new(), format!("{REQUESTS}?{query}"));
        loop {
            let page = desk.developer.get(&path).await;
            let rows = page.expect(200).json()["requests"].clone();
            let rows = rows.as_array().expect("requests").clone();
            assert!(rows.len() <= 5);
            seen.extend(rows);
            match page.next_page() {
                Some(next) => next.clone_into(&mut path),
                None => break,
            }
        }
        assert_eq!(seen.len(), 12, "{query}");
        let places: Vec<&Value> = if query.contains("updatedSince") {
            seen.iter().map(|row| &row["updatedAt"]).collect()
        } else {
            seen.iter().rev().map(|row| &row["number"]).collect()
        };
        let ascends = |pair: &[&Value]| {
            pair[0].as_u64() < pair[1].as_u64() || pair[0].as_str() < pair[1].as_str()
        };
        assert!(places.windows(2).all(ascends), "{places:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_developer_any_more_loses_sight_of_what_was_assigned() {
    let desk = Desk::open().await;
    let path = desk.request_at(RequestStatus::InProgress).await;
    let user = format!("/api/users/{}", desk.developer.id());
    let role = |role: &str| serde_json::json!({ "role": role });
    desk.admin
        .patch(&user, &role("requester"))
        .await
        .expect(200);
    desk.developer.get(&path).await.expect(404);
    assert_eq!(titles(&desk.developer, "").await, [""; 0]);
    desk.admin.patch(&user, &role("lead")).await.expect(200);
    super::set(&desk.developer, &path, RequestStatus::Completed)
        .await
        .expect(200);
}
