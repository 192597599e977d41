//! What outputs are called, from a hostile name in a form to the header of a download.

use reqwest::Method;
use tests::support::{Client, Reply};

use super::{OUTPUTS, prompt, scanned, text};

/// Sends a form whose file is named by these raw bytes of its header.
async fn upload(client: &Client, version: &str, filename: &str) -> Reply {
    let body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"promptVersionId\"\r\n\r\n{version}\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\r\n\
         {filename}\r\n--cut--\r\n"
    );
    let request = client
        .request(Method::POST, OUTPUTS)
        .header("content-type", "multipart/form-data; boundary=cut")
        .body(body);
    Reply::to(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_comes_back_whole_and_breaks_no_header() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let cases = [
        (
            "plan.md",
            "plan.md",
            "filename=\"plan.md\"; filename*=UTF-8''plan.md",
        ),
        (
            "../../etc/passwd",
            "passwd",
            "filename=\"passwd\"; filename*=UTF-8''passwd",
        ),
        (
            r#"a \"b\"; c.txt"#,
            r#"a "b"; c.txt"#,
            "filename=\"a _b_; c.txt\"; filename*=UTF-8''a%20%22b%22%3B%20c.txt",
        ),
        (
            "俳句 ü.txt",
            "俳句 ü.txt",
            "filename=\"__ _.txt\"; filename*=UTF-8''%E4%BF%B3%E5%8F%A5%20%C3%BC.txt",
        ),
        (
            "a%0D%0Ab.txt",
            "a%0D%0Ab.txt",
            "filename=\"a_0D_0Ab.txt\"; filename*=UTF-8''a%250D%250Ab.txt",
        ),
        (
            "a\tb\u{202e}.txt",
            "ab\u{202e}.txt",
            "filename=\"ab_.txt\"; filename*=UTF-8''ab%E2%80%AE.txt",
        ),
    ];
    for (sent, name, header) in cases {
        let kept = upload(&ada, &version, sent).await.expect(201).json();
        let path = format!("{OUTPUTS}/{}", text(&kept, "outputId"));
        assert_eq!(ada.get(&path).await.json()["fileName"], name, "{sent:?}");
        let content = ada.get(&format!("{path}/content")).await;
        let expected = format!("attachment; {header}");
        assert_eq!(
            content.header("content-disposition"),
            Some(expected.as_str())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_is_refused() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    for name in ["..", "dir/", &"x".repeat(256)] {
        let refused = upload(&ada, &version, name).await;
        refused.expect_problem(422, "invalid");
        assert_eq!(refused.faulty_fields(), ["file"], "{name}");
    }
}
