//! Kept responses: what takes the place of a call, and when.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{RUNS, cells, dataset, each, id, prompt, scripts, work, worked};

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_response_costs_nothing_and_keeps_its_first_latency() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: latency=30ms]] Hello.").await;
    let body =
        |cache: &str| json!({"promptId": prompt, "modelIds": ["mock/text-1"], "cache": cache});
    let first = worked(&app, &ada, &body("use")).await;
    let second = worked(&app, &ada, &body("use")).await;
    let (first, second) = (
        cells(&app, &id(&first)).await.remove(0),
        cells(&app, &id(&second)).await.remove(0),
    );
    assert_eq!(
        (&first["cached"], &second["cached"]),
        (&json!(false), &json!(true))
    );
    for member in [
        "latency_ms",
        "output_raw",
        "tokens_in",
        "tokens_out",
        "model_version",
    ] {
        assert_eq!(first[member], second[member], "{member}");
    }
    assert_eq!(
        (&second["attempt_count"], &second["cost"]),
        (&json!(0), &json!(0))
    );
    for (cache, calls) in [("refresh", 2), ("off", 3), ("use", 3), ("replayOnly", 3)] {
        worked(&app, &ada, &body(cache)).await;
        assert_eq!(app.count("attempts").await, calls, "{cache}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_fails_where_nothing_is_kept_and_calls_nobody() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"], "cache": "replayOnly"});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(each(&app, &id(&run), "error_code").await, ["replay_miss"]);
    assert_eq!(app.count("attempts").await, 0);
    assert_eq!(app.count("responses").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_calls_under_way_share_one_and_repeats_do_not() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = dataset(
        &ada,
        &json!([{"a": "x"}, {"a": "x"}, {"a": "x"}, {"a": "y"}]),
    )
    .await;
    let prompt = prompt(&ada, "[[mock: latency=50ms]] {{a}}").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"], "repeats": 2});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(app.count("attempts").await, 4);
    assert_eq!(run["summary"]["columns"][0]["cached"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_and_refusals_are_not_kept_and_give_the_key_free() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = dataset(
        &ada,
        &scripts(&["error=invalid", "error=invalid", "refuse", "refuse"]),
    )
    .await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Hello.").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["summary"]["columns"][0]["counts"]["failed"], 4);
    assert_eq!(app.count("attempts").await, 4);
    assert_eq!(app.count("responses").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_company_shares_nothing() {
    let app = App::start().await;
    for _ in 0..2 {
        let somebody = app.register().await;
        let prompt = prompt(&somebody, "Hello.").await;
        let run = worked(
            &app,
            &somebody,
            &json!({"promptId": prompt, "modelIds": ["mock/text-1"]}),
        )
        .await;
        assert_eq!(each(&app, &id(&run), "cached").await, [false]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_passes_by_what_is_kept_and_leaves_its_output_with_the_attempt() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: say=\"one\"]] Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"], "checks": [{"type": "equals", "value": "one"}]});
    let run_id = id(&worked(&app, &ada, &body).await);
    let cell = id(&cells(&app, &run_id).await[0]);
    let path = format!("{RUNS}/{run_id}/cells/{cell}");
    ada.put(&format!("{path}/manual-grade"), &json!({"value": "fail"}))
        .await
        .expect(204);
    ada.post_empty(&format!("{path}/rerun")).await.expect(202);
    ada.post_empty(&format!("{path}/rerun"))
        .await
        .expect_problem(409, "conflict");
    let run = work(&app, &ada, &run_id).await;
    assert_eq!(run["status"], "completed");
    let cell = cells(&app, &run_id).await.remove(0);
    assert_eq!(
        (&cell["round"], &cell["cached"], &cell["percent"]),
        (&json!(2), &json!(false), &json!(100))
    );
    assert_eq!(cell["manual_grade"], "unset");
    let kept = super::support::query(&app, "SELECT output FROM attempts ORDER BY id").await;
    assert_eq!(
        kept,
        [json!({"output": "one"}), json!({"output": Value::Null})]
    );
}
