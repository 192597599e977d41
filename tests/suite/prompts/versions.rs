//! Versions: made when something changed, and the same for ever.

use diesel_async::SimpleAsyncConnection as _;
use serde_json::{Value, json};
use tests::support::App;

use super::support::{create, path_of, version};

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_made_only_of_what_changed() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({"promptText": "One."})).await;
    let path = path_of(&prompt);
    let versions = format!("{path}/versions");
    let first = ada.post_empty(&versions).await;
    let one = first.expect(201).json();
    assert_eq!(
        (&one["version"], &one["label"]),
        (&json!(1), &json!("Generator 1"))
    );
    assert_eq!(one["body"]["promptText"], "One.");
    assert_eq!(one["createdBy"], ada.id());
    assert!(one["tokensEstimate"].as_i64() > Some(0), "{one}");
    assert_eq!(one["sha256"].as_str().map(str::len), Some(64));
    let place = first.header("location").expect("a place");
    assert_eq!(ada.get(place).await.expect(200).json(), one);
    let again = ada.post_empty(&versions).await;
    assert_eq!(again.expect(200).json(), one);
    // Neither a note nor a reader is part of what a model is told.
    ada.patch(&path, &json!({"notes": "n", "visibility": "company"}))
        .await
        .expect(200);
    ada.post_empty(&versions).await.expect(200);
    ada.patch(&path, &json!({"promptText": "Two."}))
        .await
        .expect(200);
    assert_eq!(
        ada.get(&path).await.json()["currentVersion"],
        1,
        "editing makes none"
    );
    let two = ada.post_empty(&versions).await.expect(201).json();
    assert_eq!(two["version"], 2);
    // What it said before is a new version when it says so again.
    ada.patch(&path, &json!({"promptText": "One."}))
        .await
        .expect(200);
    let three = ada.post_empty(&versions).await.expect(201).json();
    assert_eq!(
        (&three["version"], &three["sha256"]),
        (&json!(3), &one["sha256"])
    );
    let list = ada.get(&versions).await.expect(200).json();
    assert_eq!(list, json!([three, two, one]));
    let page = ada.get(&format!("{versions}?limit=2")).await;
    let rest = ada.get(page.next_page().expect("more")).await.json();
    assert_eq!(rest, json!([one]));
    assert_eq!(ada.get(&path).await.json()["currentVersion"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_bodies_have_one_hash_however_they_were_written() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({"metadata": {"a": 1.0, "b": {"x": 1, "y": 2}}})).await);
    let one = version(&ada, &path).await;
    let body = json!({"metadata": {"b": {"y": 2, "x": 1}, "a": 1.0}});
    ada.patch(&path, &body).await.expect(200);
    assert_eq!(version(&ada, &path).await["id"], one["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_starts_the_numbers_again_and_keeps_what_was() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({"title": "Old"})).await);
    let old = version(&ada, &path).await;
    let renamed = ada
        .patch(&path, &json!({"title": "New"}))
        .await
        .expect(200)
        .json();
    assert!(renamed.get("currentVersion").is_none(), "{renamed}");
    let first = ada.get(&format!("{path}/versions/1")).await;
    assert_eq!(first.expect(200).json(), old, "until there is a newer one");
    let new = ada
        .post_empty(&format!("{path}/versions"))
        .await
        .expect(201)
        .json();
    assert_eq!((&new["version"], &new["lineage"]), (&json!(1), &json!(2)));
    assert_eq!(
        new["sha256"], old["sha256"],
        "unchanged text, a version all the same"
    );
    assert_eq!(ada.get(&format!("{path}/versions/1")).await.json(), new);
    let by_id = format!("{path}/versions/{}", old["id"].as_str().expect("an id"));
    assert_eq!(ada.get(&by_id).await.json(), old);
    // The same name again is no new name.
    ada.patch(&path, &json!({"title": "New"})).await.expect(200);
    assert_eq!(version(&ada, &path).await["id"], new["id"]);
    assert_eq!(
        ada.get(&format!("{path}/versions")).await.json(),
        json!([new, old])
    );
    ada.get(&format!("{path}/versions/2"))
        .await
        .expect_problem(404, "not_found");
    ada.get(&format!("{path}/versions/0"))
        .await
        .expect_problem(400, "invalid_path");
    ada.get(&format!("{path}/versions/x"))
        .await
        .expect_problem(400, "invalid_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_make_a_version_one_does() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    let versions = format!("{path}/versions");
    let replies = futures::future::join_all((0..8).map(|_| ada.post_empty(&versions))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(made, 1);
    let ids: Vec<Value> = replies
        .iter()
        .map(|reply| reply.json()["id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(app.count("prompt_versions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_names_lines_and_members() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({"promptText": "a\nb\nc\n"})).await);
    let diff = format!("{path}/diff");
    ada.get(&diff).await.expect_problem(404, "not_found");
    let one = version(&ada, &path).await;
    let same = ada.get(&diff).await.expect(200).json();
    assert_eq!((&same["from"], &same["to"]), (&one["id"], &one["id"]));
    assert_eq!(
        (&same["inserted"], &same["deleted"]),
        (&json!(0), &json!(0))
    );
    let body = json!({"promptText": "a\nB\nc\nd\n", "sflMode": {"outputFormat": "JSON"}});
    ada.patch(&path, &body).await.expect(200);
    let two = version(&ada, &path).await;
    let between = ada.get(&diff).await.json();
    assert_eq!((&between["from"], &between["to"]), (&one["id"], &two["id"]));
    assert_eq!(between["members"], json!(["sflMode.outputFormat"]));
    let lines: Vec<(&str, &str)> = between["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| {
            (
                line["op"].as_str().expect("an op"),
                line["text"].as_str().expect("a text"),
            )
        })
        .collect();
    let expected = [
        ("equal", "a\n"),
        ("delete", "b\n"),
        ("insert", "B\n"),
        ("equal", "c\n"),
        ("insert", "d\n"),
    ];
    assert_eq!(lines, expected);
    let named = ada.get(&format!("{diff}?from=1&to=2")).await.json();
    assert_eq!(named, between);
    let back = ada.get(&format!("{diff}?from=2&to=1")).await.json();
    assert_eq!(
        (&back["inserted"], &back["deleted"]),
        (&json!(1), &json!(2))
    );
    ada.get(&format!("{diff}?from=1&to=7"))
        .await
        .expect_problem(404, "not_found");
    ada.get(&format!("{diff}?from=x"))
        .await
        .expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_texts_with_nothing_in_common_are_compared_in_time() {
    let app = App::start().await;
    let ada = app.register().await;
    let lines = |step: usize| -> String {
        let numbers = (0..24_000).map(|n| (n * step % 10_007).to_string());
        numbers.collect::<Vec<_>>().join("\n")
    };
    let path = path_of(&create(&ada, json!({"promptText": lines(1)})).await);
    version(&ada, &path).await;
    ada.patch(&path, &json!({"promptText": lines(4999)}))
        .await
        .expect(200);
    version(&ada, &path).await;
    let started = std::time::Instant::now();
    let diff = ada.get(&format!("{path}/diff")).await.expect(200).json();
    assert!(diff["inserted"].as_i64() > Some(0));
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_goes_back_to_what_a_version_says() {
    let app = App::start().await;
    let ada = app.register().await;
    let members = json!({"promptText": "Old {{x}}.", "notes": "mine", "exampleOutput": "e", "metadata": {"t": 1}});
    let path = path_of(&create(&ada, members).await);
    let old = version(&ada, &path).await;
    let body = json!({"title": "Renamed", "promptText": "New.", "exampleOutput": null, "metadata": {}, "kind": "grader"});
    ada.patch(&path, &body).await.expect(200);
    version(&ada, &path).await;
    let stale = ada
        .with("if-match", "\"1\"")
        .post(&format!("{path}/restore"), &json!({"versionId": old["id"]}))
        .await;
    stale.expect_problem(412, "stale");
    let restored = ada
        .post(&format!("{path}/restore"), &json!({"versionId": old["id"]}))
        .await
        .expect(200)
        .json();
    assert_eq!(restored["promptText"], "Old {{x}}.");
    assert_eq!(restored["placeholders"], json!(["x"]));
    assert_eq!(
        (&restored["exampleOutput"], &restored["kind"]),
        (&json!("e"), &json!("generator"))
    );
    assert_eq!(restored["metadata"], json!({"t": 1}));
    assert_eq!(
        (&restored["title"], &restored["notes"]),
        (&json!("Renamed"), &json!("mine"))
    );
    assert_eq!(ada.get(&path).await.json(), restored);
    let wrong = [
        json!({}),
        json!({"version": 0}),
        json!({"version": 1, "versionId": old["id"]}),
    ];
    for body in wrong {
        ada.post(&format!("{path}/restore"), &body)
            .await
            .expect_problem(422, "invalid");
    }
    ada.post(&format!("{path}/restore"), &json!({"version": 9}))
        .await
        .expect_problem(404, "not_found");
    // A version of another prompt is none of this one's.
    let other = path_of(&create(&ada, json!({})).await);
    let foreign = ada
        .post(
            &format!("{other}/restore"),
            &json!({"versionId": old["id"]}),
        )
        .await;
    foreign.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_itself_keeps_versions_as_they_are() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    version(&ada, &path).await;
    let mut connection = app.database().connect().await;
    for attack in [
        "UPDATE prompt_versions SET body = '{}'",
        "UPDATE prompt_versions SET created_by = created_by",
        "DELETE FROM prompt_versions",
    ] {
        let refused = connection.batch_execute(attack).await;
        let refusal = refused.expect_err(attack).to_string();
        assert!(refusal.contains("immutable"), "{refusal}");
    }
    assert_eq!(app.count("prompt_versions").await, 1);
    ada.delete(&path).await.expect(204);
    assert_eq!(
        app.count("prompt_versions").await,
        0,
        "they go with their prompt"
    );
}
