//! What is not done, and how that is said.

use domain::requests::RequestStatus;
use serde_json::json;

use super::{Desk, REQUESTS, activity, made};

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_body_are_told_at_once() {
    let desk = Desk::open().await;
    let requester = &desk.requester;
    let reply = requester.post(REQUESTS, &json!({})).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(
        reply.faulty_fields(),
        ["description", "priority", "title", "vendor"]
    );
    let wrong = json!({"title": "ab", "description": "short", "vendor": " ", "priority": "Urgent"});
    let reply = requester.post(REQUESTS, &wrong).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(
        reply.faulty_fields(),
        ["description", "priority", "title", "vendor"]
    );
    let typed = json!({"title": 7, "description": "short", "vendor": "ABB", "priority": "Low"});
    let reply = requester.post(REQUESTS, &typed).await;
    reply.expect_problem(400, "invalid_body");
    assert_eq!(reply.faulty_fields(), ["description", "title"]);
    let path = made(requester, "Faulty").await;
    let assign = format!("{path}/assign");
    for hours in [json!(0), json!(1001)] {
        let body = json!({"engineerId": "u1", "estimatedHours": hours, "comment": ""});
        let reply = desk.lead.patch(&assign, &body).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(
            reply.faulty_fields(),
            ["comment", "engineerId", "estimatedHours"]
        );
    }
    let body = json!({"engineerId": desk.developer.id(), "estimatedHours": 1.5});
    let reply = desk.lead.patch(&assign, &body).await;
    reply.expect_problem(400, "invalid_body");
    let reply = desk
        .lead
        .patch(&format!("{path}/status"), &json!({"status": "Done"}))
        .await;
    reply.expect_problem(422, "invalid");
    let reply = requester
        .post(&format!("{path}/comments"), &json!({"content": " "}))
        .await;
    reply.expect_problem(422, "invalid");
    requester
        .get(&format!("{REQUESTS}?statu=Submitted"))
        .await
        .expect_problem(400, "invalid_query");
    let reply = requester
        .get(&format!("{REQUESTS}?status=Done&createdBy=u1&limit=0"))
        .await;
    reply.expect_problem(400, "invalid_query");
    assert_eq!(reply.faulty_fields(), ["createdBy", "limit", "status"]);
    requester
        .get(&format!("{REQUESTS}/u1"))
        .await
        .expect_problem(400, "invalid_path");
    assert_eq!(activity(requester, &path).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_active_developer_of_the_company_can_be_assigned() {
    let desk = Desk::open().await;
    let path = desk.request_at(RequestStatus::ResourceAllocation).await;
    let stranger = desk.app.register().await;
    let theirs = desk.app.member(&stranger, "developer").await;
    let gone = desk.app.member(&desk.admin, "developer").await;
    let leave = json!({"isActive": false});
    desk.admin
        .patch(&format!("/api/users/{}", gone.id()), &leave)
        .await
        .expect(200);
    let nobody = uuid::Uuid::now_v7().to_string();
    let unfit = [
        theirs.id(),
        gone.id(),
        desk.lead.id(),
        desk.requester.id(),
        &nobody,
    ];
    for id in unfit {
        let body = json!({"engineerId": id, "estimatedHours": 8, "comment": "Yours."});
        let reply = desk.lead.patch(&format!("{path}/assign"), &body).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), ["engineerId"]);
    }
    let detail = desk.lead.get(&path).await.json();
    assert_eq!(detail["request"]["status"], "Resource Allocation");
    assert_eq!(detail["comments"], json!([]));
    assert_eq!(detail["allowedTransitions"], json!(["Engineering Review"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_only_reads_moves_nothing() {
    let desk = Desk::open().await;
    let path = made(&desk.lead, "Read only").await;
    let body = json!({"name": "reader", "scopes": ["read"]});
    let key = desk.lead.post("/api/api-keys", &body).await.json();
    let reader = desk
        .app
        .anonymous()
        .bearing(key["key"].as_str().expect("a key"));
    reader.get(&path).await.expect(200);
    super::set(&reader, &path, RequestStatus::FeasibilityReview)
        .await
        .expect_problem(403, "forbidden");
}
