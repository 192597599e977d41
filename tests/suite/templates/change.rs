//! Writing templates: who may, what is refused, and what every save leaves behind.

use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use tests::support::App;

use super::{TEMPLATES, body, template};

#[tokio::test(flavor = "multi_thread")]
async fn leads_write_templates_and_developers_read_them() {
    let app = App::start().await;
    let ada = app.register().await;
    let lead = app.member(&ada, "lead").await;
    let developer = app.member(&ada, "developer").await;
    let requester = app.member(&ada, "requester").await;
    let made = lead.post(TEMPLATES, &body("Fix")).await;
    let template = made.expect(201).json();
    let path = format!("{TEMPLATES}/{}", template["id"].as_str().expect("an id"));
    assert_eq!(made.header("location"), Some(path.as_str()));
    for member in ["name", "bodyMd", "lintJson"] {
        assert_eq!(template[member], body("Fix")[member], "{member}");
    }
    assert_eq!(template["version"], 1);
    assert_eq!(template["creator"]["id"], lead.id());
    assert_eq!(developer.get(&path).await.expect(200).json(), template);
    for refused in [
        developer.post(TEMPLATES, &body("Mine")).await,
        developer.patch(&path, &json!({"name": "Mine"})).await,
        developer.delete(&path).await,
        requester.get(&path).await,
        requester.get(TEMPLATES).await,
    ] {
        refused.expect_problem(403, "forbidden");
    }
    ada.patch(&path, &json!({"name": "Fixed"}))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_finding_is_told_at_once_and_nothing_is_kept() {
    let app = App::start().await;
    let ada = app.register().await;
    let faulty = json!({
        "name": "Faulty", "bodyMd": "{{titel}}\n{{shout issue.key}}",
        "lintJson": {"properties": {"title": {}, "user": {}}, "required": ["title"]},
    });
    let problem = ada
        .post(TEMPLATES, &faulty)
        .await
        .expect_problem(422, "invalid");
    let told: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|fault| {
            (
                fault["field"].as_str().expect("a field"),
                fault["message"].as_str().expect("a message"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("bodyMd", "line 2, column 1: there is no helper “shout”"),
            ("lintJson", "must not declare “user”, a name of the context"),
        ]
    );
    let faulty = json!({"name": "Faulty", "bodyMd": "{{titel}}", "lintJson": {"properties": {"title": {}}, "required": ["title"]}});
    assert_eq!(
        ada.post(TEMPLATES, &faulty).await.faulty_fields(),
        ["bodyMd", "lintJson"]
    );
    let unfit = json!({"name": " ", "bodyMd": "", "lintJson": []});
    let mut fields = ada.post(TEMPLATES, &unfit).await.faulty_fields();
    fields.sort();
    assert_eq!(fields, ["bodyMd", "name"]);
    ada.post(
        TEMPLATES,
        &json!({"name": "x", "bodyMd": "x", "lintJson": []}),
    )
    .await
    .expect_problem(422, "invalid");
    ada.post(TEMPLATES, &json!({"name": 1, "bodyMd": "x"}))
        .await
        .expect_problem(400, "invalid_body");
    ada.post(
        TEMPLATES,
        &json!({"name": "x", "bodyMd": "x", "lintJson": {"title": "\u{0}"}}),
    )
    .await
    .expect_problem(422, "invalid");
    assert_eq!(ada.get(TEMPLATES).await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_save_that_changes_what_it_says_is_a_version_for_ever() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = template(&ada, &body("Fix")).await;
    let first = ada.get(&path).await.json();
    let renamed = ada
        .patch(&path, &json!({"name": "Repair"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&renamed["version"], &renamed["versionId"]),
        (&json!(1), &first["versionId"])
    );
    assert_eq!(
        (&renamed["bodyMd"], &renamed["lintJson"]),
        (&first["bodyMd"], &first["lintJson"])
    );
    let changed = ada
        .patch(&path, &json!({"bodyMd": "{{title}}!"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["version"], &changed["lintJson"]),
        (&json!(2), &first["lintJson"])
    );
    let same = ada
        .patch(&path, &json!({"bodyMd": "{{title}}!"}))
        .await
        .expect(200)
        .json();
    assert_eq!(same, changed);
    let freed = ada
        .patch(&path, &json!({"lintJson": {"additionalProperties": true}}))
        .await
        .expect(200)
        .json();
    assert_eq!(freed["version"], 3);
    ada.patch(&path, &json!({"lintJson": {}}))
        .await
        .expect_problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_read_and_never_changed() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = template(&ada, &body("Fix")).await;
    let first = ada.get(&path).await.json();
    for text in ["{{title}}!", "{{title}}?"] {
        let changed = ada.patch(&path, &json!({ "bodyMd": text })).await;
        changed.expect(200);
    }
    let versions = ada.get(&format!("{path}/versions?limit=2")).await;
    let numbers = |list: &Value| -> Vec<i64> {
        list.as_array()
            .expect("a list")
            .iter()
            .filter_map(|row| row["version"].as_i64())
            .collect()
    };
    assert_eq!(numbers(&versions.json()), [3, 2]);
    let next = versions.next_page().expect("another page").to_owned();
    assert_eq!(numbers(&ada.get(&next).await.json()), [1]);
    let old = ada
        .get(&format!("{path}/versions/1"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&old["bodyMd"], &old["id"], &old["createdBy"]),
        (&first["bodyMd"], &first["versionId"], &json!(ada.id()))
    );
    ada.get(&format!("{path}/versions/4"))
        .await
        .expect_problem(404, "not_found");
    for wrong in ["0", "-1", "x", "99999999999"] {
        ada.get(&format!("{path}/versions/{wrong}"))
            .await
            .expect_problem(400, "invalid_path");
    }
    let mut connection = app.database().connect().await;
    for statement in [
        "UPDATE prompt_template_versions SET body_md = 'x'",
        "DELETE FROM prompt_template_versions",
    ] {
        let changed = diesel::sql_query(statement).execute(&mut connection).await;
        assert!(
            changed
                .expect_err(statement)
                .to_string()
                .contains("immutable")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_another_revision_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = template(&ada, &body("Fix")).await;
    let read = ada.get(&path).await;
    let tag = read.header("etag").expect("a tag").to_owned();
    ada.with("if-none-match", &tag).get(&path).await.expect(304);
    let careful = ada.with("if-match", &tag);
    careful
        .patch(&path, &json!({"bodyMd": "{{title}}"}))
        .await
        .expect(200);
    careful
        .patch(&path, &json!({"name": "Late"}))
        .await
        .expect_problem(412, "stale");
    careful.delete(&path).await.expect_problem(412, "stale");
    ada.get(&path).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_each_get_a_number_of_their_own() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = template(&ada, &body("Fix")).await;
    let saves = (0..12).map(|number| {
        let (ada, path) = (ada.clone(), path.clone());
        async move {
            let text = json!({"bodyMd": format!("{{{{title}}}} {number}")});
            ada.patch(&path, &text).await.expect(200).json()["version"]
                .as_i64()
                .expect("a number")
        }
    });
    let mut numbers = futures::future::join_all(saves).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (2..14).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_until_its_template_is_deleted() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = template(&ada, &body("Fix")).await;
    let other = template(&ada, &body("Other")).await;
    ada.post(TEMPLATES, &body("Fix"))
        .await
        .expect_problem(409, "conflict");
    ada.patch(&other, &json!({"name": "Fix"}))
        .await
        .expect_problem(409, "conflict");
    app.register()
        .await
        .post(TEMPLATES, &body("Fix"))
        .await
        .expect(201);
    ada.delete(&path).await.expect(204);
    let gone = [
        path.clone(),
        format!("{path}/versions"),
        format!("{path}/versions/1"),
    ];
    for gone in gone {
        ada.get(&gone).await.expect_problem(404, "not_found");
    }
    ada.delete(&path).await.expect_problem(404, "not_found");
    ada.patch(&path, &json!({"name": "Back"}))
        .await
        .expect_problem(404, "not_found");
    ada.post(&format!("{path}/render"), &json!({"vars": {"title": "x"}}))
        .await
        .expect_problem(404, "not_found");
    ada.patch(&other, &json!({"name": "Fix"})).await.expect(200);
}
