//! What tests of datasets need.

use serde_json::Value;
use tests::support::{Client, Reply};

/// Where datasets are.
pub const DATASETS: &str = "/api/datasets";

/// Uploads a file.
pub async fn upload(client: &Client, name: &str, bytes: &[u8]) -> Reply {
    client.upload(DATASETS, name, bytes, &[]).await
}

/// A dataset of a CSV.
pub async fn of_csv(client: &Client, text: &str) -> Value {
    let made = upload(client, "people.csv", text.as_bytes()).await;
    made.expect(201).json()
}

/// Where a dataset is.
pub fn path_of(dataset: &Value) -> String {
    format!("{DATASETS}/{}", dataset["id"].as_str().expect("an id"))
}

/// The names in a list, in its order.
pub fn names(list: &Value) -> Vec<&str> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row["name"].as_str().expect("a name"))
        .collect()
}

/// The newest rows as CSV.
pub async fn csv(client: &Client, path: &str) -> String {
    let file = client.get(&format!("{path}/export")).await;
    file.expect(200).text()
}
