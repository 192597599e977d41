//! A row of every kind, for trying who reaches it.

use serde_json::json;
use tests::support::{
    App, Client, Reply,
    app::{PASSWORD, login},
};

/// Whose a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// One person's: to colleagues it does not exist.
    Person,
    /// The company's: colleagues meet it as far as their role goes.
    Company,
}

/// One row of every kind, of one company.
pub struct Rows<'a> {
    /// The installation.
    pub app: &'a App,
    /// Whose personal rows are.
    pub owner: Client,
    /// Who makes the company's.
    pub admin: Client,
}

impl Rows<'_> {
    /// A new row of the kind that a path is about: its id, and whose it is.
    pub async fn make(&self, path: &str) -> (String, Belongs) {
        let kind = path
            .trim_start_matches("/api/")
            .split("/{")
            .next()
            .unwrap_or_default();
        let id = |reply: Reply| {
            let row = reply.json();
            let id = row["id"].as_str();
            id.unwrap_or_else(|| panic!("no id: {row}")).to_owned()
        };
        match kind {
            "documents" => {
                let upload = self.upload("/api/documents/upload", "a.txt");
                (id(upload.await), Belongs::Person)
            }
            "datasets" => {
                let upload = self.upload("/api/datasets", "a.csv");
                (id(upload.await), Belongs::Person)
            }
            "api-keys" => {
                let body = json!({"name": "laptop", "scopes": ["read"]});
                let made = self.owner.post("/api/api-keys", &body).await;
                (id(made), Belongs::Person)
            }
            "prompts" | "lineage" => (self.released_prompt().await, Belongs::Person),
            "outputs" => (self.output().await, Belongs::Person),
            "auth/sessions" => (self.another_session().await, Belongs::Person),
            "users" => (self.owner.id().to_owned(), Belongs::Company),
            "invitations" => {
                let body = json!({"email": tests::support::make::email(), "role": "developer"});
                let invitation = self.admin.post("/api/invitations", &body).await;
                (id(invitation), Belongs::Company)
            }
            "models" => {
                let model = format!("model-{}", rand::random::<u64>());
                let body = json!({"provider": "openai", "model": model, "label": self.admin.email(), "kind": "text"});
                let made = self.admin.post("/api/models", &body).await;
                (id(made), Belongs::Company)
            }
            "provider-keys" => {
                let label = format!("{} {}", self.admin.email(), rand::random::<u64>());
                let body = json!({"provider": "openai", "label": label, "key": "sk-of-nobody"});
                let made = self.admin.post("/api/provider-keys", &body).await;
                (id(made), Belongs::Company)
            }
            "jobs" => (self.job().await, Belongs::Company),
            "runs" => (self.run(path).await, Belongs::Person),
            "workflows" => (self.workflow().await, Belongs::Person),
            "trackers" => (id(self.tracker().await), Belongs::Company),
            "issues" => (self.issue().await, Belongs::Company),
            "prompt-templates" => (self.template().await, Belongs::Company),
            "requests" => (self.request(path).await, Belongs::Person),
            "executions" | "workflows/jobs" | "workflows/stop" => {
                (self.execution(path).await, Belongs::Person)
            }
            other => panic!("{path}: say in Rows::make how a row of {other} is made"),
        }
    }
}

