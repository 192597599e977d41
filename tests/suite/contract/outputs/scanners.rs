//! Scanners that fail, and installations without one: nothing is kept without a verdict.

use std::time::Duration;

use integrations::scan::{Clamd, ScanConfig, Scanning, Verdict};
use tests::{
    fakes::clamd::{Clamd as Fake, Does},
    support::{App, Options},
};

use super::{keep_file, keep_text, nothing_is_kept, prompt, scanner_url, text};

/// So large that no socket holds it: a scanner that does not read stops the sender.
const LARGE: usize = 5 * 1024 * 1024;

fn scanning(url: &str, seconds: u64) -> Options {
    let config = ScanConfig {
        clamd_url: url.parse().expect("a scanner"),
        clamd_timeout_seconds: seconds,
    };
    Options::with(move |settings| settings.scan = config)
}

/// With each of these scanners nothing is kept, and the answer says so.
async fn fail_closed(scanners: &[Does], seconds: u64) {
    let app = App::start_with(scanning("off", 5)).await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    for does in scanners {
        let fake = Fake::start(*does).await;
        let replica = app.replica(scanning(&fake.url, seconds)).await;
        for size in [1, LARGE] {
            let bytes = vec![b'a'; size];
            let refused = keep_file(&ada.at(&replica.url), &version, "a.txt", &bytes).await;
            assert_eq!(refused.status, 503, "{does:?}: {}", refused.text());
            let problem = refused.expect_problem(503, "unavailable");
            let detail = problem["detail"].as_str().unwrap_or_default();
            assert!(detail.contains("malware scanner"), "{does:?}: {detail}");
            assert!(refused.header("retry-after").is_some(), "{does:?}");
        }
    }
    nothing_is_kept(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scanner_nothing_is_kept_until_it_is_back() {
    // Nobody listens there.
    let app = App::start_with(scanning("tcp://127.0.0.1:1", 5)).await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let refused = keep_text(&ada, &version, "Wait.").await;
    refused.expect_problem(503, "unavailable");
    nothing_is_kept(&app).await;
    let ready = app.anonymous().get("/readyz").await;
    assert_eq!(ready.expect(200).json()["scanner"], "does not answer");

    let back = Fake::start(Does::Says(b"stream: OK\0")).await;
    let replica = app.replica(scanning(&back.url, 5)).await;
    let ready = replica.anonymous().get("/readyz").await;
    assert_eq!(ready.expect(200).json()["scanner"], "ok");
    let kept = keep_text(&ada.at(&replica.url), &version, "Wait.").await;
    assert_eq!(kept.expect(201).json()["duplicate"], false);
    let again = keep_text(&ada, &version, "Wait.").await;
    assert_eq!(
        again.expect(200).json()["duplicate"],
        true,
        "known bytes need no scan"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_scanner_does_instead_of_a_verdict_nothing_is_kept() {
    let cases = [
        Does::Closes,
        Does::Says(b""),
        Does::Says(b"stream: OK"),
        Does::Says(b"\0stream: OK\0"),
        Does::Says(b"stream: lstat() failed ERROR\0"),
        Does::Says(b"COMMAND READ TIMED OUT\n"),
        Does::Says(&[b'x'; 5000]),
        Does::Interrupts(b"INSTREAM: no resources. ERROR\0"),
    ];
    fail_closed(&cases, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_hangs_is_given_up() {
    fail_closed(&[Does::Hangs], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_bill_for_half_a_file_does_not_count_but_a_finding_does() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), vec![b'a'; 8 * LARGE]).expect("written");
    let scan = async |does| {
        let fake = Fake::start(does).await;
        let Ok(Scanning::By(place)) = fake.url.parse() else {
            panic!("{} names no scanner", fake.url);
        };
        let clamd = Clamd::new(place, Duration::from_secs(20));
        clamd.scan(file.path()).await.map(|scan| scan.verdict)
    };
    let clean = scan(Does::Interrupts(b"stream: OK\0")).await;
    assert!(clean.is_err(), "{clean:?}");
    let found = scan(Does::Interrupts(b"stream: Worm-1 FOUND\0")).await;
    assert_eq!(found.ok(), Some(Verdict::Infected("Worm-1".into())));
    let limit = scan(Does::Interrupts(b"INSTREAM size limit exceeded. ERROR\0")).await;
    assert_eq!(
        limit.ok(),
        Some(Verdict::TooLarge("StreamMaxLength".into()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_may_listen_on_a_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clamd.sock");
    let fake = Fake::on_socket(&path, Does::Says(b"stream: OK\0"));
    let app = App::start_with(scanning(&fake.url, 5)).await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let kept = keep_text(&ada, &version, "Through a socket.").await;
    kept.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_refused_until_an_operator_decides_about_malware() {
    let app = App::start_with(scanning("", 5)).await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let refused = keep_text(&ada, &version, "Unscanned.").await;
    let problem = refused.expect_problem(503, "unavailable");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("CLAMD_URL"), "{detail}");
    nothing_is_kept(&app).await;

    let off = app.replica(scanning("off", 5)).await;
    let ready = off.anonymous().get("/readyz").await.json();
    assert!(ready.get("scanner").is_none(), "{ready}");
    let ada = ada.at(&off.url);
    let kept = keep_text(&ada, &version, "Unscanned.")
        .await
        .expect(201)
        .json();
    let output = ada
        .get(&format!("/api/outputs/{}", text(&kept, "outputId")))
        .await;
    let output = output.json();
    assert!(
        output.get("scanner").is_none() && output.get("scannedAt").is_none(),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_names_the_scanner() {
    assert!(
        scanner_url().is_some(),
        "CLAMD_URL names no malware scanner: ./dev test starts one"
    );
    let app = App::start().await;
    let ready = app.anonymous().get("/readyz").await;
    assert_eq!(ready.expect(200).json()["scanner"], "ok");
}
