//! Datasets that runs are made on: not to be deleted meanwhile, and kept for their sake afterwards.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{RUNS, id, prompt, start, words, work, worked};

/// A prompt on a dataset, and the path of the dataset.
async fn arranged(client: &Client) -> (Value, String) {
    let prompt = prompt(client, "[[mock: echo]] Say {{word}}.").await;
    let data = words(client, 2).await;
    let path = format!("/api/datasets/{data}");
    let body = json!({"promptId": prompt, "datasetId": data, "modelIds": ["mock/text-1"]});
    (body, path)
}

/// The cells of a run in their order.
async fn cells(client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("{RUNS}/{}/cells", id(run));
    let list = client.get(&path).await.expect(200).json();
    list.as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_is_not_deleted_while_a_run_on_it_is_open() {
    let app = App::start().await;
    let ada = app.register().await;
    let (body, path) = arranged(&ada).await;
    let run = start(&ada, &body).await;
    let refused = ada.delete(&path).await;
    refused.expect_problem(409, "dataset_in_use");
    // What may be changed meanwhile is the dataset, not what the run sees of it.
    let more = json!({"rows": {"add": [{"word": "later"}], "delete": [0]}});
    ada.patch(&path, &more).await.expect(200);
    let run = work(&app, &ada, &id(&run)).await;
    assert_eq!(
        (&run["status"], &run["datasetVersion"], &run["cellCount"]),
        (&json!("completed"), &json!(1), &json!(2))
    );
    assert_eq!(cells(&ada, &run).await[0]["outputRaw"], "Say word 0.");
    ada.delete(&path).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_on_a_deleted_dataset_stays_readable_and_can_be_made_anew() {
    let app = App::start().await;
    let ada = app.register().await;
    let (body, path) = arranged(&ada).await;
    let run = worked(&app, &ada, &body).await;
    ada.delete(&path).await.expect(204);
    ada.get(&path).await.expect_problem(404, "not_found");
    let again = ada.post(RUNS, &body).await;
    again.expect_problem(422, "invalid");
    assert_eq!(again.faulty_fields(), ["datasetId"]);
    let before = cells(&ada, &run).await;
    let cell = format!("{RUNS}/{}/cells/{}", id(&run), id(&before[1]));
    let shown = ada.get(&cell).await.expect(200).json();
    assert_eq!(
        (&shown["outputRaw"], &shown["inputs"]),
        (&json!("Say word 1."), &json!({"word": "word 1"}))
    );
    ada.post_empty(&format!("{cell}/rerun")).await.expect(202);
    work(&app, &ada, &id(&run)).await;
    let anew = ada.get(&cell).await.expect(200).json();
    assert_eq!(
        (&anew["outputRaw"], &anew["attemptCount"]),
        (&json!("Say word 1."), &json!(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_called_off_is_resumed_although_its_dataset_is_deleted() {
    let app = App::start().await;
    let ada = app.register().await;
    let (body, path) = arranged(&ada).await;
    let run = start(&ada, &body).await;
    let of_run = format!("{RUNS}/{}", id(&run));
    ada.post_empty(&format!("{of_run}/cancel"))
        .await
        .expect(204);
    ada.delete(&path).await.expect(204);
    let resumed = ada.post(&format!("{of_run}/resume"), &json!({})).await;
    resumed.expect(202);
    let ended = work(&app, &ada, &id(&run)).await;
    assert_eq!(ended["summary"]["columns"][0]["counts"]["completed"], 2);
}
