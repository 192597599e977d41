//! Requests, through HTTP.

mod docs;
mod life;
mod list;
mod race;
mod refusals;
mod seen;
mod steps;

use std::collections::VecDeque;

use domain::requests::{Means, RequestStatus, TRANSITIONS, Transition};
use serde_json::{Value, json};
use tests::support::{App, Client, Reply};

/// The path of requests.
const REQUESTS: &str = "/api/requests";

/// A request that is in order.
fn body(title: &str) -> Value {
    json!({
        "title": title, "description": "The gripper misses every tenth part.",
        "vendor": "KUKA", "priority": "High",
    })
}

/// Makes one; its path.
async fn made(client: &Client, title: &str) -> String {
    let made = client.post(REQUESTS, &body(title)).await.expect(201).json();
    format!(
        "{REQUESTS}/{}",
        made["request"]["id"].as_str().expect("an id")
    )
}

/// Sets the status of a request.
async fn set(client: &Client, path: &str, status: RequestStatus) -> Reply {
    let body = json!({ "status": status });
    client.patch(&format!("{path}/status"), &body).await
}

/// Gives a request to a developer.
async fn assign(client: &Client, path: &str, developer: &Client) -> Reply {
    let body = json!({ "engineerId": developer.id(), "estimatedHours": 8 });
    client.patch(&format!("{path}/assign"), &body).await
}

/// What happened to a request.
async fn activity(client: &Client, path: &str) -> Vec<Value> {
    let list = client.get(&format!("{path}/activity?limit=1000")).await;
    list.expect(200)
        .json()
        .as_array()
        .expect("a list")
        .to_owned()
}

/// A company with everybody who has to do with requests.
struct Desk {
    app: App,
    admin: Client,
    lead: Client,
    /// Who gets what is assigned.
    developer: Client,
    /// Who gets nothing.
    idle: Client,
    /// Who makes the requests.
    requester: Client,
    /// Who makes none of them.
    other: Client,
}

impl Desk {
    async fn open() -> Self {
        let app = App::start().await;
        let admin = app.register().await;
        Self {
            lead: app.member(&admin, "lead").await,
            developer: app.member(&admin, "developer").await,
            idle: app.member(&admin, "developer").await,
            requester: app.member(&admin, "requester").await,
            other: app.member(&admin, "requester").await,
            admin,
            app,
        }
    }

    /// A new request of the requester's that has come so far, by the shortest way.
    async fn request_at(&self, status: RequestStatus) -> String {
        let path = made(&self.requester, "Gripper").await;
        for step in way_to(status) {
            let reply = match step.by {
                Means::Status => set(&self.admin, &path, step.to).await,
                Means::Assignment => assign(&self.admin, &path, &self.developer).await,
            };
            reply.expect(200);
        }
        path
    }
}

/// The shortest way there.
fn way_to(status: RequestStatus) -> Vec<Transition> {
    let mut ways = VecDeque::from([(RequestStatus::Submitted, Vec::new())]);
    while let Some((at, way)) = ways.pop_front() {
        if at == status {
            return way;
        }
        for step in TRANSITIONS.iter().filter(|step| step.from == at) {
            ways.push_back((step.to, [way.as_slice(), &[*step]].concat()));
        }
    }
    panic!("there is no way to {status}")
}
