use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use tests::support::{App, app::Options};

use crate::support::{DATASETS, csv, of_csv, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn other_rows_make_a_new_version_and_the_old_one_stays() {
    let app = App::start().await;
    let client = app.register().await;
    let path = path_of(&of_csv(&client, "a,b\n1,x\n2,y\n3,z\n").await);
    let body = json!({"rows": {
        "add": [{"b": "new"}, {"a": 4.5, "b": {"k": [true]}}],
        "change": [{"rowIndex": 0, "values": {"b": null}}],
        "delete": [1],
    }});
    let changed = client.patch(&path, &body).await.expect(200).json();
    assert_eq!(
        (&changed["version"], &changed["rowCount"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(
        csv(&client, &path).await,
        "a,b\r\n1,\r\n3,z\r\n,new\r\n4.5,\"{\"\"k\"\":[true]}\"\r\n"
    );
    let rows = client.get(&format!("{path}/rows")).await.json();
    let indexes: Vec<&Value> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["rowIndex"])
        .collect();
    assert_eq!(indexes, [0, 2, 3, 4]);
    let old = client.get(&format!("{path}/export?version=1")).await;
    assert_eq!(old.expect(200).text(), "a,b\r\n1,x\r\n2,y\r\n3,z\r\n");
    let versions = client.get(&format!("{path}/versions")).await.json();
    assert_eq!(versions[0]["version"], 2);
    assert_eq!(
        (&versions[1]["version"], &versions[1]["rowCount"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(versions[0]["createdBy"], client.id());
    let first = client.get(&format!("{path}/versions?limit=1")).await;
    let second = client.get(first.next_page().expect("a page")).await;
    assert_eq!(second.expect(200).json(), json!([versions[1]]));
    // An index is never given again.
    let last = json!({"rows": {"delete": [4]}});
    client.patch(&path, &last).await.expect(200);
    let more = json!({"rows": {"add": [{"a": "5"}]}});
    client.patch(&path, &more).await.expect(200);
    let rows = client.get(&format!("{path}/rows")).await.json();
    assert_eq!(
        rows[3],
        json!({"rowIndex": 5, "values": {"a": "5", "b": null}})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_makes_no_version() {
    let app = App::start().await;
    let client = app.register().await;
    let before = of_csv(&client, "a,b\n1,\n").await;
    let path = path_of(&before);
    for body in [
        json!({}),
        json!({"name": "people", "visibility": "private", "else": 1}),
        json!({"rows": {}}),
        json!({"rows": {"add": [], "delete": []}}),
        json!({"rows": {"change": [{"rowIndex": 0, "values": {"a": "1", "b": null}}]}}),
    ] {
        let after = client.patch(&path, &body).await.expect(200).json();
        assert_eq!(after, before, "{body}");
    }
    let renamed = json!({"name": " New name ", "visibility": "company"});
    let after = client.patch(&path, &renamed).await.expect(200).json();
    assert_eq!(after["name"], "New name");
    assert_eq!(after["visibility"], "company");
    assert_eq!(after["version"], 1);
    assert_ne!(after["updatedAt"], before["updatedAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_change_are_told_and_nothing_of_it_happens() {
    let app = App::start_with(Options::with(|config| config.datasets.dataset_rows = 3)).await;
    let client = app.register().await;
    let before = of_csv(&client, "a\n1\n2\n").await;
    let path = path_of(&before);
    let body = json!({"name": "Other", "rows": {
        "add": [{"z": "1"}, {"a": "\u{0}"}],
        "change": [{"rowIndex": 7, "values": {"a": "1"}}, {"rowIndex": 0, "values": {"a": "9"}}],
        "delete": [0, -1],
    }});
    let refused = client.patch(&path, &body).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(
        refused.faulty_fields(),
        [
            "rows.add[0].z",
            "rows.add[1].a",
            "rows.change[0]",
            "rows.delete[0]",
            "rows.delete[1]"
        ]
    );
    let many = json!({"rows": {"add": [{}, {}]}});
    let refused = client.patch(&path, &many).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["rows.add"]);
    let wrong =
        json!({"name": "", "rows": {"add": {}, "change": [{"values": {}}], "delete": ["x"]}});
    let refused = client.patch(&path, &wrong).await;
    refused.expect_problem(400, "invalid_body");
    assert_eq!(
        refused.faulty_fields(),
        [
            "name",
            "rows.add",
            "rows.change[0].rowIndex",
            "rows.delete[0]"
        ]
    );
    assert_eq!(client.get(&path).await.json(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_was_not_seen_is_refused() {
    let app = App::start().await;
    let client = app.register().await;
    let path = path_of(&of_csv(&client, "a\n1\n").await);
    let seen = client
        .get(&path)
        .await
        .header("etag")
        .expect("a tag")
        .to_owned();
    let body = json!({"rows": {"add": [{"a": "2"}]}});
    let writer = client.with("if-match", &seen);
    let changed = writer.patch(&path, &body).await;
    assert_ne!(changed.expect(200).header("etag"), Some(seen.as_str()));
    writer
        .patch(&path, &body)
        .await
        .expect_problem(412, "stale");
    writer.delete(&path).await.expect_problem(412, "stale");
    let reader = client.with("if-none-match", changed.header("etag").expect("a tag"));
    reader.get(&path).await.expect(304);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_make_a_version_each() {
    let app = App::start().await;
    let client = app.register().await;
    let path = path_of(&of_csv(&client, "a\n").await);
    let body = json!({"rows": {"add": [{"a": "x"}]}});
    let changes = (0..6).map(|_| client.patch(&path, &body));
    for changed in futures::future::join_all(changes).await {
        changed.expect(200);
    }
    let dataset = client.get(&path).await.json();
    assert_eq!(
        (&dataset["version"], &dataset["rowCount"]),
        (&json!(7), &json!(6))
    );
    assert_eq!(csv(&client, &path).await.lines().count(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_reads_what_is_shared_and_only_owner_and_admin_change_it() {
    let app = App::start().await;
    let admin = app.register().await;
    let owner = app.member(&admin, "developer").await;
    let colleague = app.member(&admin, "developer").await;
    let path = path_of(&of_csv(&owner, "a\n1\n").await);
    colleague.get(&path).await.expect(404);
    admin.get(&path).await.expect(404);
    let shared = json!({"visibility": "company"});
    owner.patch(&path, &shared).await.expect(200);
    colleague.get(&format!("{path}/rows")).await.expect(200);
    let body = json!({"name": "Mine"});
    let refused = colleague.patch(&path, &body).await;
    refused.expect_problem(403, "forbidden");
    colleague
        .delete(&path)
        .await
        .expect_problem(403, "forbidden");
    admin.patch(&path, &body).await.expect(200);
    admin.delete(&path).await.expect(204);
    owner.get(&path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_dataset_leaves_nothing_behind() {
    let app = App::start().await;
    let client = app.register().await;
    let path = path_of(&of_csv(&client, "a\n1\n2\n").await);
    client.delete(&path).await.expect(204);
    client.delete(&path).await.expect_problem(404, "not_found");
    for place in ["", "/preview", "/rows", "/versions", "/export"] {
        let gone = client.get(&format!("{path}{place}")).await;
        gone.expect_problem(404, "not_found");
    }
    let mut connection = app.database().connect().await;
    let rows = db::schema::dataset_rows::table.count();
    let left: i64 = rows.get_result(&mut connection).await.expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_dataset_is_shown_to_nobody_and_its_rows_stay() {
    use db::schema::datasets::dsl::{archived_at, datasets};
    let app = App::start().await;
    let client = app.register().await;
    let path = path_of(&of_csv(&client, "a\n1\n").await);
    let mut connection = app.database().connect().await;
    diesel::update(datasets)
        .set(archived_at.eq(diesel::dsl::now))
        .execute(&mut connection)
        .await
        .expect("archived");
    client.get(&path).await.expect(404);
    client.patch(&path, &json!({"name": "x"})).await.expect(404);
    assert_eq!(client.get(DATASETS).await.json(), json!([]));
    let rows = db::schema::dataset_rows::table.count();
    let left: i64 = rows.get_result(&mut connection).await.expect("a count");
    assert_eq!(left, 1);
    // The same file is a new dataset then.
    of_csv(&client, "a\n1\n").await;
}
