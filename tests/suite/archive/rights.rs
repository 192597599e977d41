//! What an import may not do: more than whoever imports.

use serde_json::{Value, json};
use tests::support::App;

use super::{Archive, IMPORT, TRIAL, counts, fill, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_gets_a_whole_copy_and_touches_nothing() {
    let app = App::start().await;
    let company = fill::company(&app).await;
    let bob = app.register().await;
    let export = Archive::of(&company.admin).await;
    let before = export.lasting();
    let done = send(&bob, IMPORT, &export).await.expect(200).json();
    assert_eq!(
        (counts(&done).1, counts(&done).3),
        (1, 0),
        "a built-in workflow: {done}"
    );
    let twice = send(&bob, IMPORT, &export).await.expect(200).json();
    assert_eq!((counts(&twice).0, counts(&twice).1), (0, 0), "{twice}");
    assert_eq!(Archive::of(&company.admin).await.lasting(), before);
    let copy = Archive::of(&bob).await;
    let (own, theirs) = (ids(&export), ids(&copy));
    let shared: Vec<_> = own.iter().filter(|id| theirs.contains(id)).collect();
    assert!(shared.is_empty(), "{shared:?}");
    for file in export.manifest()["varies"]
        .as_object()
        .expect("an object")
        .keys()
    {
        assert_eq!(export.rows(file).len(), copy.rows(file).len(), "{file}");
    }
    // What refers to one another still does.
    let generated = |rows: Vec<Value>| rows.into_iter().find(|row| row["requestId"].is_string());
    let prompt = generated(copy.rows("prompts.jsonl")).expect("a generated prompt");
    let named = |file: &str, id: &Value| copy.rows(file).iter().any(|row| &row["id"] == id);
    assert!(named("requests.jsonl", &prompt["requestId"]));
    assert!(named("templates.jsonl", &prompt["templateId"]));
    for output in copy.rows("outputs.jsonl") {
        assert!(named("prompt_versions.jsonl", &output["promptVersionId"]));
    }
    let flow = copy.rows("workflows.jsonl");
    let flow = flow
        .iter()
        .find(|row| row["name"] == "Flöw")
        .expect("the workflow");
    assert!(named("prompts.jsonl", &flow["tasks"][1]["promptId"]));
    assert!(named(
        "documents.jsonl",
        &flow["tasks"][2]["documentIds"][0]
    ));
}

/// The ids of all rows but people.
fn ids(archive: &Archive) -> Vec<String> {
    let manifest = archive.manifest();
    let files = manifest["varies"].as_object().expect("an object");
    let rows = files.keys().flat_map(|file| archive.rows(file));
    rows.filter_map(|row| row["id"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_takes_in_no_templates_and_no_past() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let export = Archive::of(&company.admin).await;
    for (role, refused) in [
        (
            "developer",
            ["requests", "templates", "workflows"].as_slice(),
        ),
        ("lead", &["requests", "workflows"]),
    ] {
        let dora = to.member(&bob, role).await;
        let tried = send(&dora, TRIAL, &export).await.expect(200).json();
        let faults = tried["faults"].as_array().expect("a list").iter();
        let mut areas: Vec<String> = faults
            .filter_map(|fault| {
                fault["field"]
                    .as_str()?
                    .split('[')
                    .next()
                    .map(str::to_owned)
            })
            .collect();
        areas.sort();
        areas.dedup();
        assert_eq!(areas, refused, "{role}: {tried}");
        let reply = send(&dora, IMPORT, &export).await;
        reply.expect_problem(422, "invalid");
    }
    for table in [
        "prompts",
        "prompt_templates",
        "requests",
        "datasets",
        "documents",
        "outputs",
        "jobs",
    ] {
        assert_eq!(to.count(table).await, 0, "{table}");
    }
    assert!(to.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_just_made_is_the_importers_own() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let dora = to.member(&bob, "developer").await;
    let export = Archive::of(&company.admin).await;
    let rows = export.rows("requests.jsonl");
    let plain: Vec<Value> = rows
        .into_iter()
        .filter(|row| row["vendor"] == "ABB")
        .collect();
    let of_plain = |file: &str| -> Vec<Value> {
        let rows = export.rows(file).into_iter();
        rows.filter(|row| row["requestId"] == plain[0]["id"])
            .collect()
    };
    let activity = of_plain("request_activity.jsonl");
    let mut alone = Archive::of(&dora).await;
    alone = alone
        .with("requests.jsonl", &plain)
        .with("request_activity.jsonl", &activity);
    for expected in [(2, 0, 0, 0), (0, 0, 2, 0)] {
        let done = send(&dora, IMPORT, &alone).await.expect(200).json();
        assert_eq!(counts(&done), expected, "{done}");
    }
    let list = dora.get("/api/requests").await.json();
    let own = &list["requests"][0];
    assert_eq!(
        (own["createdBy"].as_str(), &own["number"]),
        (Some(dora.id()), &json!(1))
    );
    assert_ne!(own["createdByName"], plain[0]["createdByName"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_taken_becomes_the_next_one() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let other = json!({"title": "Here before", "description": "It was here.", "vendor": "ABB", "priority": "Low"});
    bob.post("/api/requests", &other).await.expect(201);
    let export = Archive::of(&company.admin).await;
    send(&bob, IMPORT, &export).await.expect(200);
    let made = bob.post("/api/requests", &other).await.expect(201).json();
    assert_eq!(made["request"]["number"], 4);
    let list = bob.get("/api/requests").await.json();
    let mut numbers: Vec<i64> = list["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["number"].as_i64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
}
