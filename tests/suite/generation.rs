//! From an issue to a prompt, and the graph of where things come from.

mod lineage;

use serde_json::{Value, json};
use tests::support::{App, Client};

/// The path of generating.
const GENERATE: &str = "/api/prompts/generate";

/// An issue of a tracker of this person's company, as if it had been read.
pub(crate) async fn issue(app: &App, whose: &Client, key: &str, title: &str) -> String {
    let (tracker, issue) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    let company = format!("(SELECT company_id FROM users WHERE id = '{}')", whose.id());
    let sql = format!(
        "INSERT INTO trackers (id, company_id, name, kind, base_url, auth_kind)
         VALUES ('{tracker}', {company}, 'Ponds {tracker}', 'jira', 'https://example.com', 'basic');
         INSERT INTO issues (id, company_id, tracker_id, external_id, ext_key, url, title, description,
             status, status_name, labels, tracker_updated_at, payload)
         VALUES ('{issue}', {company}, '{tracker}', '1', '{key}', 'https://example.com/{key}', '{title}',
             'Ducks & <b>geese</b>', 'in_progress', 'Doing', '{{ponds,birds}}', now(), '{{\"fields\": {{\"size\": 7}}}}')"
    );
    app.database().run(&sql).await;
    issue.to_string()
}

/// A template of the company's.
pub(crate) async fn template(lead: &Client, body: &str, lint: &Value) -> Value {
    let name = format!("Template {}", rand::random::<u64>());
    let body = json!({"name": name, "bodyMd": body, "lintJson": lint});
    let made = lead.post("/api/prompt-templates", &body).await;
    made.expect(201).json()
}

