//! Requests that a browser kept.

use serde_json::{Value, json};
use tests::support::App;

use super::{IMPORT, counts};

fn kept() -> Value {
    json!({"requests": json!([
        {
            "id": "REQ-1", "title": "Weld", "description": "Weld the frame, please.", "vendor": "FANUC",
            "status": "In Progress", "priority": "High", "createdBy": "u4", "createdByName": "Alice User",
            "assignedTo": "u3", "assignedToName": "Charlie Engineer", "estimatedHours": 12,
            "createdAt": "2024-05-06T07:08:09.000Z",
            "comments": [
                {"id": "c1", "authorName": "Bob Manager", "authorRole": "Manager", "content": "Fine.",
                    "timestamp": "2024-05-07T07:08:09.000Z"},
                {"id": "c2", "authorName": "Alice User", "authorRole": "End-User", "content": "Thanks.",
                    "createdAt": "2024-05-08T07:08:09.000Z"},
            ],
        },
        {
            "id": "REQ-2", "title": "Lift", "description": "Lift the frame, please.", "vendor": "ABB",
            "status": "Submitted", "priority": "Low", "createdBy": "u4", "createdByName": "Alice User",
            "createdAt": "2024-05-06T07:08:09.000Z", "comments": [],
        },
    ]).to_string(), "prompts": []})
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_a_browser_kept_are_taken_in_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let first = ada.post(IMPORT, &kept()).await.expect(200).json();
    assert_eq!(counts(&first), (9, 0, 0, 0), "{first}");
    let second = ada.post(IMPORT, &kept()).await.expect(200).json();
    assert_eq!(counts(&second), (0, 0, 9, 0), "{second}");
    let list = ada.get("/api/requests").await.json();
    let weld = list["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["title"] == "Weld");
    let weld = weld.expect("the request");
    assert_eq!(
        (
            &weld["status"],
            &weld["createdByName"],
            &weld["assignedToName"],
            &weld["createdAt"]
        ),
        (
            &json!("In Progress"),
            &json!("Alice User"),
            &json!("Charlie Engineer"),
            &json!("2024-05-06T07:08:09Z")
        )
    );
    assert_eq!(weld["comments"][0]["authorRole"], "lead");
    assert_eq!(weld["comments"][1]["timestamp"], "2024-05-08T07:08:09Z");
    let path = format!("/api/requests/{}", weld["id"].as_str().expect("an id"));
    let detail = ada.get(&path).await.json();
    let actions: Vec<_> = detail["activity"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| &row["action"])
        .collect();
    assert_eq!(
        actions,
        ["created", "commented", "commented", "status_changed"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_a_browser_with_a_past_needs_an_admin_and_faults_are_told() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let reply = bob.post(IMPORT, &kept()).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["requests[0]"]);
    let wrong = json!({"requests": [
        {"id": "1", "title": "x", "description": "short", "vendor": "", "status": "Discussion",
            "createdByName": "A", "createdAt": "yesterday"},
        "nonsense",
    ]});
    let reply = ada.post(IMPORT, &wrong).await;
    reply.expect_problem(422, "invalid");
    let expected = [
        "requests[0].createdAt",
        "requests[0].description",
        "requests[0].status",
        "requests[0].title",
        "requests[0].vendor",
        "requests[1]",
    ];
    let mut fields = reply.faulty_fields();
    fields.sort();
    assert_eq!(fields, expected);
    assert_eq!(app.count("requests").await, 0);
}
