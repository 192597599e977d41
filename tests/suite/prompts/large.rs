//! Lists of large prompts: page by page, each within memory, and nothing lost.

use serde_json::{Value, json};
use tests::support::{App, Client, Reply};

use super::support::{PROMPTS, create, path_of};

/// What an answer may weigh: the bound of a page, and some for what it does not count.
const BOUND: usize = 18 * 1024 * 1024;

/// Every page of a list.
async fn pages(client: &Client, path: &str) -> Vec<Reply> {
    let (mut path, mut pages) = (path.to_owned(), Vec::new());
    loop {
        let page = client.get(&path).await;
        page.expect(200);
        let next = page.next_page().map(str::to_owned);
        pages.push(page);
        match next {
            Some(next) => path = next,
            None => return pages,
        }
    }
}

/// The ids of all rows, in their order.
fn ids(pages: &[Reply]) -> Vec<String> {
    let rows = pages.iter().flat_map(|page| match page.json() {
        Value::Array(rows) => rows,
        other => panic!("no list: {other}"),
    });
    rows.map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Makes so many copies of the one prompt there is, a microsecond apart.
async fn copies(app: &App, count: usize) {
    let sql = format!(
        "INSERT INTO prompts SELECT gen_random_uuid(), company_id, owner_id, visibility, kind, title, prompt_text, sfl_field, sfl_tenor, sfl_mode, example_output, notes, source_document, metadata, lineage, current_version, labels, folded_topic, folded_text, grams FROM prompts, generate_series(1, {count})"
    );
    app.database().run(&sql).await;
}

/// The ids of all prompts as the list should have them.
async fn expected(app: &App) -> Vec<String> {
    use db::schema::prompts;
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl as _;
    let ids = prompts::table
        .order((prompts::updated_at.desc(), prompts::id.desc()))
        .select(prompts::id);
    let ids: Vec<uuid::Uuid> = ids
        .load(&mut app.database().connect().await)
        .await
        .expect("ids");
    ids.iter().map(ToString::to_string).collect()
}

/// A text that hardly gets smaller when it is compressed.
fn noise(bytes: usize) -> String {
    (0..bytes)
        .map(|_| char::from(rand::random_range(b' '..=b'~')))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_prompts_come_whole_over_pages_that_are_bounded() {
    let app = App::start().await;
    let ada = app.register().await;
    create(&ada, json!({"promptText": "x".repeat(200_000)})).await;
    copies(&app, 199).await;
    let all = pages(&ada, PROMPTS).await;
    assert!((3..=4).contains(&all.len()), "{} pages", all.len());
    for page in &all {
        assert!(page.body.len() < BOUND, "{} bytes", page.body.len());
    }
    assert_eq!(ids(&all), expected(&app).await);
    let since = format!("{PROMPTS}?updatedSince=2020-01-01T00:00:00Z");
    let mut changes = ids(&pages(&ada, &since).await);
    changes.reverse();
    assert_eq!(changes, ids(&all));
    // A limit is kept on every page.
    let by_fifty = pages(&ada, &format!("{PROMPTS}?limit=50")).await;
    assert_eq!((by_fifty.len(), ids(&by_fifty)), (4, ids(&all)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_small_only_while_it_is_stored_is_bounded_all_the_same() {
    let app = App::start().await;
    let ada = app.register().await;
    // A hundredth of that on disk.
    let document = json!({"name": "a.txt", "content": "a".repeat(1_000_000)});
    create(&ada, json!({"sourceDocument": document})).await;
    copies(&app, 49).await;
    let all = pages(&ada, PROMPTS).await;
    for page in &all {
        assert!(page.body.len() < BOUND, "{} bytes", page.body.len());
    }
    assert!((4..=5).contains(&all.len()), "{} pages", all.len());
    assert_eq!(ids(&all), expected(&app).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_small_prompts_come_in_a_single_page() {
    let app = App::start().await;
    let ada = app.register().await;
    let small = json!({"promptText": noise(5_000), "notes": noise(2_000)});
    create(&ada, small).await;
    copies(&app, 999).await;
    let all = pages(&ada, PROMPTS).await;
    assert_eq!((all.len(), ids(&all).len()), (1, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_versions_come_whole_over_pages_that_are_bounded() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    for number in 0..60 {
        let text = format!("{number} {}", "y".repeat(199_000));
        let document = json!({"name": "a", "content": "z".repeat(300_000)});
        let change = json!({"promptText": text, "sourceDocument": document});
        ada.patch(&path, &change).await.expect(200);
        super::support::version(&ada, &path).await;
    }
    let all = pages(&ada, &format!("{path}/versions?limit=1000")).await;
    assert!(all.len() == 2, "{} pages", all.len());
    let mut numbers = Vec::new();
    for page in &all {
        assert!(page.body.len() < BOUND, "{} bytes", page.body.len());
        let list = page.json();
        let rows = list.as_array().expect("a list").clone();
        numbers.extend(rows.iter().map(|row| row["version"].as_i64().expect("one")));
    }
    assert_eq!(numbers, (1..=60).rev().collect::<Vec<_>>());
}
