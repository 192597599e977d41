//! Documents through the API: uploading, following, sharing, changing, deleting.

#[path = "documents/list.rs"]
mod list;

use serde_json::{Value, json};
use tests::support::{App, Client};

const UPLOAD: &str = "/api/documents/upload";

async fn upload(client: &Client, name: &str, text: &str) -> Value {
    let reply = client.upload(UPLOAD, name, text.as_bytes(), &[]).await;
    reply.expect(201);
    reply.json()
}

fn path_of(document: &Value) -> String {
    format!("/api/documents/{}", document["id"].as_str().expect("an id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_document_becomes_completed_with_passages() {
    let app = App::start().await;
    let ada = app.register().await;
    let text = "# Engines\n\nThe mill computes.\n\n## Cards\n\nCards carry the operations.\n";
    let document = upload(&ada, "engine.md", text).await;
    assert_eq!(document["status"], "pending");
    assert_eq!(document["contentType"], "text/markdown");
    assert_eq!(document["sizeBytes"], text.len());

    app.drain().await;

    let done = ada.get(&path_of(&document)).await.json();
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["chunksTotal"], done["chunksEmbedded"]);
    let chunks = ada
        .get(&format!("{}/chunks", path_of(&document)))
        .await
        .json();
    let cards = chunks
        .as_array()
        .expect("passages")
        .last()
        .expect("one")
        .clone();
    assert_eq!(cards["headingPath"], json!(["Engines", "Cards"]));
    let offset =
        |name: &str| usize::try_from(cards[name].as_u64().expect("an offset")).expect("small");
    let (start, end) = (offset("charStart"), offset("charEnd"));
    let slice: String = text.chars().skip(start).take(end - start).collect();
    assert_eq!(cards["text"], slice);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_twice_give_the_document_that_is_there() {
    let app = App::start().await;
    let ada = app.register().await;
    let first = upload(&ada, "a.txt", "One and the same.").await;
    let again = ada.upload(UPLOAD, "b.txt", b"One and the same.", &[]).await;
    assert_eq!(again.expect(200).json()["id"], first["id"]);
    assert_eq!(app.files().len(), 1, "the second copy is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_uploads_of_the_same_bytes_at_once_make_one_document() {
    let app = App::start().await;
    let ada = app.register().await;
    let uploads = (0..8).map(|n| {
        let (ada, name) = (ada.clone(), format!("{n}.txt"));
        async move { ada.upload(UPLOAD, &name, b"Raced for.", &[]).await }
    });
    let replies = futures::future::join_all(uploads).await;
    let new = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(
        new,
        1,
        "{:?}",
        replies.iter().map(|r| r.status).collect::<Vec<_>>()
    );
    assert!(
        replies
            .iter()
            .all(|reply| matches!(reply.status, 200 | 201))
    );
    assert_eq!(app.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_document_is_refused_and_nothing_is_kept() {
    let app = App::start().await;
    let ada = app.register().await;
    let program = ada
        .upload(
            UPLOAD,
            "notes.txt",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0",
            &[],
        )
        .await;
    program.expect_problem(415, "unsupported_type");
    let large = ada
        .upload(UPLOAD, "large.txt", &vec![b'a'; 25 * 1024 * 1024 + 1], &[])
        .await;
    large.expect_problem(413, "too_large");
    let json = ada.post(UPLOAD, &json!({"file": "text"})).await;
    json.expect_problem(415, "unsupported_type");
    let circle = ada
        .upload(UPLOAD, "a.txt", b"text", &[("visibility", "everyone")])
        .await;
    circle.expect_problem(422, "invalid");
    assert_eq!(ada.get("/api/documents").await.json(), json!([]));
    assert!(app.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_a_file_says_what_is_missing() {
    let app = App::start().await;
    let ada = app.register().await;
    let form = reqwest::multipart::Form::new().text("visibility", "private");
    let request = ada.request(reqwest::Method::POST, UPLOAD).multipart(form);
    let reply = tests::support::Reply::to(request).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["file"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_fails_with_a_sentence() {
    let app = App::start().await;
    let ada = app.register().await;
    let cases: [(&str, &[u8], &str); 3] = [
        ("empty.txt", b"", "empty"),
        ("blank.txt", b"  \n\t \n", "empty"),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "broken"),
    ];
    for (name, bytes, code) in cases {
        let reply = ada.upload(UPLOAD, name, bytes, &[]).await;
        let document = reply.expect(201).json();
        app.drain().await;
        let failed = ada.get(&path_of(&document)).await.json();
        assert_eq!(failed["status"], "failed", "{failed}");
        assert_eq!(failed["errorCode"], code, "{failed}");
        assert!(
            failed["error"]
                .as_str()
                .is_some_and(|text| text.ends_with('.')),
            "{failed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_document_removes_its_passages_and_its_file() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Soon to be gone.").await;
    app.drain().await;
    ada.delete(&path_of(&document)).await.expect(204);
    app.drain().await;
    ada.get(&path_of(&document))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(app.count("chunks").await, 0);
    assert_eq!(app.count("chunk_embeddings").await, 0);
    assert!(app.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_deleted_before_its_turn_leaves_nothing_behind() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Deleted while it waits.").await;
    ada.delete(&path_of(&document)).await.expect(204);
    app.drain().await;
    assert_eq!(app.count("chunks").await, 0);
    assert_eq!(
        app.count("jobs WHERE state NOT IN ('done', 'cancelled')")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reprocessed_document_stays_searchable_until_the_new_passages_are_complete() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Lighthouses warn ships at night.").await;
    app.drain().await;
    let again = ada
        .post_empty(&format!("{}/reprocess", path_of(&document)))
        .await;
    assert_eq!(again.expect(202).json()["status"], "pending");
    let search = json!({"query": "lighthouses"});
    let before = ada.post("/api/search", &search).await.json();
    assert_eq!(
        before["results"].as_array().map(Vec::len),
        Some(1),
        "{before}"
    );
    app.drain().await;
    let after = ada.post("/api/search", &search).await.json();
    assert_ne!(
        before["results"][0]["chunkId"],
        after["results"][0]["chunkId"]
    );
    assert_eq!(app.count("chunks").await, 1, "the old set is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_text_is_embedded_once_within_a_company() {
    let app = App::start().await;
    let ada = app.register().await;
    upload(&ada, "a.txt", "The same paragraph in two files.").await;
    app.drain().await;
    upload(&ada, "b.md", "The same paragraph in two files.\n").await;
    app.drain().await;
    assert_eq!(app.count("chunk_embeddings").await, 2);
    let distinct = "(SELECT DISTINCT embedding::text FROM chunk_embeddings) vectors";
    assert_eq!(app.count(distinct).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_document_is_its_owners_and_a_shared_one_everybodys() {
    let app = App::start().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let document = upload(&colleague, "a.txt", "Mine.").await;
    let path = path_of(&document);
    admin.get(&path).await.expect_problem(404, "not_found");
    colleague
        .patch(&path, &json!({"visibility": "company"}))
        .await
        .expect(200);
    admin.get(&path).await.expect(200);
    let other = app.member(&admin, "developer").await;
    other.get(&path).await.expect(200);
    other
        .patch(&path, &json!({"fileName": "theirs.txt"}))
        .await
        .expect_problem(403, "forbidden");
    other.delete(&path).await.expect_problem(403, "forbidden");
    admin
        .patch(&path, &json!({"fileName": "ours.txt"}))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_top_of_an_old_revision_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Revised.").await;
    let path = path_of(&document);
    let read = ada.get(&path).await;
    let tag = read.header("etag").expect("a tag").to_owned();
    ada.with("if-none-match", &tag).get(&path).await.expect(304);
    let body = json!({"fileName": "b.txt"});
    ada.with("if-match", &tag)
        .patch(&path, &body)
        .await
        .expect(200);
    ada.with("if-match", &tag)
        .patch(&path, &body)
        .await
        .expect_problem(412, "stale");
    ada.with("if-match", &tag)
        .delete(&path)
        .await
        .expect_problem(412, "stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_given_back_for_saving_only() {
    let app = App::start().await;
    let ada = app.register().await;
    let page = "<!doctype html><html><body><h1>Hi</h1><script>alert(1)</script></body></html>";
    let document = upload(&ada, "Über \"uns\".html", page).await;
    let content = ada.get(&format!("{}/content", path_of(&document))).await;
    assert_eq!(content.expect(200).text(), page);
    let name = "filename=\"_ber _uns_.html\"; filename*=UTF-8''%C3%9Cber%20%22uns%22.html";
    assert_eq!(
        content.header("content-disposition"),
        Some(format!("attachment; {name}").as_str())
    );
    assert_eq!(content.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(content.header("content-security-policy"), Some("sandbox"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_documents_are_taken_in_and_wait() {
    let app = App::start().await;
    let ada = app.register().await;
    let cut_off = app
        .replica(tests::support::Options::with(|config| {
            config.queue.redis_url = "redis://127.0.0.1:1/0".into();
        }))
        .await;
    let reply = ada
        .at(&cut_off.url)
        .upload(UPLOAD, "a.txt", b"Redis is away.", &[])
        .await;
    reply.expect(201);
    app.drain().await;
    assert_eq!(
        ada.get(&path_of(&reply.json())).await.json()["status"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_embedding_job_does_not_complete_a_set_that_is_made_anew() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Lighthouses warn ships at night.").await;
    app.drain().await;
    ada.post_empty(&format!("{}/reprocess", path_of(&document)))
        .await
        .expect(202);
    // The old set's job comes back to life, as after a worker that was killed.
    app.database()
        .run("UPDATE jobs SET state = 'queued' WHERE kind = 'documents.embed'")
        .await;
    app.drain().await;
    let done = ada.get(&path_of(&document)).await.json();
    assert_eq!(
        (&done["status"], &done["chunksTotal"]),
        (&json!("completed"), &json!(1)),
        "{done}"
    );
    let found = ada
        .post("/api/search", &json!({"query": "lighthouses"}))
        .await
        .json();
    assert_eq!(found["results"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn uploading_a_failed_file_again_tries_it_again() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Lost and found.").await;
    let stored = app.files().pop().expect("a file");
    std::fs::remove_file(stored).expect("a file to lose");
    app.drain().await;
    let failed = ada.get(&path_of(&document)).await.json();
    assert_eq!(failed["status"], "failed", "{failed}");
    let again = ada.upload(UPLOAD, "a.txt", b"Lost and found.", &[]).await;
    assert_eq!(again.expect(200).json()["id"], document["id"]);
    app.drain().await;
    let done = ada.get(&path_of(&document)).await.json();
    assert_eq!(done["status"], "completed", "{done}");
}
