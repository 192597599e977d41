//! The demo's runs: the data are right, and the models differ as they are meant to.

use std::{path::Path, time::Duration};

use serde_json::Value;
use tests::{
    demo::{Api, grid},
    support::{App, app::PASSWORD},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_the_better_model_and_the_better_version() {
    let app = App::start().await;
    let ada = app.register().await;
    let api = Api::sign_in(&app.url, ada.email(), PASSWORD).await;
    let api = api.expect("signed in");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
    let worker = async {
        loop {
            app.drain().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let [before, after] = tokio::select! {
        runs = grid::show(&api, &folder) => runs.expect("two runs"),
        () = worker => unreachable!("it works until it is dropped"),
    };
    assert_eq!(before["cellCount"], 2 * 118);
    assert_eq!(passed(&before, 0), Some(1.0), "{before:#}");
    let weak = passed(&before, 1).expect("a rate");
    assert!((0.6..0.9).contains(&weak), "{weak}");
    assert_eq!(
        [passed(&after, 0), passed(&after, 1)],
        [Some(1.0), Some(1.0)]
    );
}

/// The share of a column that passed.
fn passed(run: &Value, column: usize) -> Option<f64> {
    run["summary"]["columns"][column]["passRate"]["value"].as_f64()
}
