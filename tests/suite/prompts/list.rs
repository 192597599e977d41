//! Finding prompts.

use diesel_async::SimpleAsyncConnection as _;
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{PROMPTS, create, path_of, point, titles, version};

async fn found(client: &Client, query: &[(&str, &str)]) -> Vec<String> {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let list = client.get(&format!("{PROMPTS}?{query}")).await;
    let list = list.expect(200).json();
    let mut found: Vec<_> = titles(&list).into_iter().map(str::to_owned).collect();
    found.sort();
    found
}

/// A query, and the titles it finds.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

const BOTH: &[&str] = &["First", "Second"];

const CASES: [Case; 24] = [
    (&[], BOTH),
    (&[("topic", "ROSSE")], &[]),
    (&[("topic", "gROßE")], &["First"]),
    (&[("topic", "züge")], &["First"]),
    (&[("topic", "rails")], &[]),
    (&[("q", "rails")], &["First"]),
    (&[("q", "weav")], &["Second"]),
    (&[("q", "e")], BOTH),
    (&[("q", "io")], &[]),
    (&[("q", "100% COTTON_w")], &["Second"]),
    (&[("q", "100%cotton")], &[]),
    (&[("q", "second")], &["Second"]),
    (&[("q", "grade IT.")], &["First"]),
    (&[("taskType", "Comparison")], &["First"]),
    (&[("taskType", "comparison")], &[]),
    (&[("aiPersona", "Historian")], &["Second"]),
    (&[("targetAudience", "Beginners")], BOTH),
    (&[("targetAudience", "Experts")], &["First"]),
    (&[("outputFormat", "JSON")], &["First"]),
    (&[("kind", "grader")], &["First"]),
    (&[("visibility", "company")], &["Second"]),
    (&[("visibility", "private")], &["First"]),
    (&[("owner", "me")], &["First"]),
    (&[("owner", "me"), ("kind", "generator")], &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_gives_what_it_names_and_nothing_else() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let first = json!({
        "title": "First", "kind": "grader", "promptText": "Grade it.",
        "sflField": {"topic": "Große Züge", "taskType": "Comparison", "keywords": "rails"},
        "sflTenor": {"aiPersona": "Expert", "targetAudience": ["Experts", "Beginners"]},
        "sflMode": {"outputFormat": "JSON"},
    });
    let second = json!({
        "title": "Second", "visibility": "company", "promptText": "Tell of 100% cotton_wool.",
        "sflField": {"topic": "Cloth", "taskType": "Explanation", "keywords": "weaving"},
        "sflTenor": {"aiPersona": "Historian", "targetAudience": ["Beginners"]},
        "sflMode": {"outputFormat": "Markdown"},
    });
    create(&ada, first).await;
    create(&bob, second).await;
    for (query, expected) in CASES {
        assert_eq!(found(&ada, query).await, expected, "{query:?}");
    }
    assert_eq!(found(&bob, &[]).await, ["Second"]);
    let stranger = app.register().await;
    assert!(found(&stranger, &[("q", "e")]).await.is_empty());
    for wrong in [
        "tpoic=a",
        "kind=judge",
        "owner=you",
        "visibility=all",
        "limit=0",
        "limit=1001",
        "label=a%20b",
        "q=",
        "updatedSince=yesterday",
        "cursor=x",
        "kind=grader&kind=generator",
    ] {
        let reply = ada.get(&format!("{PROMPTS}?{wrong}")).await;
        reply.expect_problem(400, "invalid_query");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_follows_every_change_of_what_it_looks_into() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({"sflField": {"topic": "apples"}})).await;
    let path = path_of(&prompt);
    ada.patch(&path, &json!({"sflField": {"topic": "pears"}}))
        .await
        .expect(200);
    ada.put(&path, &json!({"promptText": "Count plums."}))
        .await
        .expect(200);
    for (word, times) in [("apples", 0), ("pears", 1), ("plums", 1), ("hello", 0)] {
        assert_eq!(found(&ada, &[("q", word)]).await.len(), times, "{word}");
    }
    version(&ada, &path).await;
    ada.put(&path, &json!({"promptText": "Count cherries."}))
        .await
        .expect(200);
    ada.post(&format!("{path}/restore"), &json!({"version": 1}))
        .await
        .expect(200);
    assert_eq!(found(&ada, &[("q", "plums")]).await.len(), 1);
    assert!(found(&ada, &[("q", "cherries")]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_finds_the_prompts_that_have_it() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({"title": "Labelled"})).await;
    create(&ada, json!({"title": "Bare"})).await;
    let path = path_of(&prompt);
    let made = version(&ada, &path).await;
    point(&ada, &path, "production", &made).await;
    assert_eq!(found(&ada, &[("label", "production")]).await, ["Labelled"]);
    assert!(found(&ada, &[("label", "staging")]).await.is_empty());
    ada.delete(&format!("{path}/labels/production"))
        .await
        .expect(204);
    assert!(found(&ada, &[("label", "production")]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_change_comes_first_and_pages_have_no_gap() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut made = Vec::new();
    for n in 0..7 {
        made.push(create(&ada, json!({"title": n.to_string()})).await);
    }
    ada.patch(&path_of(&made[2]), &json!({"notes": "n"}))
        .await
        .expect(200);
    let all = ada.get(PROMPTS).await;
    assert!(all.next_page().is_none());
    let all = all.json();
    assert_eq!(titles(&all), ["2", "6", "5", "4", "3", "1", "0"]);
    let (mut path, mut seen) = (format!("{PROMPTS}?limit=3&kind=generator"), Vec::new());
    loop {
        let reply = ada.get(&path).await;
        seen.extend(reply.expect(200).json().as_array().expect("a list").clone());
        let Some(next) = reply.next_page() else { break };
        path = next.to_owned();
    }
    assert_eq!(Value::from(seen), all);
    let foreign = path.replace("kind=generator", "kind=grader");
    ada.get(&foreign).await.expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_a_thousand_unless_told_otherwise() {
    let app = App::start().await;
    let ada = app.register().await;
    create(&ada, json!({})).await;
    let copies = "INSERT INTO prompts SELECT gen_random_uuid(), company_id, owner_id, visibility, kind, title, prompt_text, sfl_field, sfl_tenor, sfl_mode, example_output, notes, source_document, metadata, lineage, current_version, labels, folded_topic, folded_text, grams FROM prompts, generate_series(1, 1000)";
    app.database().run(copies).await;
    let all = ada.get(PROMPTS).await;
    assert_eq!(all.expect(200).json().as_array().map(Vec::len), Some(1000));
    let rest = ada.get(all.next_page().expect("one more")).await.json();
    assert_eq!(rest.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_gives_every_change_even_one_that_commits_late() {
    let app = App::start().await;
    let ada = app.register().await;
    let early = create(&ada, json!({"title": "Early"})).await;
    let mut slow = app.database().connect().await;
    slow.batch_execute("BEGIN; UPDATE prompts SET title = 'Late'")
        .await
        .expect("an open change");
    create(&ada, json!({"title": "Quick"})).await;
    let since = early["updatedAt"].as_str().expect("a time");
    let changes = format!("{PROMPTS}?updatedSince={since}");
    assert_eq!(titles(&ada.get(&changes).await.json()), ["Early"]);
    slow.batch_execute("COMMIT").await.expect("a commit");
    let list = ada.get(&changes).await.json();
    assert_eq!(titles(&list), ["Late", "Quick"]);
    let first = ada.get(&format!("{changes}&limit=1")).await;
    assert_eq!(titles(&first.json()), ["Late"]);
    let next = ada.get(first.next_page().expect("more")).await;
    assert_eq!(titles(&next.json()), ["Quick"]);
    let underscored = changes.replace("updatedSince", "updated_since");
    assert_eq!(ada.get(&underscored).await.json(), list);
}
