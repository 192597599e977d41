//! Reading and deleting outputs: who may, and what goes along.

use serde_json::Value;
use tests::support::Client;

use super::{OUTPUTS, keep_file, kept, prompt, scanned, text};

/// The paths of the outputs of a list, in its order.
async fn listed(client: &Client, query: &str) -> Vec<String> {
    let list = client
        .get(&format!("{OUTPUTS}{query}"))
        .await
        .expect(200)
        .json();
    let path = |output: &Value| format!("{OUTPUTS}/{}", text(output, "id"));
    list.as_array().expect("a list").iter().map(path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_is_given_for_saving_only() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let page = b"<!DOCTYPE html><html><script>alert(1)</script></html>";
    let kept = keep_file(&ada, &version, "page.html", page).await;
    let id = text(&kept.expect(201).json(), "outputId");
    let content = ada.get(&format!("{OUTPUTS}/{id}/content")).await;
    content.expect(200);
    assert_eq!(content.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(content.header("content-security-policy"), Some("sandbox"));
    let disposition = content.header("content-disposition").unwrap_or_default();
    assert!(disposition.starts_with("attachment; "), "{disposition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_seen_by_who_sees_their_prompt() {
    let app = scanned().await;
    let admin = app.register().await;
    let owner = app.member(&admin, "developer").await;
    let colleague = app.member(&admin, "developer").await;
    let (id, version) = prompt(&owner, "private").await;
    let output = kept(&owner, &version, "Mine.").await;
    let before = text(&owner.get(&output).await.json(), "updatedAt");
    for client in [&admin, &colleague] {
        client.get(&output).await.expect_problem(404, "not_found");
        client
            .get(&format!("{output}/content"))
            .await
            .expect_problem(404, "not_found");
        client
            .delete(&output)
            .await
            .expect_problem(404, "not_found");
        assert!(listed(client, &format!("?promptId={id}")).await.is_empty());
    }

    let shared = serde_json::json!({"visibility": "company"});
    owner
        .patch(&format!("/api/prompts/{id}"), &shared)
        .await
        .expect(200);

    colleague
        .get(&format!("{output}/content"))
        .await
        .expect(200);
    assert_eq!(listed(&colleague, "").await, [output.as_str()]);
    let shown = colleague.get(&output).await.json();
    assert!(
        text(&shown, "updatedAt") > before,
        "who follows changes hears of it: {shown}"
    );
    let stranger = app.register().await;
    stranger.get(&output).await.expect_problem(404, "not_found");
    assert!(
        listed(&stranger, &format!("?promptVersionId={version}"))
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_listed_newest_first_by_prompt_version_and_change() {
    let app = scanned().await;
    let ada = app.register().await;
    let (first, version) = prompt(&ada, "private").await;
    let (second, other) = prompt(&ada, "private").await;
    let mut outputs = Vec::new();
    for (version, words) in [(&version, "1"), (&version, "2"), (&other, "3")] {
        outputs.push(kept(&ada, version, words).await);
    }
    let [one, two, three] = [0, 1, 2].map(|place: usize| outputs[place].clone());
    let [one, two, three] = [one.as_str(), two.as_str(), three.as_str()];
    assert_eq!(listed(&ada, "").await, [three, two, one]);
    assert_eq!(
        listed(&ada, &format!("?promptId={first}")).await,
        [two, one]
    );
    assert_eq!(
        listed(&ada, &format!("?promptVersionId={other}")).await,
        [three]
    );
    let both = format!("?promptId={second}&promptVersionId={version}");
    assert!(listed(&ada, &both).await.is_empty());

    let since = text(&ada.get(two).await.json(), "updatedAt").replace('+', "%2B");
    let changes = format!("?updatedSince={since}");
    assert_eq!(listed(&ada, &changes).await, [two, three]);

    for query in ["?limit=1", "?limit=1&updatedSince=2020-01-01T00:00:00Z"] {
        let (mut pages, mut next) = (Vec::new(), Some(format!("{OUTPUTS}{query}")));
        while let Some(path) = next {
            let page = ada.get(&path).await;
            let rows = page.expect(200).json();
            assert_eq!(rows.as_array().map(Vec::len), Some(1));
            pages.push(format!("{OUTPUTS}/{}", text(&rows[0], "id")));
            next = page.next_page().map(str::to_owned);
        }
        pages.sort();
        assert_eq!(pages, [one, two, three], "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_kept_it_the_prompts_owner_and_an_admin_delete_an_output() {
    let app = scanned().await;
    let admin = app.register().await;
    let owner = app.member(&admin, "developer").await;
    let creator = app.member(&admin, "developer").await;
    let other = app.member(&admin, "lead").await;
    let (_, version) = prompt(&owner, "company").await;
    for (client, words) in [(&creator, "1"), (&owner, "2"), (&admin, "3")] {
        let output = kept(&creator, &version, words).await;
        other.delete(&output).await.expect_problem(403, "forbidden");
        assert_eq!(app.files().len(), 1);
        client.delete(&output).await.expect(204);
        client.get(&output).await.expect_problem(404, "not_found");
        app.drain().await;
        assert!(app.files().is_empty(), "its bytes go with it");
    }
    // The same once more is a new output, whose bytes no late deletion takes.
    let output = kept(&creator, &version, "1").await;
    creator.delete(&output).await.expect(204);
    let again = kept(&creator, &version, "1").await;
    app.drain().await;
    let content = creator.get(&format!("{again}/content")).await;
    assert_eq!(content.expect(200).text(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_go_with_their_prompt() {
    let app = scanned().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let (id, version) = prompt(&admin, "company").await;
    let (_, other) = prompt(&admin, "company").await;
    kept(&admin, &version, "Gone.").await;
    kept(&colleague, &version, "Gone too.").await;
    let stays = kept(&admin, &other, "Stays.").await;
    admin
        .delete(&format!("/api/prompts/{id}"))
        .await
        .expect(204);
    app.drain().await;
    assert_eq!(listed(&colleague, "").await, [stays]);
    assert_eq!(app.files().len(), 1, "their bytes go along");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_is_known_already_is_not_sent_again() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let output = kept(&ada, &version, "Known.").await;
    let tag = ada
        .get(&output)
        .await
        .header("etag")
        .expect("a tag")
        .to_owned();
    ada.with("if-none-match", &tag)
        .get(&output)
        .await
        .expect(304);
    let stale = ada.with("if-match", "\"1\"").delete(&output).await;
    stale.expect_problem(412, "stale");
    ada.with("if-match", &tag).delete(&output).await.expect(204);
}
