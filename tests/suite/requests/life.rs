//! What the front end does, call by call, as its people do it.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::{Desk, REQUESTS, activity, body, made};

/// The request as the front end's list has it.
async fn listed(client: &Client, id: &Value) -> Value {
    let list = client.get(REQUESTS).await.expect(200).json();
    let rows = list["requests"].as_array().expect("requests");
    rows.iter()
        .find(|row| row["id"] == *id)
        .expect("the request")
        .clone()
}

async fn to(client: &Client, path: &str, status: &str) {
    let reply = client
        .patch(&format!("{path}/status"), &json!({ "status": status }))
        .await;
    assert_eq!(reply.expect(200).json()["request"]["status"], status);
}

async fn comment(client: &Client, path: &str, content: &str) -> Value {
    let reply = client
        .post(&format!("{path}/comments"), &json!({ "content": content }))
        .await;
    reply.expect(201).json()["comment"].clone()
}

/// Sends the form for a new request; its path, and the request.
async fn submit(desk: &Desk) -> (String, Value) {
    let new = json!({"title": " Weld cell ", "description": "Simulate the reach of the arm.", "vendor": "FANUC", "priority": "Medium", "view": "form"});
    let reply = desk.requester.post(REQUESTS, &new).await;
    let request = reply.expect(201).json()["request"].clone();
    assert_eq!(request["title"], "Weld cell");
    assert_eq!(request["status"], "Submitted");
    assert_eq!(request["comments"], json!([]));
    assert_eq!(request["createdByName"], "Grace Hopper");
    assert!(request.get("assignedTo").is_none());
    assert_eq!(listed(&desk.lead, &request["id"]).await, request);
    let path = reply.header("location").expect("a place");
    (path.to_owned(), request["id"].clone())
}

