//! Cells from their questions to their outputs.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{cells, dataset, each, id, prompt, query, scripts, worked};

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

#[tokio::test(flavor = "multi_thread")]
async fn each_row_and_repeat_is_asked_once_with_its_own_values() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] {{a}}-{{b}}-{{a}}").await;
    let rows = json!([{"a": "1", "b": "x"}, {"a": "{{b}}", "b": "y"}, {"a": "", "b": 7}]);
    let dataset = dataset(&ada, &rows).await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"], "repeats": 10, "cache": "off"});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(
        (&run["cellCount"], &run["status"]),
        (&json!(30), &json!("completed"))
    );
    let outputs = each(&app, &id(&run), "output_raw").await;
    let said: Vec<_> = outputs
        .iter()
        .step_by(10)
        .map(|text| text.as_str().expect("a text").trim())
        .collect();
    assert_eq!(said, ["1-x-1", "{{b}}-y-{{b}}", "-7-"]);
    assert_eq!(app.count("attempts").await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_prompt_asks_for_is_taken_from_the_output_or_the_cell_is_malformed() {
    let app = App::start().await;
    let ada = app.register().await;
    let say = |text: &str| format!("say={}", json!(text));
    let cases = [
        (
            say("<response> a\nb </response><response>c</response>"),
            Some("a\nb"),
        ),
        (say("before <RESPONSE>x</response> after"), Some("x")),
        (say("<response>never closed"), None),
        (say("none at all"), None),
        (
            say("<response><response>nested</response></response>"),
            Some("<response>nested"),
        ),
        (say("<response></response>"), Some("")),
    ];
    let scripts: Vec<_> = cases.iter().map(|(script, _)| script.as_str()).collect();
    let dataset = dataset(&ada, &super::support::scripts(&scripts)).await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Answer within <response>.").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    for (cell, (script, parsed)) in cells(&app, &id(&run)).await.iter().zip(&cases) {
        let (status, code) = match parsed {
            Some(_) => ("completed", Value::Null),
            None => ("malformed", json!("output_malformed")),
        };
        assert_eq!(
            (&cell["status"], &cell["error_code"]),
            (&json!(status), &code),
            "{script}"
        );
        assert_eq!(cell["output_parsed"], json!(parsed), "{script}");
        assert!(cell["output_raw"].is_string(), "the raw output is kept");
    }
    let counts = &run["summary"]["columns"][0]["counts"];
    assert_eq!(
        (&counts["completed"], &counts["malformed"]),
        (&json!(4), &json!(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_kept_pretty_within_the_response_and_in_a_fence() {
    let app = App::start().await;
    let ada = app.register().await;
    let say = |text: &str| format!("say={}", json!(text));
    let rows = [
        say("{\"b\": 1,\"a\":[1e400, 0.10]}"),
        say("```json\n{\"x\":true}\n```"),
        say("[1, 2"),
        say("words"),
    ];
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    let dataset = dataset(&ada, &scripts(&rows)).await;
    let plain = prompt(&ada, "[[mock: {{script}}]] Answer as JSON.").await;
    let body = json!({"promptId": plain, "datasetId": dataset, "modelIds": ["mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    let parsed = each(&app, &id(&run), "output_parsed").await;
    assert_eq!(
        parsed[0],
        "{\n  \"b\": 1,\n  \"a\": [\n    1e400,\n    0.10\n  ]\n}"
    );
    assert_eq!(parsed[1], "{\n  \"x\": true\n}");
    assert_eq!(parsed[2..], [Value::Null, Value::Null]);
    let both = prompt(
        &ada,
        "[[mock: say=\"<response>{\\\"a\\\":1}</response>\"]] JSON within <response>.",
    )
    .await;
    let run = worked(
        &app,
        &ada,
        &json!({"promptId": both, "modelIds": ["mock/text-1"]}),
    )
    .await;
    assert_eq!(
        each(&app, &id(&run), "output_parsed").await,
        [json!("{\n  \"a\": 1\n}")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_value_fails_alone_and_costs_nothing() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] {{a}} {{b}}").await;
    let dataset = dataset(&ada, &json!([{"a": "1", "b": "2"}, {"a": "3"}])).await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    let cells = cells(&app, &id(&run)).await;
    assert_eq!(
        (&cells[0]["status"], &cells[1]["status"]),
        (&json!("completed"), &json!("failed"))
    );
    assert_eq!(cells[1]["error_code"], "missing_value");
    assert_eq!(cells[1]["error_message"], "The row has no value for \"b\".");
    assert_eq!(app.count("attempts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_that_may_pass_is_tried_three_times_and_other_trouble_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let errors = [
        "overloaded",
        "timeout",
        "malformed",
        "unauthorized",
        "out-of-credit",
        "refused",
        "too-long",
        "invalid",
    ];
    let rows: Vec<_> = errors
        .iter()
        .map(|error| format!("error={error}"))
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(String::as_str)
        .chain(["refuse", "echo"])
        .collect();
    let dataset = dataset(&ada, &scripts(&rows)).await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Hello.").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["status"], "completed");
    let codes = each(&app, &id(&run), "error_code").await;
    assert_eq!(
        codes,
        [
            "provider_overloaded",
            "provider_timeout",
            "provider_malformed_answer",
            "provider_unauthorized",
            "provider_out_of_credit",
            "provider_refused",
            "provider_input_too_long",
            "provider_invalid_request",
            "provider_refused",
            "",
        ]
        .map(|code| if code.is_empty() {
            Value::Null
        } else {
            json!(code)
        })
    );
    let attempts = each(&app, &id(&run), "attempt_count").await;
    assert_eq!(
        attempts,
        [3, 3, 3, 1, 1, 1, 1, 1, 1, 1].map(|count| json!(count))
    );
    // Whether a call without an answer that can be read was paid for, nobody knows.
    assert_eq!(app.count("attempts WHERE state = 'lost'").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_time_is_waited_for_and_spends_no_try() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: rate-limit=31s]] Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let started = super::support::start(&ada, &body).await;
    app.drain().await;
    let run = super::support::run(&ada, &id(&started)).await;
    assert_eq!(
        (&run["status"], &run["openCells"]),
        (&json!("running"), &json!(1))
    );
    let cell = &cells(&app, &id(&run)).await[0];
    assert_eq!(
        (&cell["status"], &cell["tries"]),
        (&json!("queued"), &json!(0))
    );
    let soon = "SELECT 1 FROM cells WHERE not_before < now() + interval '25 seconds'";
    assert!(query(&app, soon).await.is_empty());
    let jobs = query(&app, "SELECT wait_reason, run_at > now() + interval '25 seconds' AS later FROM jobs WHERE kind = 'runs.lane'").await;
    assert_eq!(
        jobs,
        [json!({"wait_reason": "waits for its provider", "later": true})]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_prompt_is_deleted_fails_its_cells_with_a_sentence() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Hello.").await;
    let started = super::support::start(
        &ada,
        &json!({"promptId": prompt, "modelIds": ["mock/text-1"]}),
    )
    .await;
    ada.delete(&format!("/api/prompts/{prompt}"))
        .await
        .expect(204);
    let run = super::support::work(&app, &ada, &id(&started)).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(each(&app, &id(&run), "error_code").await, ["prompt_gone"]);
}
