//! The demo's workflow comes to a report about the document that it read.

use std::{path::Path, time::Duration};

use tests::{
    demo::{Api, article},
    support::{App, app::PASSWORD},
};

use super::support::of_tasks;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_reads_a_sample_document_and_ends_in_a_report() {
    let app = App::start().await;
    let ada = app.register().await;
    let api = Api::sign_in(&app.url, ada.email(), PASSWORD).await;
    let api = api.expect("signed in");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let worker = async {
        loop {
            app.drain().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let execution = tokio::select! {
        execution = article::show(&api, &folder) => execution.expect("an execution"),
        () = worker => unreachable!("it works until it is dropped"),
    };
    let article = std::fs::read_to_string(folder.join("bee-dances.txt")).expect("a sample");
    let words = article.split_whitespace().count();
    let report = of_tasks(&execution, "result").pop().expect("a report");
    let report = report.as_str().expect("text");
    let end = format!("The article has {words} words.");
    assert!(
        report.starts_with("# Report") && report.ends_with(&end),
        "{report}"
    );
}