/// Approves it and gives it to one of the engineers that the form offers.
async fn approve_and_assign(desk: &Desk, path: &str, engineer: &Client) {
    to(&desk.lead, path, "Feasibility Review").await;
    to(&desk.lead, path, "Resource Allocation").await;
    let people = desk.lead.get("/api/users?role=Engineer").await.json();
    let engineers = people["users"].as_array().expect("users");
    assert_eq!(engineers.len(), 2, "{people}");
    assert!(engineers[0]["avatar"].is_string() && engineers[0]["avatarUrl"].is_string());
    let body = json!({"engineerId": engineer.id(), "estimatedHours": 8});
    let assigned = desk.lead.patch(&format!("{path}/assign"), &body).await;
    let assigned = assigned.expect(200).json()["request"].clone();
    assert_eq!(assigned["status"], "Engineering Review");
    assert_eq!(assigned["assignedTo"], engineer.id());
    assert_eq!(assigned["assignedToName"], "Grace Hopper");
    assert_eq!(assigned["estimatedHours"], 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_goes_from_submission_over_a_revision_to_acceptance() {
    let desk = Desk::open().await;
    let (path, id) = submit(&desk).await;
    approve_and_assign(&desk, &path, &desk.developer).await;
    to(&desk.developer, &path, "In Progress").await;
    to(&desk.developer, &path, "Completed").await;
    let said = comment(&desk.requester, &path, "REVISION REQUESTED: too slow").await;
    assert_eq!(said["authorId"], desk.requester.id());
    assert_eq!(said["authorName"], "Grace Hopper");
    assert_eq!(said["authorRole"], "requester");
    assert_eq!(said["timestamp"], said["createdAt"]);
    to(&desk.requester, &path, "Revision Requested").await;
    approve_and_assign(&desk, &path, &desk.idle).await;
    to(&desk.idle, &path, "In Progress").await;
    desk.developer.get(&path).await.expect(404);
    to(&desk.idle, &path, "Completed").await;
    to(&desk.requester, &path, "Accepted").await;

    let detail = desk.requester.get(&path).await.expect(200).json();
    assert_eq!(detail["comments"], json!([said]));
    assert_eq!(detail["request"]["comments"], json!([said]));
    assert_eq!(detail["allowedTransitions"], json!([]));
    assert_eq!(listed(&desk.requester, &id).await, detail["request"]);
    let history = activity(&desk.requester, &path).await;
    assert_eq!(detail["activity"], Value::from(history.clone()));
    is_told_whole(&history, &desk.developer);
}

/// Fails unless the history tells all of it in order.
fn is_told_whole(history: &[Value], first: &Client) {
    let told: Vec<_> = history
        .iter()
        .map(|row| {
            let (action, status) = (&row["action"], &row["details"]["status"]);
            let status = status.as_str().unwrap_or_default();
            (action.as_str().unwrap_or_default(), status)
        })
        .collect();
    let changed = |status| ("status_changed", status);
    let way = [
        changed("Feasibility Review"),
        changed("Resource Allocation"),
        ("assigned", "Engineering Review"),
        changed("In Progress"),
        changed("Completed"),
    ];
    let between = [("commented", ""), changed("Revision Requested")];
    let whole = [
        &[("created", "")],
        way.as_slice(),
        &between,
        &way,
        &[changed("Accepted")],
    ];
    assert_eq!(told, whole.concat());
    assert_eq!(history[0]["details"], json!({"title": "Weld cell"}));
    assert_eq!(
        history[3]["details"],
        json!({"from": "Resource Allocation", "status": "Engineering Review", "engineerId": first.id(),
            "engineerName": "Grace Hopper", "estimatedHours": 8})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_and_a_status_sent_together_succeed_in_either_order() {
    let desk = Desk::open().await;
    for number in 0..10 {
        let path = desk
            .request_at(domain::requests::RequestStatus::Completed)
            .await;
        let says = comment(&desk.requester, &path, "Work accepted by requester.");
        let accepts = to(&desk.requester, &path, "Accepted");
        if number % 2 == 0 {
            tokio::join!(says, accepts);
        } else {
            tokio::join!(accepts, says);
        }
        let detail = desk.requester.get(&path).await.json();
        assert_eq!(detail["request"]["status"], "Accepted");
        assert_eq!(
            detail["comments"][0]["content"],
            "Work accepted by requester."
        );
        assert_eq!(detail["activity"].as_array().map(Vec::len), Some(8));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_comes_with_a_step_is_kept_with_it_or_not_at_all() {
    let desk = Desk::open().await;
    let path = made(&desk.requester, "Feeder").await;
    let with = |status: &str| json!({"status": status, "comment": "We look at it today."});
    let status = format!("{path}/status");
    let refused = desk.lead.patch(&status, &with("Completed")).await;
    refused.expect_problem(409, "transition_not_allowed");
    assert_eq!(activity(&desk.lead, &path).await.len(), 1);
    let moved = desk.lead.patch(&status, &with("Feasibility Review")).await;
    let request = moved.expect(200).json()["request"].clone();
    assert_eq!(request["comments"][0]["content"], "We look at it today.");
    assert_eq!(activity(&desk.lead, &path).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_and_spellings_of_the_front_end_do_no_harm() {
    let app = App::start().await;
    let admin = app
        .register()
        .await
        .with("x-user-id", "u1")
        .with("x-user-name", "Bob Manager")
        .with("x-user-role", "Manager");
    let mut new = body("Spelt otherwise");
    new["priority"] = json!("HIGH");
    let made = admin.post(REQUESTS, &new).await.expect(201).json();
    assert_eq!(made["request"]["priority"], "High");
    let path = format!(
        "{REQUESTS}/{}/status",
        made["request"]["id"].as_str().expect("an id")
    );
    let moved = admin
        .patch(&path, &json!({"status": "FEASIBILITY_REVIEW"}))
        .await;
    assert_eq!(
        moved.expect(200).json()["request"]["status"],
        "Feasibility Review"
    );
    let found = admin
        .get("/api/requests?status=Feasibility%20Review&priority=high")
        .await;
    assert_eq!(
        found.expect(200).json()["requests"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    for role in [
        "ENGINEER", "Engineer", "engineer", "Manager", "End-User", "Admin",
    ] {
        admin
            .get(&format!("/api/users?role={role}"))
            .await
            .expect(200);
    }
    let me = admin.get("/api/users/me").await.expect(200).json();
    assert_eq!(me["user"]["avatar"], me["user"]["avatarUrl"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_made_once_however_often_it_is_sent_with_its_key() {
    let desk = Desk::open().await;
    let client = desk.requester.with("idempotency-key", "one");
    let first = client
        .post(REQUESTS, &body("Once"))
        .await
        .expect(201)
        .json();
    let again = client.post(REQUESTS, &body("Once")).await;
    assert_eq!(again.expect(201).json(), first);
    let list = desk.requester.get(REQUESTS).await.json();
    assert_eq!(list["requests"].as_array().map(Vec::len), Some(1));
    let path = made(&desk.requester, "Said").await;
    let says = desk.requester.with("idempotency-key", "two");
    for _ in 0..2 {
        comment(&says, &path, "Only once.").await;
    }
    assert_eq!(
        desk.requester.get(&path).await.json()["request"]["commentCount"],
        1
    );
}
