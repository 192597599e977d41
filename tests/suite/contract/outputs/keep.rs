//! Keeping outputs.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};
use tests::support::Reply;

use super::{OUTPUTS, keep_file, keep_text, nothing_is_kept, prompt, scanned, send, text};

/// The texts of a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

const MOST: usize = 5 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn an_output_is_kept_with_its_checksum_and_given_back_as_it_was() {
    let app = scanned().await;
    let ada = app.register().await;
    let (prompt, version) = prompt(&ada, "private").await;
    let words = "An old silent pond …\n";
    let reply = keep_text(&ada, &version, words).await;
    let kept = reply.expect(201).json();
    assert_eq!(kept["duplicate"], false);
    let sha256 = hex::encode(Sha256::digest(words));
    assert_eq!(kept["sha256"], sha256);
    let path = format!("{OUTPUTS}/{}", text(&kept, "outputId"));
    assert_eq!(reply.header("location"), Some(path.as_str()));

    let output = ada.get(&path).await.expect(200).json();
    assert_eq!(output["id"], kept["outputId"]);
    assert_eq!(output["promptId"], prompt);
    assert_eq!(output["promptVersionId"], version);
    assert_eq!(output["creator"]["id"], ada.id());
    assert_eq!(output["contentType"], "text/plain");
    assert_eq!(output["fileName"], "output.txt");
    assert_eq!(output["sizeBytes"], words.len());
    assert_eq!(output["sha256"], sha256);
    assert!(text(&output, "scanner").starts_with("ClamAV "), "{output}");
    assert!(text(&output, "scannedAt") <= text(&output, "updatedAt"));

    let content = ada.get(&format!("{path}/content")).await;
    assert_eq!(content.expect(200).body, words.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_for_the_same_version_give_the_output_that_is_there() {
    let app = scanned().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let (_, version) = prompt(&admin, "company").await;
    let first = keep_text(&admin, &version, "One and the same.").await;
    let first = first.expect(201).json();
    let again = keep_file(&colleague, &version, "b.md", b"One and the same.").await;
    let again = again.expect(200).json();
    assert_eq!(again["outputId"], first["outputId"]);
    assert_eq!(again["sha256"], first["sha256"]);
    assert_eq!(again["duplicate"], true);
    assert_eq!(app.files().len(), 1, "the second copy is not kept");

    let (_, other) = prompt(&admin, "company").await;
    let elsewhere = keep_text(&admin, &other, "One and the same.").await;
    assert_eq!(elsewhere.expect(201).json()["duplicate"], false);
    assert_eq!(app.files().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_keep_the_same_at_once_make_one_output() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let clients = (0..16).map(|_| keep_text(&ada, &version, "Raced for."));
    let replies: Vec<Reply> = futures::future::join_all(clients).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    let new = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(new, 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 201)),
        "{statuses:?}"
    );
    let id = replies[0].json()["outputId"].clone();
    assert!(replies.iter().all(|reply| reply.json()["outputId"] == id));
    assert_eq!(app.count("outputs").await, 1);
    assert_eq!(app.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_mebibytes_are_taken_and_one_byte_more_is_not() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let large = "a".repeat(MOST + 1);
    let refused = keep_file(&ada, &version, "large.txt", large.as_bytes()).await;
    refused.expect_problem(413, "too_large");
    let refused = keep_text(&ada, &version, &large).await;
    refused.expect_problem(413, "too_large");
    nothing_is_kept(&app).await;

    let mut noise = vec![0; MOST];
    rand::fill(&mut noise[..]);
    let file = keep_file(&ada, &version, "noise.bin", &noise).await;
    file.expect(201);
    keep_text(&ada, &version, &large[..MOST]).await.expect(201);
    let path = format!("{OUTPUTS}/{}/content", text(&file.json(), "outputId"));
    assert!(
        ada.get(&path).await.expect(200).body == noise,
        "other bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_form_is_named_at_once() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let version = version.as_str();
    let cases: [(Fields<'_>, &[&str]); 6] = [
        (&[("note", "nothing else")], &["file", "promptVersionId"]),
        (&[("promptVersionId", version)], &["file"]),
        (&[("text", "x")], &["promptVersionId"]),
        (
            &[("promptVersionId", "7"), ("text", "x"), ("text", "y")],
            &["file", "promptVersionId"],
        ),
        (
            &[
                ("promptVersionId", version),
                ("promptVersionId", version),
                ("text", "x"),
            ],
            &["promptVersionId"],
        ),
        (
            &[("promptVersionId", version), ("text", "x"), ("file", "y")],
            &["file"],
        ),
    ];
    for (fields, faults) in cases {
        let reply = send(&ada, fields).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), faults, "{fields:?}");
    }
    let part = reqwest::multipart::Part::bytes(vec![0xFF, 0xFE, b'a']);
    let form = reqwest::multipart::Form::new()
        .text("promptVersionId", version.to_owned())
        .part("text", part);
    let latin = Reply::to(ada.request(reqwest::Method::POST, OUTPUTS).multipart(form)).await;
    latin.expect_problem(422, "invalid");
    assert_eq!(latin.faulty_fields(), ["text"]);
    nothing_is_kept(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_needs_a_version_that_one_can_see() {
    let app = scanned().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let stranger = app.register().await;
    let (own, version) = prompt(&colleague, "private").await;
    let unknown = "01a1fa64-faf0-76fd-a48c-54d0e5ffef4d";
    let tries = [
        (&stranger, version.as_str()),
        (&admin, &version),
        (&colleague, &own),
        (&admin, unknown),
    ];
    for (client, version) in tries {
        let reply = keep_text(client, version, "Mine?").await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), ["promptVersionId"]);
    }
    nothing_is_kept(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_is_of_the_type_that_its_content_says() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let cases: [(&str, &[u8], &str); 7] = [
        (
            "a.txt",
            b"<!DOCTYPE html><html><body>Hi</body></html>",
            "text/html",
        ),
        ("b.png", b"{\"answer\": 42}", "application/json"),
        ("c.md", b"# Title\n\nText.\n", "text/markdown"),
        ("d.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (
            "e.txt",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0",
            "application/octet-stream",
        ),
        (
            "f.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "application/octet-stream",
        ),
        ("g.zip", &zip(b"Packed."), "application/octet-stream"),
    ];
    for (name, bytes, content_type) in cases {
        let reply = keep_file(&ada, &version, name, bytes).await;
        let path = format!("{OUTPUTS}/{}", text(&reply.expect(201).json(), "outputId"));
        let output = ada.get(&path).await.json();
        assert_eq!(output["contentType"], content_type, "{name}");
        let content = ada.get(&format!("{path}/content")).await;
        assert_eq!(content.header("content-type"), Some(content_type), "{name}");
        assert_eq!(content.body, bytes, "{name}");
    }
    let reply = keep_text(&ada, &version, "[1, 2]").await.expect(201).json();
    let output = ada
        .get(&format!("{OUTPUTS}/{}", text(&reply, "outputId")))
        .await;
    assert_eq!(output.json()["contentType"], "application/json");
    assert_eq!(output.json()["fileName"], "output.json");
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("a.txt", options).expect("an entry");
    archive.write_all(bytes).expect("its bytes");
    archive.finish().expect("an archive").into_inner()
}
