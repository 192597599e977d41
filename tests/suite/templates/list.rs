//! Finding templates.

use serde_json::Value;
use tests::support::App;

use super::{TEMPLATES, body, template};

fn names(list: &Value) -> Vec<String> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_paged_and_followed() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    for name in ["One 100%", "Two", "Three"] {
        template(&ada, &body(name)).await;
    }
    app.register()
        .await
        .post(TEMPLATES, &body("Foreign"))
        .await
        .expect(201);
    let page = bob.get(&format!("{TEMPLATES}?limit=2")).await;
    assert_eq!(names(&page.json()), ["Three", "Two"]);
    assert!(page.json()[0].get("bodyMd").is_none());
    let next = page.next_page().expect("another page").to_owned();
    assert_eq!(names(&bob.get(&next).await.json()), ["One 100%"]);
    assert_eq!(
        names(&bob.get(&format!("{TEMPLATES}?q=100%25")).await.json()),
        ["One 100%"]
    );
    assert_eq!(
        names(&bob.get(&format!("{TEMPLATES}?q=T")).await.json()),
        ["Three", "Two"]
    );
    let since = page.json()[1]["updatedAt"]
        .as_str()
        .expect("a time")
        .to_owned();
    let changed = bob.get(&format!("{TEMPLATES}?updatedSince={since}")).await;
    assert_eq!(names(&changed.json()), ["Two", "Three"]);
    bob.get(&format!("{TEMPLATES}?owner=me"))
        .await
        .expect_problem(400, "invalid_query");
}