fn vars() -> Value {
    json!({"properties": {"tone": {"type": "string"}}, "required": ["tone"]})
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_says_what_issue_tracker_people_and_variables_say() {
    let app = App::start().await;
    let ada = app.register().await;
    let issue = issue(&app, &ada, "DEMO-7", "Feed the ducks").await;
    let body = "{{issue.extKey}} {{issue.title}} ({{issue.status}}, {{join issue.labels \"+\"}}): {{issue.description}}\n\
        {{tracker.type}} {{issue.payload.fields.size}} [{{issue.acceptanceCriteria}}] {{user.email}} {{user.role}} {{tone}}";
    let template = template(&ada, body, &vars()).await;
    let asked =
        json!({"issueId": issue, "templateId": template["id"], "vars": {"tone": "kind & <plain>"}});
    let made = ada.post(GENERATE, &asked).await;
    let made = made.expect(201).json();
    let expected = format!(
        "DEMO-7 Feed the ducks (in_progress, ponds+birds): Ducks & <b>geese</b>\njira 7 [] {} admin kind & <plain>",
        ada.email()
    );
    assert_eq!(text(&made["promptText"]), expected);
    let path = format!("/api/prompts/{}", text(&made["promptId"]));
    let prompt = ada.get(&path).await.expect(200).json();
    assert_eq!(
        (
            text(&prompt["title"]),
            text(&prompt["promptText"]),
            &prompt["visibility"]
        ),
        (
            "DEMO-7 Feed the ducks",
            expected.as_str(),
            &json!("private")
        )
    );
    let version = ada
        .get(&format!("{path}/versions/1"))
        .await
        .expect(200)
        .json();
    assert_eq!(version["id"], made["promptVersionId"]);
    assert_eq!(text(&version["body"]["promptText"]), expected);
    // It is found like any other.
    let found = ada.get("/api/prompts?q=feed%20the%20ducks").await.json();
    assert_eq!(found[0]["id"], made["promptId"]);
    // The version stays what it is, and saving the same is no version.
    ada.post_empty(&format!("{path}/versions"))
        .await
        .expect(200);
    let counted = domain::templates::tokens(&expected);
    assert_eq!(made["tokens"], json!(counted));
    let summary = ada.get("/api/stats/summary").await.expect(200).json();
    assert_eq!(
        (&summary["promptsToday"], &summary["tokens"]),
        (&json!(1), &json!(counted))
    );
    let trackers = summary["trackers"].as_array().expect("trackers");
    assert!(text(&trackers[0]["name"]).starts_with("Ponds"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_body_takes_the_templates_place_once_and_keeps_to_its_variables() {
    let app = App::start().await;
    let ada = app.register().await;
    let issue = issue(&app, &ada, "DEMO-7", "Feed").await;
    let template = template(&ada, "Say {{tone}}", &vars()).await;
    let mut asked = json!({"issueId": issue, "templateId": template["id"], "vars": {"tone": "x"},
        "bodyOverride": "Only {{issue.extKey}}", "title": "Mine", "visibility": "company"});
    let made = ada.post(GENERATE, &asked).await.expect(201).json();
    assert_eq!(made["promptText"], "Only DEMO-7");
    let path = format!("/api/prompts/{}", text(&made["promptId"]));
    let prompt = ada.get(&path).await.expect(200).json();
    assert_eq!(
        (&prompt["title"], &prompt["visibility"]),
        (&json!("Mine"), &json!("company"))
    );
    let kept = app.count("generation_events WHERE is_overridden").await;
    assert_eq!(kept, 1);

    asked["bodyOverride"] = json!("{{tone}} {{nobody}} {{#if}}");
    let reply = ada.post(GENERATE, &asked).await;
    let problem = reply.expect_problem(422, "invalid");
    assert!(
        reply
            .faulty_fields()
            .iter()
            .all(|field| field == "bodyOverride"),
        "{problem}"
    );
    asked["bodyOverride"] = json!("{{issue.nothing}} {{issue.payload.fields.size}}");
    let reply = ada.post(GENERATE, &asked).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["bodyOverride"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_one_sees_is_a_source_like_an_issue() {
    let app = App::start().await;
    let ada = app.register().await;
    let (rob, bob) = (
        app.member(&ada, "requester").await,
        app.member(&ada, "developer").await,
    );
    let body = json!({"title": "Weld cell", "description": "Simulate the reach.", "vendor": "FANUC", "priority": "High"});
    let made = rob.post("/api/requests", &body).await;
    let request = made.expect(201).json()["request"].clone();
    let body = "#{{request.number}} {{request.title}} [{{request.priority}}] {{request.vendor}}: {{request.description}} for \
        {{request.createdByName}}{{#if request.assignedToName}} by {{request.assignedToName}}{{/if}}{{request.estimatedHours}}";
    let template = template(&ada, body, &json!({})).await;
    let asked = json!({"requestId": request["id"], "templateId": template["id"]});
    let made = ada.post(GENERATE, &asked).await.expect(201).json();
    let expected = format!(
        "#1 Weld cell [High] FANUC: Simulate the reach. for {}",
        text(&request["createdByName"])
    );
    assert_eq!(text(&made["promptText"]), expected);
    let prompt = ada
        .get(&format!("/api/prompts/{}", text(&made["promptId"])))
        .await
        .json();
    assert_eq!(prompt["title"], "#1 Weld cell");
    // A developer does not see it before engineering review.
    let reply = bob.post(GENERATE, &asked).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["requestId"]);
    let path = format!("/api/lineage/request/{}", text(&request["id"]));
    bob.get(&path).await.expect_problem(404, "not_found");
    let graph = ada.get(&path).await.expect(200).json();
    assert_eq!(graph["nodes"][0]["title"], "#1 Weld cell");
    assert_eq!(graph["nodes"].as_array().map(Vec::len), Some(3), "{graph}");
    let both =
        json!({"requestId": request["id"], "issueId": request["id"], "templateId": template["id"]});
    let reply = ada.post(GENERATE, &both).await;
    assert_eq!(reply.faulty_fields(), ["issueId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_at_once_and_nothing_is_kept() {
    let app = App::start().await;
    let (ada, eve) = (app.register().await, app.register().await);
    let hers = issue(&app, &eve, "EVE-1", "Secret").await;
    let mine = issue(&app, &ada, "DEMO-1", "Mine").await;
    let template = template(&ada, "Say {{tone}}", &vars()).await;
    let foreign = template_of(&eve).await;
    let reply = ada
        .post(GENERATE, &json!({"issueId": hers, "templateId": foreign}))
        .await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["issueId", "templateId"]);
    let reply = ada
        .post(GENERATE, &json!({"templateId": template["id"]}))
        .await;
    assert_eq!(reply.faulty_fields(), ["issueId"]);
    let asked = json!({"issueId": mine, "templateId": template["id"], "vars": {"tone": 7}});
    let reply = ada.post(GENERATE, &asked).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["vars.tone"]);
    let asked = json!({"issueId": mine, "templateId": template["id"], "vars": {"tone": "x"},
        "bodyOverride": "{{#if (exists issue.nothing)}}x{{/if}}"});
    ada.post(GENERATE, &asked)
        .await
        .expect_problem(422, "invalid");
    let long = "x".repeat(2_000);
    let asked = json!({"issueId": mine, "templateId": template["id"], "vars": {"tone": long},
        "bodyOverride": "{{tone}}".repeat(101)});
    let reply = ada.post(GENERATE, &asked).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["bodyOverride"]);
    assert_eq!(app.count("prompts").await, 0);
    assert_eq!(app.count("generation_events").await, 0);
    let requester = app.member(&ada, "requester").await;
    requester
        .post(GENERATE, &asked)
        .await
        .expect_problem(403, "forbidden");
}

async fn template_of(client: &Client) -> Value {
    template(client, "Hers", &json!({})).await["id"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_generates_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let issue = issue(&app, &ada, "DEMO-7", "Feed").await;
    let template = template(&ada, "Say it", &json!({})).await;
    let asked = json!({"issueId": issue, "templateId": template["id"]});
    let keyed = ada.with("Idempotency-Key", "one");
    let first = keyed.post(GENERATE, &asked).await.expect(201).json();
    assert_eq!(keyed.post(GENERATE, &asked).await.expect(201).json(), first);
    assert_eq!(app.count("generation_events").await, 1);
    // What was generated still counts when the prompt is gone.
    let path = format!("/api/prompts/{}", text(&first["promptId"]));
    ada.delete(&path).await.expect(204);
    let summary = ada.get("/api/stats/summary").await.json();
    assert_eq!(summary["promptsToday"], 1);
}
