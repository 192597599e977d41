use serde_json::json;
use tests::support::App;

use crate::support::{DATASETS, names, path_of, upload};

#[tokio::test(flavor = "multi_thread")]
async fn datasets_are_listed_newest_first_and_by_filter() {
    let app = App::start().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    for name in ["Alpha 100%.csv", "beta_1.csv", "Gamma.csv"] {
        upload(&admin, name, b"a\n1\n").await.expect(201);
    }
    let shared = [("visibility", "company")];
    let theirs = colleague
        .upload(DATASETS, "shared.csv", b"a\n", &shared)
        .await;
    theirs.expect(201);
    let list = async |query: &str| admin.get(&format!("{DATASETS}{query}")).await.json();
    assert_eq!(
        names(&list("").await),
        ["shared", "Gamma", "beta_1", "Alpha 100%"]
    );
    assert_eq!(
        names(&list("?owner=me").await),
        ["Gamma", "beta_1", "Alpha 100%"]
    );
    assert_eq!(names(&list("?q=ALPHA").await), ["Alpha 100%"]);
    assert_eq!(names(&list("?q=%25").await), ["Alpha 100%"]);
    assert_eq!(names(&list("?q=_").await), ["beta_1"]);
    let first = admin.get(&format!("{DATASETS}?limit=3&owner=me")).await;
    assert_eq!(first.next_page(), None);
    let first = admin.get(&format!("{DATASETS}?limit=3")).await;
    let second = admin.get(first.next_page().expect("a page more")).await;
    assert_eq!(names(&second.expect(200).json()), ["Alpha 100%"]);
    let wrong = admin.get(&format!("{DATASETS}?owner=you&sort=name")).await;
    wrong.expect_problem(400, "invalid_query");
    assert_eq!(wrong.faulty_fields(), ["owner", "sort"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_listed_in_their_order() {
    let app = App::start().await;
    let client = app.register().await;
    let mut made = Vec::new();
    for name in ["one.csv", "two.csv", "three.csv"] {
        made.push(upload(&client, name, b"a\n1\n").await.expect(201).json());
    }
    let since = made[1]["updatedAt"].as_str().expect("a time");
    let body = json!({"rows": {"add": [{"a": "2"}]}});
    client.patch(&path_of(&made[0]), &body).await.expect(200);
    let query = format!("{DATASETS}?limit=2&updatedSince={since}");
    let changes = client.get(&query.replace('+', "%2B")).await;
    assert_eq!(names(&changes.expect(200).json()), ["two", "three"]);
    let rest = client.get(changes.next_page().expect("a page more")).await;
    assert_eq!(names(&rest.expect(200).json()), ["one"]);
}
