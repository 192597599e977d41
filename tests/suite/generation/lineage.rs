//! The graph: read in both directions, and by nobody further than they may see.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::{GENERATE, issue, template, text};

async fn walked(client: &Client, kind: &str, id: &str) -> Value {
    let path = format!("/api/lineage/{kind}/{id}");
    client.get(&path).await.expect(200).json()
}

/// The kinds of what was met.
fn kinds(walked: &Value) -> Vec<&str> {
    let nodes = walked["nodes"].as_array().expect("nodes").iter();
    nodes.map(|node| text(&node["kind"])).collect()
}

fn relations(walked: &Value) -> Vec<(&str, &str, &str)> {
    let edges = walked["edges"].as_array().expect("edges").iter();
    let told = edges.map(|edge| {
        let kind = |end: &str| text(&edge[end]["kind"]);
        (kind("from"), text(&edge["relation"]), kind("to"))
    });
    told.collect()
}

struct Chain {
    issue: String,
    template: String,
    prompt: String,
    version: String,
    run: String,
}

/// A prompt generated for an issue, and a run of it.
async fn chain(app: &App, client: &Client, visibility: &str) -> Chain {
    let issue = issue(app, client, "DEMO-7", "Feed the ducks").await;
    let template = template(client, "[[mock: echo]] {{issue.title}}", &json!({})).await;
    let asked = json!({"issueId": issue, "templateId": template["id"], "visibility": visibility});
    let made = client.post(GENERATE, &asked).await.expect(201).json();
    let body = json!({"promptId": made["promptId"], "modelIds": ["mock/text-1"]});
    let run = client.post("/api/runs", &body).await.expect(201).json();
    app.drain().await;
    Chain {
        issue,
        template: text(&template["id"]).to_owned(),
        prompt: text(&made["promptId"]).to_owned(),
        version: text(&made["promptVersionId"]).to_owned(),
        run: text(&run["id"]).to_owned(),
    }
}

