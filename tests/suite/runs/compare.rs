//! Two runs held against one another.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{RUNS, id, prompt, start, words, worked};

/// A run whose cells pass or fail: those pass whose output holds `wanted`.
async fn run(app: &App, client: &Client, data: &str, wanted: &str) -> String {
    let prompt = prompt(client, "[[mock: echo]] Say {{word}}.").await;
    let body = json!({"promptId": prompt, "datasetId": data, "repeats": 2,
        "modelIds": ["mock/text-1", "mock/text-1"],
        "checks": [{"type": "contains", "value": wanted}]});
    id(&worked(app, client, &body).await)
}

async fn compared(client: &Client, a: &str, b: &str) -> Value {
    let reply = client.get(&format!("{RUNS}/{a}/compare/{b}")).await;
    reply.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_speaks_of_the_second_run_and_turns_with_them() {
    let app = App::start().await;
    let ada = app.register().await;
    let data = words(&ada, 8).await;
    let bad = run(&app, &ada, &data, "nothing of the kind").await;
    let good = run(&app, &ada, &data, "word").await;
    let better = compared(&ada, &bad, &good).await;
    assert_eq!(better["verdict"], "better", "{better:#}");
    assert_eq!(better["overall"]["rows"], 8);
    assert_eq!(better["overall"]["pairs"], 32);
    assert_eq!(better["overall"]["onlyB"], 8);
    assert_eq!(better["overall"]["grades"]["difference"], 1.0);
    let columns = better["columns"].as_array().expect("columns");
    assert_eq!(columns.len(), 2);
    for column in columns {
        assert_eq!(column["verdict"], "better");
        assert_eq!(column["pairs"], 16);
    }
    assert_eq!(compared(&ada, &good, &bad).await["verdict"], "worse");
    assert_eq!(compared(&ada, &good, &good).await["verdict"], "tied");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_on_other_rows_or_without_grades_are_not_comparable_and_say_why() {
    let app = App::start().await;
    let ada = app.register().await;
    let (data, other) = (words(&ada, 2).await, words(&ada, 3).await);
    let a = run(&app, &ada, &data, "word").await;
    let b = run(&app, &ada, &other, "word").await;
    let apart = compared(&ada, &a, &b).await;
    assert_eq!(apart["verdict"], "not_comparable");
    assert_eq!(apart["reason"], "The runs are on different datasets.");
    let prompt = prompt(&ada, "[[mock: echo]] Say {{word}}.").await;
    let body = json!({"promptId": prompt, "datasetId": data, "modelIds": ["mock/text-1"]});
    let ungraded = id(&start(&ada, &body).await);
    let apart = compared(&ada, &a, &ungraded).await;
    assert_eq!(apart["verdict"], "not_comparable");
    // One column and repetition of two rows is in both.
    assert_eq!(apart["overall"]["leftOut"], 2);
    assert!(apart["reason"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_cell_that_nobody_graded_counts_as_nothing() {
    let app = App::start().await;
    let ada = app.register().await;
    let data = words(&ada, 6).await;
    let good = run(&app, &ada, &data, "word").await;
    let text = "[[mock: say=\"no response here\"]] Answer {{word}} inside <response></response>.";
    let prompt = prompt(&ada, text).await;
    let body = json!({"promptId": prompt, "datasetId": data, "modelIds": ["mock/text-1"]});
    let malformed = worked(&app, &ada, &body).await;
    assert_eq!(
        malformed["summary"]["columns"][0]["counts"]["malformed"], 6,
        "{malformed:#}"
    );
    let worse = compared(&ada, &good, &id(&malformed)).await;
    assert_eq!(worse["verdict"], "worse", "{worse:#}");
    assert_eq!(worse["overall"]["grades"]["b"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_runs_have_to_be_visible() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.register().await;
    let data = words(&ada, 1).await;
    let foreign = run(&app, &ada, &data, "word").await;
    let data = words(&bob, 1).await;
    let own = run(&app, &bob, &data, "word").await;
    for path in [
        format!("{RUNS}/{own}/compare/{foreign}"),
        format!("{RUNS}/{foreign}/compare/{own}"),
    ] {
        bob.get(&path).await.expect_problem(404, "not_found");
    }
}
