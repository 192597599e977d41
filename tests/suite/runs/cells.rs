//! Cells: page by page, by what changed, and one with all that is known of it.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{RUNS, grader, id, prompt, start, words, worked};

/// What names a cell within its run, in the order of the list.
type Identity = (i64, i64, i64);

fn identity(cell: &Value) -> Identity {
    let member = |name: &str| cell[name].as_i64().expect("a number");
    (member("rowIndex"), member("repeat"), member("columnIndex"))
}

/// Every cell of the list, page after page.
async fn all(client: &Client, path: &str) -> Vec<Value> {
    let (mut cells, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = client.get(&path).await;
        cells.extend(page.expect(200).json().as_array().expect("a list").clone());
        next = page.next_page().map(str::to_owned);
    }
    cells
}

/// A run of 2 columns, 2 repetitions and this many rows, worked on.
async fn wide(app: &App, client: &Client, rows: usize) -> Value {
    let prompt = prompt(client, "[[mock: echo]] Say {{word}}.").await;
    let data = words(client, rows).await;
    let body = json!({"promptId": prompt, "datasetId": data, "repeats": 2,
        "modelIds": ["mock/text-1", "mock/text-1"],
        "checks": [{"type": "contains", "value": "word 1"}]});
    worked(app, client, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_come_by_row_repetition_and_column_page_after_page() {
    let app = App::start().await;
    let ada = app.register().await;
    let run = wide(&app, &ada, 5).await;
    let path = format!("{RUNS}/{}/cells", id(&run));
    let cells = all(&ada, &format!("{path}?limit=3")).await;
    let places: Vec<_> = cells.iter().map(identity).collect();
    let expected: Vec<Identity> = (0..5)
        .flat_map(|row| {
            (0..2).flat_map(move |repeat| (0..2).map(move |column| (row, repeat, column)))
        })
        .collect();
    assert_eq!(places, expected);
    let second = all(&ada, &format!("{path}?limit=3&column=1&status=completed")).await;
    assert_eq!(second.len(), 10);
    assert!(second.iter().all(|cell| cell["columnIndex"] == 1));
    assert!(all(&ada, &format!("{path}?status=failed")).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_has_its_calls_events_judgements_and_the_values_of_its_row() {
    let app = App::start().await;
    let ada = app.register().await;
    let run = wide(&app, &ada, 2).await;
    let path = format!("{RUNS}/{}/cells", id(&run));
    let listed = ada.get(&path).await.json()[4].clone();
    let cell = ada.get(&format!("{path}/{}", id(&listed))).await;
    let cell = cell.expect(200).json();
    for (name, value) in listed.as_object().expect("a cell") {
        assert_eq!(&cell[name], value, "{name}");
    }
    assert_eq!(cell["runId"], run["id"]);
    assert_eq!(cell["inputs"], json!({"word": "word 1"}));
    assert_eq!(cell["effectiveGrade"], 1.0);
    assert_eq!(cell["grade"], 1.0);
    assert_eq!(cell["gradeSource"], "checks");
    assert_eq!(cell["checks"][0]["passed"], true);
    assert_eq!(cell["attemptCount"], 1);
    assert_eq!(cell["attempts"].as_array().expect("calls").len(), 1);
    assert_eq!(cell["attempts"][0]["state"], "settled");
    assert_eq!(cell["grades"][0]["source"], "checks");
    let kinds: Vec<_> = cell["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["started", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_grade_counts_before_the_machines_which_stays_known() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say hello.").await;
    let judge = grader(&ada, "[[mock: say=\"yes\"]] Is it good? {{output}}").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"], "graderPromptId": judge,
        "graderModelId": "mock/text-1", "checks": [{"type": "equals", "value": "no"}]});
    let run = worked(&app, &ada, &body).await;
    let path = format!("{RUNS}/{}/cells", id(&run));
    let cell = async || ada.get(&path).await.expect(200).json()[0].clone();
    let before = cell().await;
    assert_eq!(before["gradeSource"], "grader", "{before:#}");
    assert_eq!(
        (&before["grade"], &before["effectiveGrade"]),
        (&json!(1.0), &json!(1.0))
    );
    let judged = format!("{path}/{}/manual-grade", id(&before));
    ada.put(&judged, &json!({"value": "fail"}))
        .await
        .expect(204);
    let after = cell().await;
    assert_eq!(after["gradeSource"], "manual");
    assert_eq!(after["manualGrade"], "fail");
    assert_eq!(
        (&after["grade"], &after["effectiveGrade"]),
        (&json!(1.0), &json!(0.0))
    );
    ada.put(&judged, &json!({"value": "unset"}))
        .await
        .expect(204);
    let back = cell().await;
    assert_eq!(back["gradeSource"], "grader");
    assert_eq!(back["effectiveGrade"], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_are_refused_to_strangers_and_cursors_of_other_lists_to_everybody() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.register().await;
    let run = wide(&app, &ada, 2).await;
    let path = format!("{RUNS}/{}/cells", id(&run));
    bob.get(&path).await.expect_problem(404, "not_found");
    let cell = id(&ada.get(&path).await.json()[0]);
    bob.get(&format!("{path}/{cell}"))
        .await
        .expect_problem(404, "not_found");
    let other = format!("{path}/{}", id(&run));
    ada.get(&other).await.expect_problem(404, "not_found");
    for query in [
        "cursor=nonsense",
        "status=done",
        "column=-1",
        "column=x",
        "limit=0",
        "what=1",
        "updatedSince=now",
    ] {
        ada.get(&format!("{path}?{query}"))
            .await
            .expect_problem(400, "invalid_query");
    }
    let first = ada.get(&format!("{path}?limit=2")).await;
    let next = first.next_page().expect("a second page").to_owned();
    ada.get(&format!("{next}&column=0"))
        .await
        .expect_problem(400, "invalid_query");
}

/// While a run is worked on, a reader who asks by change again and again, and takes each cell's
/// newest state, ends with exactly what stands; and one who pages by row meets every cell once.
#[tokio::test(flavor = "multi_thread")]
async fn readers_of_a_run_under_work_lose_nothing_and_meet_nothing_twice() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say {{word}}.").await;
    let data = words(&ada, 120).await;
    let body = json!({"promptId": prompt, "datasetId": data, "modelIds": ["mock/text-1", "mock/text-1"],
        "concurrency": 8, "cache": "off"});
    let run = start(&ada, &body).await;
    let path = format!("{RUNS}/{}/cells", id(&run));
    let worker = app.worker();
    let mut known = std::collections::HashMap::<String, Value>::new();
    let mut since = "2000-01-01T00:00:00Z".to_owned();
    let mut passes = 0;
    let work = worker::drain(&worker);
    let read = async {
        loop {
            let over = ada.get(&format!("{RUNS}/{}", id(&run))).await.json()["openCells"] == 0;
            let changed = all(&ada, &format!("{path}?updatedSince={since}&limit=17")).await;
            let time = |cell: &Value| -> DateTime<Utc> {
                let text = cell["updatedAt"].as_str().expect("a time");
                text.parse().expect("a time")
            };
            assert!(
                changed.is_sorted_by_key(time),
                "changes come in their order"
            );
            if let Some(newest) = changed.last() {
                since = newest["updatedAt"].as_str().expect("a time").to_owned();
            }
            for cell in changed {
                known.insert(id(&cell), cell);
            }
            let places: Vec<_> = all(&ada, &format!("{path}?limit=23"))
                .await
                .iter()
                .map(identity)
                .collect();
            assert_eq!(places.len(), 240);
            assert_eq!(places.iter().collect::<HashSet<_>>().len(), 240);
            assert!(places.is_sorted());
            passes += 1;
            // The horizon of changes trails what is under way: one pass more, once nothing is.
            if over
                && known.len() == 240
                && known.values().all(|cell| cell["status"] == "completed")
            {
                break;
            }
            assert!(passes < 10_000, "the changes never arrive");
        }
    };
    let (done, ()) = tokio::join!(work, read);
    done.expect("work is done");
    let standing: BTreeSet<_> = all(&ada, &path)
        .await
        .iter()
        .map(ToString::to_string)
        .collect();
    let followed: BTreeSet<_> = known.values().map(ToString::to_string).collect();
    assert_eq!(standing, followed);
}
