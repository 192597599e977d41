//! Who reaches whose rows: every route with an id, tried by everybody who must not. The routes are
//! taken from the OpenAPI document, so a new one is in here by itself; a new kind of row needs a
//! line in [`Rows::make`], or the test says so.

use domain::users::Role;
use reqwest::Method;
use serde_json::json;
use tests::support::{
    App, Client, Reply,
    app::{PASSWORD, login},
    routes,
};

/// Whose a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Belongs {
    /// One person's: to colleagues it does not exist.
    Person,
    /// The company's: colleagues meet it as far as their role goes.
    Company,
}

/// One row of every kind, of one company.
struct Rows<'a> {
    app: &'a App,
    owner: Client,
    admin: Client,
}

impl Rows<'_> {
    /// A new row of the kind that a path is about: its id, and whose it is.
    async fn make(&self, path: &str) -> (String, Belongs) {
        let kind = path
            .trim_start_matches("/api/")
            .split("/{")
            .next()
            .unwrap_or_default();
        let id = |reply: Reply| {
            let row = reply.json();
            row["id"]
                .as_str()
                .unwrap_or_else(|| panic!("no id: {row}"))
                .to_owned()
        };
        match kind {
            "documents" => {
                let upload = self.upload("/api/documents/upload", "a.txt");
                (id(upload.await), Belongs::Person)
            }
            "datasets" => (
                id(self.upload("/api/datasets", "a.csv").await),
                Belongs::Person,
            ),
            "api-keys" => {
                let body = json!({"name": "laptop", "scopes": ["read"]});
                let made = self.owner.post("/api/api-keys", &body).await;
                (id(made), Belongs::Person)
            }
            "prompts" => (self.released_prompt().await, Belongs::Person),
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
                (
                    id(self.admin.post("/api/models", &body).await),
                    Belongs::Company,
                )
            }
            "provider-keys" => {
                let label = format!("{} {}", self.admin.email(), rand::random::<u64>());
                let body = json!({"provider": "openai", "label": label, "key": "sk-of-nobody"});
                (
                    id(self.admin.post("/api/provider-keys", &body).await),
                    Belongs::Company,
                )
            }
            "runs" => (self.run(path).await, Belongs::Person),
            "workflows" => (self.workflow().await, Belongs::Person),
            "prompt-templates" => (self.template().await, Belongs::Company),
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

    /// What a path is tried on: a row, its cell, what is asked besides, and whose the row is.
    async fn target(&self, path: &str) -> (String, String, String, Belongs) {
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

    /// A template of the company, with its first version.
    async fn template(&self) -> String {
        let name = format!("{} {}", self.admin.email(), rand::random::<u64>());
        let body = json!({"name": name, "bodyMd": "A secret."});
        let made = self.admin.post("/api/prompt-templates", &body).await;
        let id = made.expect(201).json()["id"].clone();
        id.as_str().expect("an id").to_owned()
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

    /// The cell that a path is about; none if it is about none.
    async fn cell_of(&self, path: &str, run: &str) -> String {
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

/// A body that would be accepted from somebody who may: a refusal is then about who asks.
fn body_for(path: &str) -> serde_json::Value {
    match path {
        "/api/documents/{id}" => json!({"fileName": "b.txt"}),
        "/api/datasets/{id}" | "/api/workflows/{id}" => json!({"name": "Another"}),
        "/api/prompts/{id}" => json!({"title": "Another"}),
        "/api/prompts/{id}/restore" | "/api/prompts/{id}/labels/{name}" => json!({"version": 1}),
        "/api/users/{id}" => json!({"name": "Somebody Else"}),
        "/api/runs/{id}/cells/{cell_id}/manual-grade" => json!({"value": "pass"}),
        _ => json!({}),
    }
}

async fn send(
    client: &Client,
    method: &str,
    template: &str,
    (id, cell, query): (&str, &str, &str),
) -> Reply {
    // Versions and labels are named within their prompt: those that `Rows::make` makes.
    let path = template
        .replacen("{id}", id, 1)
        .replacen("{n}", "1", 1)
        .replacen("{name}", "production", 1)
        .replacen("{other}", id, 1)
        .replacen("{job_id}", id, 1)
        .replacen("{cell_id}", cell, 1);
    let path = path + query;
    assert!(
        !path.contains('{'),
        "{template} has a variable that this test does not know: extend it"
    );
    let method: Method = method.parse().expect("a method");
    let mut request = client.request(method.clone(), &path);
    if method != Method::GET && method != Method::DELETE {
        request = request.json(&body_for(template));
    }
    Reply::to(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_a_row_that_is_not_theirs() {
    let app = App::start().await;
    let admin = app.register().await;
    let rows = Rows {
        app: &app,
        owner: app.member(&admin, "developer").await,
        admin: admin.clone(),
    };
    let colleague = app.member(&admin, "developer").await;
    let requester = app.member(&admin, "requester").await;
    let stranger = app.register().await;
    let nobody = app.anonymous();
    let with_id = routes::all()
        .into_iter()
        .filter(|route| route.path.contains('{'));
    let mut tried = 0;
    for route in with_id {
        let least = route
            .least_role()
            .unwrap_or_else(|| panic!("{route:?} is open to everybody"));
        let (id, cell, query, belongs) = rows.target(&route.path).await;
        let row = (id.as_str(), cell.as_str(), query.as_str());
        let case = |who: &str, reply: &Reply| {
            format!("{} {} as {who}: {}", route.method, route.path, reply.text())
        };

        let reply = send(&stranger, &route.method, &route.path, row).await;
        assert_eq!(
            reply.status,
            404,
            "{}",
            case("another company's admin", &reply)
        );

        let reply = send(&nobody, &route.method, &route.path, row).await;
        assert_eq!(reply.status, 401, "{}", case("nobody", &reply));

        let expected = if least > Role::Developer {
            Some(403)
        } else {
            (belongs == Belongs::Person).then_some(404)
        };
        let reply = send(&colleague, &route.method, &route.path, row).await;
        match expected {
            Some(status) => assert_eq!(reply.status, status, "{}", case("a colleague", &reply)),
            None => assert!(reply.status < 300, "{}", case("a colleague", &reply)),
        }

        let expected = if least > Role::Requester {
            Some(403)
        } else {
            (belongs == Belongs::Person).then_some(404)
        };
        let reply = send(&requester, &route.method, &route.path, row).await;
        match expected {
            Some(status) => assert_eq!(reply.status, status, "{}", case("a requester", &reply)),
            None => assert!(reply.status < 300, "{}", case("a requester", &reply)),
        }
        if belongs == Belongs::Person {
            let reply = send(&rows.owner, &route.method, &route.path, row).await;
            assert!(reply.status < 300, "{}", case("its owner", &reply));
        }
        tried += 1;
    }
    assert!(tried >= 11, "only {tried} routes with an id were found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_who_lacks_the_role_before_it_reads_the_body() {
    let app = App::start().await;
    let admin = app.register().await;
    let requester = app.member(&admin, "requester").await;
    let nobody = app.anonymous();
    for route in routes::all() {
        let Some(least) = route.least_role() else {
            continue;
        };
        let path = route
            .path
            .replace("{id}", "01a1fa64-faf0-76fd-a48c-54d0e5ffef4d")
            .replace("{n}", "1")
            .replace("{name}", "production")
            .replace("{job_id}", "01a1fa64-faf0-76fd-a48c-54d0e5ffef4d")
            .replace("{other}", "01a1fa64-faf0-76fd-a48c-54d0e5ffef4d")
            .replace("{cell_id}", "01a1fa64-faf0-76fd-a48c-54d0e5ffef4d");
        let garbage = |client: &Client| {
            let method: Method = route.method.parse().expect("a method");
            client
                .request(method, &path)
                .header("content-type", "text/garbage")
                .body("{")
        };
        let reply = Reply::to(garbage(&nobody)).await;
        assert_eq!(
            reply.status,
            401,
            "{} {}: {}",
            route.method,
            route.path,
            reply.text()
        );
        if least > Role::Requester {
            let reply = Reply::to(garbage(&requester)).await;
            assert_eq!(
                reply.status,
                403,
                "{} {}: {}",
                route.method,
                route.path,
                reply.text()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_one_company_hold_nothing_of_another() {
    let app = App::start().await;
    let ours = app.register().await;
    let theirs = app.register().await;
    let rows = Rows {
        app: &app,
        owner: theirs.clone(),
        admin: theirs.clone(),
    };
    for kind in [
        "datasets",
        "documents",
        "api-keys",
        "invitations",
        "models",
        "provider-keys",
        "prompts",
        "runs",
        "workflows",
        "prompt-templates",
        "executions",
    ] {
        rows.make(&format!("/api/{kind}/{{id}}")).await;
    }
    let lists = routes::all()
        .into_iter()
        .filter(|route| route.method == "GET" && !route.path.contains('{'));
    for route in lists {
        let reply = ours.get(&route.path).await;
        reply.expect(200);
        for foreign in [theirs.id(), theirs.email()] {
            assert!(
                !reply.text().contains(foreign),
                "{}: {}",
                route.path,
                reply.text()
            );
        }
    }
}
