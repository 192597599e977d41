//! Trying templates: findings of what is not saved, and what becomes of what is.

use serde_json::{Value, json};
use tests::support::App;

use super::{TEMPLATES, body, template};

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_filled_in_without_escaping_and_its_tokens_are_counted() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let path = template(&ada, &body("Fix")).await;
    let values = json!({
        "vars": {"title": "a < b && c", "criteria": ["{{title}}", "two"]},
        "context": {"issue": {"key": "AB-1", "status": "in_progress"}},
    });
    let text = "# a < b && c\n- {{title}}\n- two\nAB-1: IN PROGRESS";
    for _ in 0..2 {
        let view = bob
            .post(&format!("{path}/render"), &values)
            .await
            .expect(200)
            .json();
        assert_eq!(view["text"], text);
        assert_eq!(
            view["placeholders"],
            json!([
                "criteria",
                "criteria[]",
                "issue.key",
                "issue.status",
                "title"
            ])
        );
        assert_eq!(view["tokens"], json!(domain::templates::tokens(text)));
    }
    // A new version is another text, at once.
    ada.patch(&path, &json!({"bodyMd": "{{title}}"}))
        .await
        .expect(200);
    let view = bob
        .post(&format!("{path}/render"), &values)
        .await
        .expect(200)
        .json();
    assert_eq!(view["text"], "a < b && c");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_keeps_a_template_from_being_filled_in_is_told_at_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = template(&ada, &body("Fix")).await;
    let render = format!("{path}/render");
    let wrong = json!({"vars": {"criteria": "one"}, "context": {"issue": 1, "isue": {}}});
    let mut fields = ada.post(&render, &wrong).await.faulty_fields();
    fields.sort();
    assert_eq!(
        fields,
        [
            "context.issue",
            "context.isue",
            "vars.criteria",
            "vars.title"
        ]
    );
    let missing = ada.post(&render, &json!({"vars": {"title": "x"}})).await;
    let problem = missing.expect_problem(422, "invalid");
    let told: Vec<&Value> = problem["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|fault| &fault["message"])
        .collect();
    assert_eq!(
        told,
        [
            "line 5, column 1: “issue.key” is not there",
            "line 5, column 16: “issue.status” is not there"
        ]
    );
    ada.post(&render, &json!({"vars": []}))
        .await
        .expect_problem(400, "invalid_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_grows_beyond_all_bounds_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({
        "name": "Bomb", "lintJson": {"properties": {"l": {}}},
        "bodyMd": "{{#each l}}{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}x{{/each}}{{/each}}{{/each}}{{/each}}",
    });
    let path = template(&ada, &body).await;
    let values = json!({"vars": {"l": (0..1000).collect::<Vec<u32>>()}});
    let reply = ada.post(&format!("{path}/render"), &values).await;
    assert_eq!(reply.faulty_fields(), ["bodyMd"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_not_saved_is_looked_at() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let lint = format!("{TEMPLATES}/lint");
    let faulty = json!({"bodyMd": "{{titel}}\n {{shout issue.key}}", "lintJson": {"properties": {"title": {}}, "required": ["title"]}});
    let view = bob.post(&lint, &faulty).await.expect(200).json();
    assert_eq!(
        view,
        json!({
            "findings": [
                {"field": "bodyMd", "code": "undeclared", "line": 1, "column": 1, "message": "“titel” is not declared"},
                {"field": "bodyMd", "code": "unknown_helper", "line": 2, "column": 2, "message": "there is no helper “shout”"},
                {"field": "lintJson", "code": "unused", "message": "requires “title”, which the body does not use"},
            ],
            "placeholders": ["issue.key"],
        })
    );
    let fine = bob
        .post(&lint, &json!({"bodyMd": "{{issue.key}}"}))
        .await
        .expect(200)
        .json();
    assert_eq!(fine["findings"], json!([]));
    bob.post(&lint, &json!({}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(bob.get(TEMPLATES).await.json(), json!([]));
}
