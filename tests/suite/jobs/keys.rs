//! Pauses of keys: while one lasts nothing calls the provider with it, whoever asks.

use serde_json::{Value, json};
use tests::{
    fakes::{openai, stage::Fake},
    support::{App, Client, Options},
};

use super::{console::listed, support::eventually};

/// The path of the trial of a prompt.
const TRY: &str = "/api/gemini/test-prompt";

struct Company {
    app: App,
    fake: Fake,
    admin: Client,
    key: String,
}

impl Company {
    /// A company that reaches OpenAI with a key of its own.
    async fn start() -> Self {
        let fake = openai::start().await;
        let app = App::start_with(Options::with(lenient)).await;
        let admin = app.register().await;
        let key = json!({
            "provider": "openai", "label": "Main", "key": "sk-own-5ecret", "isDefault": true,
            "baseUrl": format!("{}/v1", fake.url),
        });
        let key = admin.post("/api/provider-keys", &key).await;
        let key = key.expect(201).json()["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        Self {
            app,
            fake,
            admin,
            key: format!("/api/provider-keys/{key}/pause"),
        }
    }

    async fn pause(&self) -> Value {
        let body = json!({"note": "The bill is not paid."});
        self.admin.put(&self.key, &body).await.expect(200).json()
    }

    async fn resume(&self) {
        self.admin.delete(&self.key).await.expect(204);
    }

    /// A run with two cells, not yet begun; its path.
    async fn run(&self) -> String {
        let body = json!({"title": "Tried", "promptText": "Hello"});
        let prompt = self.admin.post("/api/prompts", &body).await;
        let prompt = prompt.expect(201).json()["id"].clone();
        let model = self.admin.get("/api/models").await.expect(200).json();
        let models = model.as_array().expect("a list");
        let model = models.iter().find(|model| model["name"] == "gpt-6-luna");
        let body = json!({
            "promptId": prompt, "modelIds": [model.expect("the model")["id"]],
            "repeats": 2,
        });
        let run = self.admin.post("/api/runs", &body).await.expect(201).json();
        format!("/api/runs/{}", run["id"].as_str().expect("an id"))
    }

    async fn tries(&self, at: &Client) -> tests::support::Reply {
        let body = json!({"promptText": "Hello", "model": "gpt-6-luna"});
        at.post(TRY, &body).await
    }

    /// Calls that reached the provider.
    fn calls(&self) -> usize {
        self.fake.heard().len()
    }
}

fn lenient(config: &mut api::Config) {
    config.gateway.reach.allowed_private_hosts = vec!["127.0.0.1".into()];
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_key_makes_no_call_and_what_waits_for_it_goes_on_when_it_is_resumed() {
    let company = Company::start().await;
    let paused = company.pause().await;
    assert_eq!(
        (&paused["pauseNote"], &paused["pausedBy"]),
        (&"The bill is not paid.".into(), &company.admin.id().into())
    );
    let run = company.run().await;
    company.app.drain().await;
    assert_eq!(company.calls(), 0);
    let lane = &listed(&company.admin, "?kind=runs.lane").await[0];
    assert_eq!(
        (&lane["state"], &lane["waitCode"], &lane["waitReason"]),
        (
            &"queued".into(),
            &"paused".into(),
            &"the provider key \"Main\" is paused".into()
        )
    );
    assert_eq!(lane["attempts"], 0, "a pause spends no attempt");
    assert_eq!(company.app.count("attempts").await, 0, "nor money");
    let shown = company
        .admin
        .get("/api/jobs/pauses")
        .await
        .expect(200)
        .json();
    assert_eq!(shown["providerKeys"], json!([paused]));

    company.resume().await;
    company.app.drain().await;
    assert_eq!(company.calls(), 2);
    let run = company.admin.get(&run).await.expect(200).json();
    assert_eq!(run["status"], "completed", "{run}");
    let log = company.admin.get("/api/audit?entity=providerKey").await;
    let log = log.expect(200).json();
    assert!(log[0]["after"]["paused_at"].is_null() && log[1]["after"]["paused_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_asks_under_a_paused_key_is_told_so() {
    let company = Company::start().await;
    company.tries(&company.admin).await.expect(200);
    company.pause().await;
    let refused = company.tries(&company.admin).await;
    refused.expect_problem(409, "provider_key_paused");
    assert!(refused.text().contains("Main"), "{}", refused.text());
    let health = company.admin.get("/api/providers/health").await;
    let health = health.expect(200).json();
    let openai = health.as_array().expect("a list").iter();
    let openai = openai.clone().find(|one| one["provider"] == "openai");
    assert_eq!(
        openai.expect("it")["check"]["errorClass"],
        "provider_key_paused"
    );
    assert_eq!(company.calls(), 1);
    company.resume().await;
    company.tries(&company.admin).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_hears_of_a_pause_and_of_its_end() {
    let company = Company::start().await;
    let other = company.app.replica(Options::with(lenient)).await;
    let there = company.admin.at(&other.url);
    // It knows that nothing is paused.
    company.tries(&there).await.expect(200);
    company.pause().await;
    eventually("the other refuses", async || {
        company.tries(&there).await.status == 409
    })
    .await;
    let calls = company.calls();
    company
        .tries(&there)
        .await
        .expect_problem(409, "provider_key_paused");
    assert_eq!(company.calls(), calls);
    company.resume().await;
    eventually("the other asks again", async || {
        company.tries(&there).await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_waits_for_a_paused_key_and_goes_on() {
    let company = Company::start().await;
    company.pause().await;
    let model = json!({"id": "t", "name": "T", "type": "GEMINI_PROMPT", "outputKey": "o",
        "promptTemplate": "Hello", "agentConfig": {"model": "gpt-6-luna"}});
    let body = json!({"name": "Asks", "tasks": [model]});
    let workflow = company.admin.post("/api/workflows", &body).await;
    let workflow = workflow.expect(201).json()["id"].clone();
    let execute = format!(
        "/api/workflows/{}/execute",
        workflow.as_str().expect("an id")
    );
    company.admin.post_empty(&execute).await.expect(202);
    company.app.drain().await;
    assert_eq!(company.calls(), 0);
    let job = &listed(&company.admin, "?kind=workflows.execute").await[0];
    assert_eq!(
        (&job["state"], &job["waitCode"], &job["attempts"]),
        (&"queued".into(), &"paused".into(), &0.into())
    );
    company.resume().await;
    company.app.drain().await;
    assert_eq!(company.calls(), 1);
    let job = &listed(&company.admin, "?kind=workflows.execute").await[0];
    assert_eq!(job["state"], "done");
}
