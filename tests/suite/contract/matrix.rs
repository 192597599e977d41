//! Who reaches whose rows: every route with an id, tried by everybody who must not. The routes are
//! taken from the OpenAPI document, so a new one is in here by itself; a new kind of row needs a
//! line in [`Rows::make`], or the test says so.

#[path = "matrix/rows.rs"]
mod rows;

use domain::users::Role;
use reqwest::Method;
use serde_json::json;
use tests::support::{App, Client, Options, Reply, routes};

use rows::{Belongs, Rows};

/// A body that would be accepted from somebody who may: a refusal is then about who asks. `named` is
/// what it has to name besides.
fn body_for(path: &str, named: &str) -> serde_json::Value {
    match path {
        "/api/requests/{id}/status" => json!({"status": "Accepted"}),
        "/api/requests/{id}/assign" => json!({"engineerId": named, "estimatedHours": 8}),
        "/api/requests/{id}/comments" => json!({"content": "Seen."}),
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
        .replacen("{kind}", "prompt", 1)
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
        request = request.json(&body_for(template, cell));
    }
    Reply::to(request).await
}

/// A webhook proves itself; a pause is named by a kind, and each company has its own.
fn names_a_row(path: &str) -> bool {
    path.contains('{') && !path.contains("/webhooks/") && path != "/api/jobs/pauses/{kind}"
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
        .filter(|route| names_a_row(&route.path));
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
            let reply = send(rows.master(&route.path), &route.method, &route.path, row).await;
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
            .replace("{kind}", "prompt")
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
    // With an OAuth app, or nobody could begin to sign in to Jira.
    let app = App::start_with(Options::with(|config| {
        config.gateway.trackers.jira_client_id = Some("an app".into());
        config.gateway.trackers.jira_client_secret = Some("its secret".into());
    }));
    let app = app.await;
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
        "outputs",
        "runs",
        "workflows",
        "prompt-templates",
        "requests",
        "executions",
        "trackers",
        "issues",
    ] {
        rows.make(&format!("/api/{kind}/{{id}}")).await;
    }
    let lists = routes::all()
        .into_iter()
        .filter(|route| route.method == "GET" && !route.path.contains('{'))
        // It lists nothing, and takes who comes back from elsewhere.
        .filter(|route| route.path != "/api/trackers/jira/callback");
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