impl Rows<'_> {
    /// A file of the owner's, like no other.
    async fn upload(&self, path: &str, name: &str) -> Reply {
        let text = format!("A secret\n{}\n", rand::random::<u64>());
        self.owner.upload(path, name, text.as_bytes(), &[]).await
    }

    /// A job of the company's.
    async fn job(&self) -> String {
        let upload = self.upload("/api/documents/upload", "a.txt").await.json();
        let document = upload["id"].as_str().expect("an id");
        let path = format!("/api/jobs?subjectId={document}");
        let jobs = self.admin.get(&path).await.expect(200).json();
        jobs[0]["id"].as_str().expect("a job").to_owned()
    }

    /// What a path is tried on: a row, its cell, what is asked besides, and whose the row is.
    pub async fn target(&self, path: &str) -> (String, String, String, Belongs) {
        let (id, belongs) = self.make(path).await;
        let (cell, query) = (self.cell_of(path, &id).await, self.query_for(path).await);
        (id, cell, query, belongs)
    }

    /// What a route has to be asked besides its path.
    async fn query_for(&self, path: &str) -> String {
        match path {
            "/api/prompts/{id}/check" => {
                let (dataset, _) = self.make("/api/datasets/{id}").await;
                format!("?datasetId={dataset}")
            }
            _ => String::new(),
        }
    }

    /// A run of the owner's, in the state that the path asks for: over, unless it is to be ended
    /// or taken up again.
    async fn run(&self, path: &str) -> String {
        let prompt = self.released_prompt().await;
        let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
        let run = self.owner.post("/api/runs", &body).await;
        let id = run.expect(201).json()["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        match path {
            "/api/runs/{id}/cancel" => {}
            "/api/runs/{id}/resume" => {
                let cancel = format!("/api/runs/{id}/cancel");
                self.owner.post_empty(&cancel).await.expect(204);
            }
            _ => self.app.drain().await,
        }
        id
    }

    /// A workflow of the owner's.
    async fn workflow(&self) -> String {
        let task = json!({"id": "t", "name": "T", "type": "DATA_INPUT", "outputKey": "o", "staticValue": "A secret."});
        let body = json!({"name": "Secret", "tasks": [task]});
        let made = self.owner.post("/api/workflows", &body).await;
        let id = made.expect(201).json()["id"].clone();
        id.as_str().expect("an id").to_owned()
    }

    /// A tracker that nobody calls.
    async fn tracker(&self) -> Reply {
        let name = format!("{} {}", self.admin.email(), rand::random::<u64>());
        let auth = json!({"email": "ann@example.com", "apiToken": "of-nobody"});
        let body = json!({"type": "jira", "name": name, "baseUrl": "https://example.atlassian.net", "auth": auth});
        self.admin.post("/api/trackers", &body).await
    }

    /// An issue of a tracker of the company's, as if it had been read.
    async fn issue(&self) -> String {
        let (tracker, issue) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let company = format!(
            "(SELECT company_id FROM users WHERE id = '{}')",
            self.admin.id()
        );
        let sql = format!(
            "INSERT INTO trackers (id, company_id, name, kind, base_url, auth_kind)
             VALUES ('{tracker}', {company}, '{tracker}', 'jira', 'https://example.com', 'basic');
             INSERT INTO issues (id, company_id, tracker_id, external_id, ext_key, url, title, description,
                 status, status_name, labels, tracker_updated_at, payload)
             VALUES ('{issue}', {company}, '{tracker}', '1', 'A-1', 'https://example.com/A-1', 'A secret', '',
                 'open', 'To Do', '{{}}', now(), '{{}}')"
        );
        self.app.database().run(&sql).await;
        issue.to_string()
    }

    /// A template of the company, with its first version.
    async fn template(&self) -> String {
        let name = format!("{} {}", self.admin.email(), rand::random::<u64>());
        let body = json!({"name": name, "bodyMd": "A secret."});
        let made = self.admin.post("/api/prompt-templates", &body).await;
        let id = made.expect(201).json()["id"].clone();
        id.as_str().expect("an id").to_owned()
    }

    /// A request of the owner's, come so far that they, or somebody, may do with it what the path does.
    async fn request(&self, path: &str) -> String {
        let body = json!({"title": "Secret", "description": "A secret wish.", "vendor": "ABB", "priority": "Low"});
        let made = self.owner.post("/api/requests", &body).await;
        let request = made.expect(201).json()["request"].clone();
        let id = request["id"].as_str().expect("an id").to_owned();
        let set = async |status: &str| {
            let path = format!("/api/requests/{id}/status");
            let reply = self.admin.patch(&path, &json!({ "status": status })).await;
            reply.expect(200);
        };
        let assign = "/api/requests/{id}/assign";
        if path != assign && path != "/api/requests/{id}/status" {
            return id;
        }
        set("Feasibility Review").await;
        set("Resource Allocation").await;
        if path != assign {
            let to = json!({"engineerId": self.owner.id(), "estimatedHours": 8});
            let path = assign.replace("{id}", &id);
            self.admin.patch(&path, &to).await.expect(200);
            set("In Progress").await;
            set("Completed").await;
        }
        id
    }

    /// Who may do with a person's row what the path does.
    pub fn master(&self, path: &str) -> &Client {
        match path {
            "/api/requests/{id}/assign" => &self.admin,
            _ => &self.owner,
        }
    }

    /// An execution of the owner's: over, unless it is to be stopped.
    async fn execution(&self, path: &str) -> String {
        let execute = format!("/api/workflows/{}/execute", self.workflow().await);
        let started = self.owner.post_empty(&execute).await.expect(202).json();
        if path != "/api/workflows/stop/{job_id}" {
            self.app.drain().await;
        }
        if path == "/api/executions/{id}/resume" {
            // What is whole has nothing to be taken up.
            let again = self.owner.post_empty(&execute).await.expect(202).json();
            let id = again["jobId"].as_str().expect("an id").to_owned();
            let stop = format!("/api/workflows/stop/{id}");
            self.owner.post_empty(&stop).await.expect(200);
            return id;
        }
        started["executionId"].as_str().expect("an id").to_owned()
    }

    /// What is named besides: the cell that a path is about, or a developer; none if it is about none.
    async fn cell_of(&self, path: &str, run: &str) -> String {
        if path == "/api/requests/{id}/assign" {
            return self.owner.id().to_owned();
        }
        if !path.contains("{cell_id}") {
            return String::new();
        }
        let cells = self.owner.get(&format!("/api/runs/{run}/cells")).await;
        cells.json()[0]["id"].as_str().expect("a cell").to_owned()
    }

    /// A prompt of the owner's with a version and a label.
    async fn released_prompt(&self) -> String {
        let body = json!({"title": "Secret", "promptText": "A secret."});
        let prompt = self.owner.post("/api/prompts", &body).await.json();
        let id = prompt["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/prompts/{id}");
        let made = self.owner.post_empty(&format!("{path}/versions")).await;
        made.expect(201);
        let label = format!("{path}/labels/production");
        let pointed = self.owner.put(&label, &json!({"version": 1})).await;
        pointed.expect(200);
        id
    }

    /// An output of a prompt of the owner's.
    async fn output(&self) -> String {
        let prompt = self.released_prompt().await;
        let path = format!("/api/prompts/{prompt}/versions/1");
        let version = self.owner.get(&path).await.expect(200).json()["id"].clone();
        let version = version.as_str().expect("an id").to_owned();
        let fields = [("promptVersionId", version.as_str())];
        let upload = self
            .owner
            .upload("/api/outputs", "a.txt", b"A secret.", &fields);
        let kept = upload.await.expect(201).json();
        kept["outputId"].as_str().expect("an id").to_owned()
    }

    /// A session of the owner's besides the one this test needs.
    async fn another_session(&self) -> String {
        let ids = async || -> Vec<String> {
            let list = self.owner.get("/api/auth/sessions").await.json();
            let sessions = list.as_array().expect("a list").iter();
            sessions
                .map(|session| session["id"].as_str().expect("an id").to_owned())
                .collect()
        };
        let before = ids().await;
        self.owner
            .post("/api/auth/login", &login(self.owner.email(), PASSWORD))
            .await
            .expect(200);
        ids()
            .await
            .into_iter()
            .find(|id| !before.contains(id))
            .expect("a new session")
    }
}
