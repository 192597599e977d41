//! `prompt-architect run`, as a pipeline calls it: by its exit codes and what it prints.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tests::support::{App, Client};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use super::support::{RUNS, grader, id, prompt, words};

/// The program, which is built beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a program");
    let folder = test.parent().and_then(|deps| deps.parent());
    let program = folder.expect("a target folder").join("prompt-architect");
    assert!(
        program.exists(),
        "build the programs first: cargo build --workspace --bins"
    );
    program
}

/// The program at this server with this key, deaf to the environment.
fn command(url: &str, key: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .env_remove("PROMPT_ARCHITECT_URL")
        .env("PROMPT_ARCHITECT_KEY", key)
        .args(["--server", url])
        .args(arguments)
        .kill_on_drop(true);
    command
}

/// What the program says while a worker performs what it starts.
async fn said(app: &App, key: &str, arguments: &[&str]) -> Said {
    let mut command = command(&app.url, key, arguments);
    let worker = async {
        loop {
            app.drain().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        output = command.output() => Said::of(output.expect("the program starts")),
        () = worker => unreachable!("it works until it is dropped"),
    }
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// A key that may do what pipelines do.
async fn key(client: &Client) -> String {
    let body = json!({"name": "CI", "scopes": ["read", "write", "run"]});
    let made = client.post("/api/api-keys", &body).await.expect(201).json();
    made["key"].as_str().expect("a key").to_owned()
}

/// A prompt that answers with the column `said`, and a file in which three of four rows say what is
/// expected.
async fn quiz(client: &Client) -> (String, tempfile::NamedTempFile) {
    let text = r#"Repeat {{said}}. [[mock: say="{{said}}"]]"#;
    let mut file = tempfile::Builder::new()
        .suffix(".csv")
        .tempfile()
        .expect("a file");
    let rows = b"said,wanted\none,one\ntwo,two\nthree,three\nfour,4\n";
    std::io::Write::write_all(&mut file, rows).expect("written");
    (prompt(client, text).await, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_passes_or_fails_by_the_share_that_is_demanded() {
    let app = App::start().await;
    let ada = app.register().await;
    let (key, (prompt, file)) = (key(&ada).await, quiz(&ada).await);
    let file = file.path().to_str().expect("a path");
    let run = |least| {
        let arguments = [
            "run",
            "--prompt",
            &prompt,
            "--dataset",
            file,
            "--models",
            "mock/text-1",
            "--expected-column",
            "wanted",
            "--check",
            "equals",
            "--fail-under",
            least,
        ];
        let (app, key) = (&app, &key);
        async move { said(app, key, &arguments).await }
    };
    let passed = run("0.75").await;
    passed.ended(0);
    assert!(passed.out.contains("75.0 % ("), "{}", passed.out);
    assert!(passed.out.ends_with("\npassed\n"), "{}", passed.out);
    assert!(passed.err.contains("4 of 4 cells"), "{}", passed.err);
    let failed = run("0.76").await;
    failed.ended(1);
    let reason = "75.0 % of mock/text-1 pass, 76.0 % should";
    assert!(failed.out.contains(reason), "{}", failed.out);
    // The same file is the same dataset.
    assert_eq!(app.count("datasets").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_run_can_be_had_as_json() {
    let app = App::start().await;
    let ada = app.register().await;
    let (key, (prompt, file)) = (key(&ada).await, quiz(&ada).await);
    let judge = grader(&ada, "Is {{output}} a number? [[mock: say=\"yes\"]]").await;
    let dataset = said(
        &app,
        &key,
        &["datasets", "upload", file.path().to_str().expect("a path")],
    )
    .await;
    let arguments = [
        "run",
        "--prompt",
        &prompt,
        "--dataset",
        dataset.ended(0).out.trim(),
        "--models",
        "mock/text-1,mock/text-1",
        "--grader",
        &judge,
        "--grader-model",
        "mock/text-1",
        "--repeats",
        "2",
        "--row-limit",
        "3",
        "--budget",
        "1",
        "--cache",
        "off",
        "--params",
        r#"{"temperature": 0}"#,
        "--fail-under",
        "1",
        "--json",
    ];
    let ended = said(&app, &key, &arguments).await;
    let told: Value = serde_json::from_str(&ended.ended(0).out).expect("JSON");
    let run = &told["run"];
    assert_eq!(
        (&told["passed"], &run["cellCount"]),
        (&json!(true), &json!(12))
    );
    assert_eq!(
        (&run["budgetUsd"], &run["cache"]),
        (&json!("1"), &json!("off"))
    );
    assert_eq!(run["params"]["temperature"], 0.0);
    let listed = said(&app, &key, &["runs"]).await;
    assert!(
        listed
            .ended(0)
            .out
            .contains(run["id"].as_str().expect("an id")),
        "{}",
        listed.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_worse_than_its_baseline_is_not_good_enough() {
    let app = App::start().await;
    let ada = app.register().await;
    let key = key(&ada).await;
    let data = words(&ada, 8).await;
    let right = prompt(&ada, r#"{{word}} [[mock: say="{{word}}"]]"#).await;
    let wrong = prompt(&ada, r#"{{word}} [[mock: say="{{word}}", unsure=1]]"#).await;
    let run = async |prompt: &str, data: &str, more: &[&str]| {
        let common = [
            "run",
            "--prompt",
            prompt,
            "--dataset",
            data,
            "--models",
            "mock/text-1",
            "--expected-column",
            "word",
            "--check",
            "equals",
            "--json",
        ];
        said(&app, &key, &[&common, more].concat()).await
    };
    let first = run(&right, &data, &[]).await;
    let first: Value = serde_json::from_str(&first.ended(0).out).expect("JSON");
    let against = ["--baseline", first["run"]["id"].as_str().expect("an id")];
    let same = run(&right, &data, &against).await;
    let same: Value = serde_json::from_str(&same.ended(0).out).expect("JSON");
    assert_eq!(same["comparison"]["verdict"], "tied");
    let worse = run(&wrong, &data, &against).await;
    let worse: Value = serde_json::from_str(&worse.ended(1).out).expect("JSON");
    assert_eq!(
        worse["reasons"],
        json!(["column 0 is worse than the baseline's"])
    );
    let elsewhere = words(&ada, 7).await;
    let apart = run(&right, &elsewhere, &against).await;
    assert!(
        apart.ended(2).err.contains("different datasets"),
        "{}",
        apart.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_and_all_cells_are_written_where_they_are_wanted() {
    let app = App::start().await;
    let ada = app.register().await;
    let (key, (prompt, file)) = (key(&ada).await, quiz(&ada).await);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (report, cells) = (at("report.xml"), at("cells.csv"));
    let run = [
        "run",
        "--prompt",
        &prompt,
        "--dataset",
        file.path().to_str().expect("a path"),
        "--models",
        "mock/text-1",
        "--expected-column",
        "wanted",
        "--check",
        "equals",
        "--junit",
        &report,
        "--csv",
        &cells,
    ];
    said(&app, &key, &run).await.ended(0);
    let report = std::fs::read_to_string(report).expect("a report");
    assert_eq!(report.matches("<testcase").count(), 4, "{report}");
    assert_eq!(report.matches("<failure").count(), 1, "{report}");
    let cells = std::fs::read_to_string(cells).expect("cells");
    assert_eq!(cells.lines().count(), 5, "{cells}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_is_told_line_by_line() {
    let app = App::start().await;
    let ada = app.register().await;
    let (key, (prompt, _)) = (key(&ada).await, quiz(&ada).await);
    let run = async |key: &str, prompt: &str, more: &[&str]| {
        let arguments = [
            &["run", "--prompt", prompt, "--models", "mock/text-1"],
            more,
        ]
        .concat();
        said(&app, key, &arguments).await
    };
    let stranger = run("pak_nobody", &prompt, &[]).await;
    assert!(
        stranger.ended(2).err.starts_with("401: "),
        "{}",
        stranger.err
    );
    let nothing = uuid::Uuid::nil().to_string();
    let unknown = run(&key, &nothing, &[]).await;
    assert!(unknown.ended(2).err.contains("prompt"), "{}", unknown.err);
    let refused = run(&key, &prompt, &["--repeats", "11", "--row-limit", "0"]).await;
    let faults: Vec<_> = refused.ended(2).err.lines().collect();
    assert_eq!(
        faults,
        [
            "repeats: must be between 1 and 10",
            "rowLimit: must be at least 1"
        ]
    );
    let without = run(&key, &prompt, &[]).await;
    let sentence = "datasetId: Generator requires variables but no dataset selected\n";
    assert_eq!(without.ended(2).err, sentence);
    let lost = run(&key, &prompt, &["--dataset", "no-such-file.csv"]).await;
    assert!(
        lost.ended(2)
            .err
            .starts_with("no-such-file.csv cannot be read"),
        "{}",
        lost.err
    );
    let ungraded = run(&key, &prompt, &["--fail-under", "0.9"]).await;
    assert!(
        ungraded.ended(2).err.contains("something that grades"),
        "{}",
        ungraded.err
    );
    let alone = run(&key, &prompt, &["--baseline", &nothing]).await;
    assert!(
        alone.ended(2).err.contains("to compare with"),
        "{}",
        alone.err
    );
    assert_eq!(app.count("runs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_without_an_answer_spoil_the_verdict() {
    let app = App::start().await;
    let ada = app.register().await;
    let key = key(&ada).await;
    let prompt = prompt(&ada, "[[mock: error=refused]] Say hello.").await;
    let run = ["run", "--prompt", &prompt, "--models", "mock/text-1"];
    let spoilt = said(&app, &key, &run).await;
    assert!(
        spoilt.ended(2).err.contains("1 cells got no answer"),
        "{}",
        spoilt.err
    );
    let lenient = [&run[..], &["--max-failed", "1"]].concat();
    said(&app, &key, &lenient).await.ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_from_one_that_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let run = ["run", "--prompt", "x", "--models", "mock/text-1"];
    let output = command(&format!("http://{address}"), "pak_any", &run).output();
    let said = Said::of(output.await.expect("the program starts"));
    assert!(
        said.ended(3).err.starts_with("Cannot reach http://127"),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_waiting_calls_the_run_off() {
    let app = App::start().await;
    let ada = app.register().await;
    let key = key(&ada).await;
    let prompt = prompt(&ada, "[[mock: echo]] Say hello.").await;
    let arguments = ["run", "--prompt", &prompt, "--models", "mock/text-1"];
    let mut command = command(&app.url, &key, &arguments);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let first = lines.next_line().await.expect("text").expect("a line");
    assert!(first.ends_with(": 1 cells"), "{first}");
    let process = child.id().expect("it runs").to_string();
    let told = Command::new("kill").args(["-INT", &process]).status().await;
    assert!(told.expect("kill is there").success());
    assert_eq!(child.wait().await.expect("it ends").code(), Some(2));
    let runs = ada.get(RUNS).await.expect(200).json();
    assert_eq!(runs[0]["status"], "cancelled");
    assert!(first.contains(&id(&runs[0])), "{first}");
}
