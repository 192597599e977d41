//! Cells from their questions to their grades.

use serde_json::json;
use tests::support::App;

use super::support::{prompt, worked};

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_without_placeholders_runs_one_row_in_each_column() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1", "mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(run["cellCount"], 2);
    for column in 0..2 {
        assert_eq!(run["summary"]["columns"][column]["counts"]["completed"], 1);
    }
}