/// Keeps an output of a version; its id.
async fn kept(client: &Client, version: &str) -> String {
    let form = reqwest::multipart::Form::new()
        .text("promptVersionId", version.to_owned())
        .text("text", "Quack.");
    let kept = client.request(reqwest::Method::POST, "/api/outputs");
    let kept = tests::support::Reply::to(kept.multipart(form)).await;
    text(&kept.expect(201).json()["outputId"]).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_issue_down_to_its_runs_and_from_a_run_up_to_its_issue() {
    let app = App::start().await;
    let ada = app.register().await;
    let chain = chain(&app, &ada, "private").await;
    let down = walked(&ada, "issue", &chain.issue).await;
    assert_eq!(kinds(&down), ["issue", "prompt", "promptVersion", "run"]);
    assert_eq!(
        relations(&down),
        [
            ("issue", "originOf", "prompt"),
            ("issue", "generatedFor", "promptVersion"),
            ("prompt", "hasVersion", "promptVersion"),
            ("promptVersion", "runBy", "run"),
        ]
    );
    assert_eq!(down["nodes"][0]["title"], "DEMO-7 Feed the ducks");
    assert_eq!(down["truncated"], false);
    let up = walked(&ada, "run", &chain.run).await;
    assert_eq!(
        kinds(&up),
        ["issue", "template", "prompt", "promptVersion", "run"]
    );
    let path = format!("/api/lineage/run/{}?direction=down", chain.run);
    assert_eq!(kinds(&ada.get(&path).await.json()), ["run"]);
    let output = kept(&ada, &chain.version).await;
    let up = walked(&ada, "output", &output).await;
    assert_eq!(
        kinds(&up),
        ["issue", "template", "prompt", "promptVersion", "output"]
    );
    assert_eq!(ada.get("/api/stats/summary").await.json()["outputs"], 1);
    // Both ways from the middle; the template is no descendant, the issue no sibling's.
    let middle = walked(&ada, "promptVersion", &chain.version).await;
    assert_eq!(
        kinds(&middle),
        [
            "issue",
            "template",
            "prompt",
            "promptVersion",
            "run",
            "output"
        ]
    );
    let below = walked(&ada, "template", &chain.template).await;
    assert_eq!(
        kinds(&below),
        ["template", "prompt", "promptVersion", "run", "output"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_run_of_a_prompt_later_comes_from_the_same_issue() {
    let app = App::start().await;
    let ada = app.register().await;
    let chain = chain(&app, &ada, "private").await;
    // What is run of it later comes from the same issue.
    let path = format!("/api/prompts/{}", chain.prompt);
    ada.patch(&path, &json!({"promptText": "Changed"}))
        .await
        .expect(200);
    let body = json!({"promptId": chain.prompt, "modelIds": ["mock/text-1"]});
    let later = ada.post("/api/runs", &body).await.expect(201).json();
    let up = walked(&ada, "run", text(&later["id"])).await;
    assert_eq!(
        kinds(&up),
        ["issue", "template", "prompt", "promptVersion", "run"]
    );
    let down = walked(&ada, "issue", &chain.issue).await;
    assert_eq!(
        kinds(&down),
        [
            "issue",
            "prompt",
            "promptVersion",
            "promptVersion",
            "run",
            "run"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_meets_what_they_may_not_see_nor_anything_behind_it() {
    let app = App::start().await;
    let (ada, eve) = (app.register().await, app.register().await);
    let bob = app.member(&ada, "developer").await;
    let private = chain(&app, &ada, "private").await;
    assert_eq!(
        kinds(&walked(&bob, "issue", &private.issue).await),
        ["issue"]
    );
    for (kind, id) in [
        ("prompt", &private.prompt),
        ("promptVersion", &private.version),
        ("run", &private.run),
    ] {
        let path = format!("/api/lineage/{kind}/{id}");
        bob.get(&path).await.expect_problem(404, "not_found");
    }
    let shared = chain(&app, &ada, "company").await;
    // The run is still hers alone.
    let seen = walked(&bob, "template", &shared.template).await;
    assert_eq!(kinds(&seen), ["template", "prompt", "promptVersion"]);
    for (kind, id) in [
        ("issue", &shared.issue),
        ("template", &shared.template),
        ("prompt", &shared.prompt),
    ] {
        let path = format!("/api/lineage/{kind}/{id}");
        eve.get(&path).await.expect_problem(404, "not_found");
    }
    let requester = app.member(&ada, "requester").await;
    let path = format!("/api/lineage/issue/{}", shared.issue);
    requester.get(&path).await.expect_problem(403, "forbidden");
    ada.get("/api/lineage/issue/1")
        .await
        .expect_problem(400, "invalid_path");
    ada.get(&format!("/api/lineage/duck/{}", shared.issue))
        .await
        .expect_problem(400, "invalid_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_ends_where_there_is_too_much() {
    let app = App::start().await;
    let ada = app.register().await;
    let template = template(&ada, "Say it", &json!({})).await;
    let id = text(&template["id"]);
    let made = |from: u32, to: u32| {
        format!(
            "WITH made AS (
                INSERT INTO prompts (id, company_id, owner_id, title, prompt_text, sfl_field, sfl_tenor, sfl_mode, folded_topic, folded_text, grams)
                SELECT uuidv7(), company_id, id, 'P', 'x', '{{}}', '{{}}', '{{}}', '', '', '{{}}'
                FROM users, generate_series({from}, {to}) WHERE id = '{}' RETURNING id, company_id, owner_id)
            INSERT INTO generation_events (id, company_id, user_id, prompt_id, template_id, template_version_id, tokens)
            SELECT gen_random_uuid(), company_id, owner_id, id, '{id}', '{}', 1 FROM made",
            ada.id(),
            text(&template["versionId"])
        )
    };
    app.database().run(&made(1, 500)).await;
    let all = walked(&ada, "template", id).await;
    assert_eq!((kinds(&all).len(), &all["truncated"]), (501, &json!(false)));
    app.database().run(&made(1, 1)).await;
    let most = walked(&ada, "template", id).await;
    assert_eq!(
        (kinds(&most).len(), &most["truncated"]),
        (501, &json!(true))
    );
}
